"""Weights by related task over training, as a map: a row a task, a column a moment."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from tasksieve.report import formatting as show
from tasksieve.report.figures import new_figure
from tasksieve.report.services import Services
from tasksieve.report.style import BLUE, INK, MUTED, styled

_SHADES = LinearSegmentedColormap.from_list("weights", ["#f3f6f8", "#8fc1e3", BLUE, "#08304f"], N=20)


@styled()
def weights_by_service(found: Services, narrow: bool = False) -> Figure:
    """The mean weight of each related task at each moment; the number at the right is that at the end.

    Raises: ValueError: if there are no related tasks.
    """
    if not found.each:
        raise ValueError("the examples are of no two related tasks; there is nothing to show")
    count = len(found.each)
    figure = new_figure(0.24 * count + 1.25, narrow)
    axes = figure.subplots()
    means = [[math.nan if mean is None else mean for mean in one.means] for one in found.each]
    edges = list(range(len(found.steps) + 1))
    rows = [place - 0.5 for place in range(count + 1)]
    mesh = axes.pcolormesh(edges, rows, means, cmap=_SHADES, vmin=0, vmax=1, edgecolor="white", linewidth=0.5)
    for place, one in enumerate(found.each):
        text = show.number(one.means[-1], 2)
        axes.text(1.015, place, text, transform=axes.get_yaxis_transform(), va="center", color=INK)
    axes.set_yticks(range(count), [show.one_line(one.name, 22 if narrow else 34) for one in found.each], color=INK)
    axes.set_ylim(count - 0.5, -0.5)
    _moments(axes, found.steps, 3 if narrow else 7)
    bar = figure.colorbar(mesh, ax=axes, location="top", shrink=0.4, aspect=22, anchor=(0.0, 0.0), pad=0.02)
    bar.set_ticks([0, 0.5, 1], labels=["0", "½", "1"])
    bar.set_label("mean weight", color=MUTED, size=9, loc="left")
    bar.outline.set_visible(False)
    return figure


def _moments(axes: Axes, steps: Sequence[int], most: int) -> None:
    """Name some of the columns by their iteration."""
    shown = range(0, len(steps), max(1, math.ceil((len(steps) - 1) / max(1, most - 1))))
    axes.set_xticks([place + 0.5 for place in shown], [show.whole(steps[place]) for place in shown])
    axes.set_xlabel("iteration")
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
