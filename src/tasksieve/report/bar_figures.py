"""A comparison at a glance: a bar a method."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tasksieve.records.comparison import Comparison, ComparisonRow
from tasksieve.report import formatting as show
from tasksieve.report.figures import new_figure
from tasksieve.report.style import INK, MUTED, LineStyle, line_styles, styled
from tasksieve.report.wording import wording

_APART = 0.5
"""Of a row's height, between the methods and the simple baselines."""


@styled()
def comparison_bars(comparison: Comparison, narrow: bool = False) -> Figure:
    """The comparison's measure by method: a bar from mean − sd to mean + sd, a tick at the mean, a dot per seed.

    One panel per number of primary dialogs, all on one scale; it does not start at 0, for what matters is
    the distance to the dashed line, the mean of `primary`. Simple baselines stand under a rule.

    Raises: ValueError: if the comparison has no rows.
    """
    rows = comparison.rows
    if not rows:
        raise ValueError("the comparison has no rows; there is nothing to show")
    looks = line_styles([row.method for row in rows])
    sizes = sorted({row.size for row in rows})
    groups = [sorted((r for r in rows if r.size == size), key=lambda row: row.simple) for size in sizes]
    heights = [0.34 * (_places(group)[-1] + 1) + 0.55 for group in groups]
    figure = new_figure(sum(heights) + 0.35, narrow)
    ratios = [float(height) for height in heights]
    panels = figure.subplots(len(groups), 1, squeeze=False, sharex=True, height_ratios=ratios)
    for axes, group in zip(panels.flatten().tolist(), groups, strict=True):
        _bars_panel(axes, group, looks)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4 if narrow else 8, steps=[1, 2, 5, 10]))
        axes.set_title(f"{group[0].size} primary dialogs")
    panels[-1, 0].set_xlim(*_limits(rows))
    panels[-1, 0].set_xlabel(f"test {wording(comparison.measure).name}, % of turns")
    return figure


def _limits(rows: Sequence[ComparisonRow]) -> tuple[float, float]:
    """From the worst to the best that is drawn, with some room at the sides."""
    drawn = [end for row in rows for end in (row.mean - (row.sd or 0.0), row.mean + (row.sd or 0.0))]
    drawn += [result.test_accuracy for row in rows for result in row.seeds]
    margin = 0.05 * (max(drawn) - min(drawn)) or 1.0
    return min(drawn) - margin, max(drawn) + margin


def _places(rows: Sequence[ComparisonRow]) -> list[float]:
    """Where each row stands: the simple ones after a gap, if others are there."""
    shift = _APART if not rows[0].simple else 0.0
    return [place + shift * row.simple for place, row in enumerate(rows)]


def _bars_panel(axes: Axes, rows: Sequence[ComparisonRow], looks: dict[str, LineStyle]) -> None:
    places = _places(rows)
    for row in rows:
        if row.method == "primary":
            axes.axvline(row.mean, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), alpha=0.7)
    for place, row in zip(places, rows, strict=True):
        _bar(axes, place, row, looks[row.method].colour)
    for before, place in pairwise(places):
        if place - before > 1:
            axes.axhline((before + place) / 2, color=MUTED, linewidth=0.6, alpha=0.6)
    axes.set_yticks(places, [show.one_line(row.method, 28) for row in rows], color=INK)
    axes.set_ylim(places[-1] + 0.6, -0.6)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def _bar(axes: Axes, place: float, row: ComparisonRow, colour: str) -> None:
    sd = row.sd or 0.0
    axes.barh(place, 2 * sd, height=0.46, left=row.mean - sd, color=colour, alpha=0.28, linewidth=0)
    axes.vlines(row.mean, place - 0.3, place + 0.3, color=colour, linewidth=2.4)
    seeds = [result.test_accuracy for result in row.seeds]
    axes.plot(
        seeds,
        [place] * len(seeds),
        "s" if row.simple else "o",
        markersize=3.6,
        color=colour,
        markeredgecolor="white",
        markeredgewidth=0.5,
    )
    text = show.mean_sd(row.mean, row.sd)
    axes.text(1.02, place, text, transform=axes.get_yaxis_transform(), va="center", color=INK)
