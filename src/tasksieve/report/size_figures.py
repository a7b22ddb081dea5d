"""Test accuracy against the number of primary dialogs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tasksieve.records.comparison import Comparison, ComparisonRow
from tasksieve.report import formatting as show
from tasksieve.report.figures import new_figure
from tasksieve.report.needs import BORROWER, needs
from tasksieve.report.style import MUTED, LineStyle, label_ends, legend_below, line_styles, styled
from tasksieve.report.wording import wording

_HEIGHT = 4.2
_APART = 0.006  # of the axis, between the bars of neighbouring methods


@styled()
def accuracy_by_size(comparison: Comparison, narrow: bool = False) -> Figure:
    """A line a method through the means of the comparison's measure, with bars from mean − sd to mean + sd.

    Dotted lines lead from `learned` to where `primary` is as good, as :func:`tasksieve.report.needs.needs` finds it.

    Raises: ValueError: if fewer than two sizes were compared.
    """
    sizes = sorted({row.size for row in comparison.rows})
    if len(sizes) < 2:
        raise ValueError("the comparison has one size; there is nothing to show")
    methods = list(dict.fromkeys(row.method for row in comparison.rows))
    looks = line_styles(methods)
    figure = new_figure(_HEIGHT - 0.7 * narrow, narrow)
    axes = figure.subplots()
    _lines(axes, comparison, looks)
    axes.set_title(f"test {wording(comparison.measure).name}, % of turns")
    axes.set_xlabel("primary dialogs")
    axes.set_xticks(sizes, [show.whole(size) for size in sizes])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10]))
    names = {method: show.one_line(method, 24) for method in looks}
    if narrow:
        legend_below(figure, {names[method]: look for method, look in looks.items()})
    else:
        last = [(_rows(comparison, method)[-1], look) for method, look in looks.items()]
        ends = [(row.size, row.mean, names[row.method], look.colour) for row, look in last]
        label_ends(axes, ends, _HEIGHT - 0.7)
    return figure


def _lines(axes: Axes, comparison: Comparison, looks: dict[str, LineStyle]) -> None:
    """Every method's line, then the dotted ones."""
    compared = [row.size for row in comparison.rows]
    for place, (method, look) in enumerate(looks.items()):
        shift = (place - (len(looks) - 1) / 2) * _APART * (max(compared) - min(compared))
        _line(axes, _rows(comparison, method), look, shift)
    for need in needs(comparison):
        if 0 < need.more < math.inf:
            reached = (need.size, need.size + need.more)
            axes.plot(reached, [need.accuracy] * 2, ":", color=looks[BORROWER].colour, linewidth=1.2)
            axes.plot(reached[1], need.accuracy, "o", markersize=5, markerfacecolor="none", color=MUTED)


def _rows(comparison: Comparison, method: str) -> list[ComparisonRow]:
    return sorted((row for row in comparison.rows if row.method == method), key=lambda row: row.size)


def _line(axes: Axes, rows: Sequence[ComparisonRow], look: LineStyle, shift: float) -> None:
    sizes, means = [row.size for row in rows], [row.mean for row in rows]
    axes.plot(sizes, means, color=look.colour, linestyle=look.dashes, linewidth=1.9, marker="o", markersize=3.6)
    apart = [size + shift for size in sizes]
    deviations = [row.sd or 0.0 for row in rows]
    axes.errorbar(apart, means, deviations, fmt="none", ecolor=look.colour, elinewidth=1.1, capsize=2.5, alpha=0.65)
