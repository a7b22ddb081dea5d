"""Figures of the paper that show weights at stages of training: as histograms, and as a scatter beside them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tasksieve.report.figures import draw_histogram, new_figure, save_figure, weight_histograms
from tasksieve.report.style import BLUE, MUTED, RED, styled
from tasksieve.report.weights import split_by_label, stages

_MARKS = {"right": (".", BLUE), "wrong": ("x", RED)}
_DOTS = 1500


@styled()
def weight_stages(weights: pl.DataFrame, examples: pl.DataFrame) -> Figure:
    """A row a stage: the weight of each related example (left), and their histogram (right; Figures 3, 4, 6 and 7).

    Args:
        weights: columns example, step, weight, of the stages to show.
        examples: column example, and label if known. A regular subset of the examples is drawn in the scatter.
    Raises: ValueError: if there is no weight to show.
    """
    if weights.is_empty():
        raise ValueError("weights has no rows; there is nothing to show")
    steps = sorted(weights["step"].unique().to_list())
    figure = new_figure(1.9 * len(steps) + 0.5)
    panels = figure.subplots(len(steps), 2, squeeze=False, width_ratios=(1.4, 1))
    parts = split_by_label(weights, examples)
    for (left, right), step in zip(panels, steps, strict=True):
        here = {name: part.filter(pl.col("step") == step) for name, part in parts.items()}
        _scatter(left, here)
        draw_histogram(right, step, here)
    panels[0][0].legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, markerscale=1.6)
    panels[-1][0].set_xlabel("related example", color=MUTED, size=9)
    panels[-1][1].set_xlabel("weight of a related example", color=MUTED, size=9)
    return figure


def _scatter(axes: Axes, parts: dict[str, pl.DataFrame]) -> None:
    total = sum(map(len, parts.values()))
    for name, part in parts.items():
        shown = part.gather_every(max(1, total // _DOTS))
        marker, colour = _MARKS.get(name, (".", MUTED))
        axes.scatter(shown["example"], shown["weight"], s=9, marker=marker, c=colour, linewidths=0.7, label=name)
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel("weight", color=MUTED, size=9)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def write_weight_figures(
    folder: Path, weights: pl.DataFrame, examples: pl.DataFrame, numbers: tuple[int, int, int]
) -> list[Path]:
    """Write three of the paper's figures from one learned run as PNG and SVG under ``folder``.

    Args:
        folder: where to.
        weights, examples: of the run.
        numbers: of the histograms, and of the early and the late stages; in the paper 1, 3, 4 and 2, 6, 7.
    Returns: the PNG files; the late stages are left out if there are no more than three.
    """
    histograms, first, second = (f"figure-{number}" for number in numbers)
    chosen = stages(weights["step"].unique().to_list(), 6)
    early, late = (weights.filter(pl.col("step").is_in(part)) for part in (chosen[:3], chosen[3:]))
    figures = {histograms: weight_histograms(weights, examples), first: weight_stages(early, examples)}
    if not late.is_empty():
        figures[second] = weight_stages(late, examples)
    return [save_figure(figure, folder / name)[0] for name, figure in figures.items()]
