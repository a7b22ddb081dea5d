"""Accuracy against the share of wrong labels, as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from tasksieve.report.conditions import METHODS, shares_of
from tasksieve.report.figures import new_figure, save_figure
from tasksieve.report.style import label_ends, line_styles, styled

_MARKERS = {"ones": "s", "learned": "o", "oracle": "D"}
_HEIGHT = 3.6


@styled()
def accuracy_by_share(conditions: Sequence[dict[str, Any]]) -> Figure:
    """Test accuracy over the share of wrong labels: a line a method, a mark at the mean, a bar of mean ± sd.

    Args:
        conditions: of the record ``table1.json``, as :func:`shares_of` gives them.
    Raises: ValueError: if there is none.
    """
    if not conditions:
        raise ValueError("there is no condition; there is nothing to show")
    figure = new_figure(_HEIGHT)
    axes = figure.subplots()
    ends = []
    for method, look in line_styles(METHODS).items():
        points = [(100 * c["share"], row) for c in conditions for row in c["rows"] if row["method"] == method]
        shares, means = [share for share, _ in points], [row["mean"] for _, row in points]
        axes.errorbar(
            shares,
            means,
            yerr=[row["sd"] or 0.0 for _, row in points],
            color=look.colour,
            linestyle=look.dashes,
            linewidth=1.7,
            marker=_MARKERS[method],
            markersize=7 - 1.5 * (method == "learned"),
            markerfacecolor="white" if method == "oracle" else look.colour,
            capsize=3,
            zorder=3 + (method == "learned"),
            label=method,
        )
        ends.append((shares[-1], means[-1], method, look.colour))
    axes.set_xticks([100 * condition["share"] for condition in conditions])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_ylim(0, 100)
    axes.set_title("test accuracy, %")
    axes.set_xlabel("related labels that are wrong, %")
    label_ends(axes, ends, _HEIGHT - 0.8)
    return figure


def write_shares_figure(folder: Path, table: dict[str, Any]) -> list[Path]:
    """Write ``accuracy-by-share.png`` and ``.svg``, if the record has several shares.

    Returns: the PNG file.
    """
    conditions = shares_of(table)
    if len(conditions) < 2:
        return []
    return [save_figure(accuracy_by_share(conditions), folder / "accuracy-by-share")[0]]
