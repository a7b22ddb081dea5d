"""Figures for page and paper, each a function from plain records to a figure that no global state holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from tasksieve.records.files import write_whole
from tasksieve.records.measures import RESPONSES
from tasksieve.report import formatting as show
from tasksieve.report.reading import Run
from tasksieve.report.style import (
    BLUE,
    MUTED,
    NARROW,
    RED,
    WIDE,
    LineStyle,
    is_narrow,
    label_ends,
    legend_below,
    line_styles,
    styled,
    write_figure,
)
from tasksieve.report.weights import ALL, BINS, histogram, mean_by_kind, split_by_label, stages
from tasksieve.report.wording import wording


def save_figure(figure: Figure, path_without_suffix: Path) -> tuple[Path, Path]:
    """Write a figure as PNG (150 dpi) and SVG, each whole or not at all.

    Returns: the two paths.
    Raises: UserError: if the folder cannot be written to.
    """
    png, svg = (path_without_suffix.with_name(f"{path_without_suffix.name}.{kind}") for kind in ("png", "svg"))
    write_whole(png, lambda part: write_figure(figure, part, "png"))
    write_whole(svg, lambda part: write_figure(figure, part, "svg"))
    return png, svg


@styled()
def weight_histograms(weights: pl.DataFrame, examples: pl.DataFrame | None = None, narrow: bool = False) -> Figure:
    """Number of related examples by interval of weights, at up to six stages of training (paper: Figure 2).

    Args:
        weights: columns example, step, weight: all recorded snapshots.
        examples: if it has a boolean column ``label``, right examples (blue, striped) are set apart from
            wrong ones (red, plain); those without a label are grey.
    Raises: ValueError: if there is no weight to show.
    """
    if weights.is_empty():
        raise ValueError("weights has no rows; there is nothing to show")
    chosen = stages(weights["step"].unique().to_list())
    columns = min(1 if narrow else 3, len(chosen))
    rows = math.ceil(len(chosen) / columns)
    figure = new_figure((1.5 if narrow else 2.25) * rows + 0.5, narrow)
    panels = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    parts = split_by_label(weights, examples)
    for panel, step in zip(panels, chosen, strict=False):
        draw_histogram(panel, step, {name: part.filter(pl.col("step") == step) for name, part in parts.items()})
    for panel in panels[len(chosen) :]:
        panel.remove()
    if ALL not in parts:
        handles = [Patch(label=name, linewidth=0.6, **_LOOK[name]) for name in parts]
        figure.legend(handles=handles, loc="outside upper left", ncols=3)
    figure.supylabel("related examples", size=9, color=MUTED)
    figure.supxlabel("weight of a related example", size=9, color=MUTED)
    return figure


_LOOK: dict[str, dict[str, Any]] = {
    ALL: {"facecolor": "#5aa4d1", "edgecolor": BLUE},
    "right": {"facecolor": "#a9d3ec", "edgecolor": BLUE, "hatch": "//"},
    "wrong": {"facecolor": "#dd6b78", "edgecolor": RED},
    "no label": {"facecolor": "#c9ccd0", "edgecolor": MUTED},
}


def draw_histogram(axes: Axes, step: int, parts: dict[str, pl.DataFrame]) -> None:
    """Draw one stage's histogram: the parts of :func:`split_by_label` at that step, one on the other."""
    floor = [0] * BINS
    for name, part in parts.items():
        counts = histogram(part["weight"])
        bins = [place for place in range(BINS) if counts[place]]
        axes.bar(
            [place / BINS for place in bins],
            [counts[place] for place in bins],
            1 / BINS,
            bottom=[floor[place] for place in bins],
            align="edge",
            linewidth=0.6,
            label=name,
            **_LOOK[name],
        )
        floor = [low + count for low, count in zip(floor, counts, strict=True)]
    mean = show.mean(pl.concat([part["weight"] for part in parts.values()]).to_list())
    axes.set_title(f"iteration {step:,}")
    axes.set_title(f"mean {show.number(mean, 2)}", loc="right", color=MUTED, weight="normal", size=9)
    axes.set_xlim(0, 1)
    axes.grid(visible=False, axis="x")
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "¼", "½", "¾", "1"])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


@styled()
def weights_by_kind(weights: pl.DataFrame, examples: pl.DataFrame, narrow: bool = False) -> Figure:
    """Mean weight by kind of turn over training, a line per kind, the ten commonest kinds at most.

    Args:
        weights: columns example, step, weight: all recorded snapshots.
        examples: columns example, kind.
    Raises: ValueError: if there is no weight to show.
    """
    means = mean_by_kind(weights, examples).drop_nulls("weight")
    if means.is_empty():
        raise ValueError("no weight belongs to an example; there is nothing to show")
    kinds = means["kind"].unique(maintain_order=True).to_list()
    looks = line_styles([f"{place} {kind}" for place, kind in enumerate(kinds)])
    height = 3.9
    figure = new_figure(3.2 if narrow else height, narrow)
    axes = figure.subplots()
    axes.set_ylim(-0.02, 1.02)
    ends = []
    for kind, look in zip(kinds, looks.values(), strict=True):
        line = means.filter(pl.col("kind") == kind)
        steps, values = line["step"].to_list(), line["weight"].to_list()
        axes.plot(steps, values, color=look.colour, linestyle=look.dashes, linewidth=1.7, marker=_marker(steps))
        ends.append((steps[-1], values[-1], show.one_line(kind, 30), look.colour))
    axes.set_xlim(min(0, *means["step"]), max(means["step"]) * 1.01 or 1)
    axes.set_title("mean weight")
    axes.set_xlabel("iteration")
    if narrow:
        names = [show.one_line(kind, 34) for kind in kinds]
        legend_below(figure, dict(zip(names, looks.values(), strict=True)))
    else:
        label_ends(axes, ends, height - 0.8)
    return figure


@styled()
def learning_curves(runs: Sequence[Run], measure: str = RESPONSES, narrow: bool = False) -> Figure:
    """The measure on validation dialogs over iterations, a line per method, a panel per number of primary dialogs.

    Thin lines are single seeds; the thick one is their mean as long as all of them train. Where there is only
    one seed a dot marks the model that is kept. The scale leaves out the first climb.

    Args:
        runs: as :func:`tasksieve.report.reading.read_run` gives them; those without metrics are left out.
        measure: that their models were selected by.
        narrow: whether it is for a phone.
    Raises: ValueError: if no run has metrics.
    """
    drawn = [run for run in runs if _curve(run)]
    if not drawn:
        raise ValueError("no run has metrics; there is nothing to show")
    looks = line_styles([run.method for run in runs])
    sizes = sorted({run.size for run in drawn}, key=lambda size: size or math.inf)
    height = (2.8 if narrow else 3.6) if len(sizes) == 1 else (2.3 if narrow else 2.9)
    figure = new_figure(height * len(sizes), narrow)
    panels = figure.subplots(len(sizes), 1, squeeze=False, sharex=True).flatten().tolist()
    for axes, size in zip(panels, sizes, strict=True):
        title = f"validation {wording(measure).name}, %"
        if len(sizes) > 1:
            dialogs = f"{'all' if size is None else size} primary dialogs"
            title = dialogs if narrow else f"{dialogs}: {title}"
        axes.set_title(title)
        _curves_panel(axes, [run for run in drawn if run.size == size], looks, height - 0.7)
    panels[-1].set_xlabel("iteration")
    if narrow:
        legend_below(figure, {show.one_line(run.method, 24): looks[run.method] for run in drawn})
    panels[-1].set_xlim(0, max(max(_curve(run)) for run in drawn) * 1.01 or 1)
    return figure


def _curve(run: Run) -> dict[int, float]:
    points = ((line["step"], line.get("valid_accuracy")) for line in run.metrics if "step" in line)
    return {step: value for step, value in points if value is not None and math.isfinite(value)}


def _curves_panel(axes: Axes, runs: Sequence[Run], looks: dict[str, LineStyle], height: float) -> None:
    ends = []
    for method in dict.fromkeys(run.method for run in runs):
        look = looks[method]
        of_method = [run for run in runs if run.method == method]
        curves = [_curve(run) for run in of_method]
        shared = sorted(set.intersection(*(set(curve) for curve in curves)))
        thin = len(curves) > 1
        if thin:
            for curve in curves:
                axes.plot(*_points(curve), color=look.colour, linewidth=0.6, alpha=0.35)
        if shared:
            means = [sum(curve[step] for curve in curves) / len(curves) for step in shared]
            axes.plot(shared, means, color=look.colour, linestyle=look.dashes, linewidth=1.9, marker=_marker(shared))
            ends.append((shared[-1], means[-1], show.one_line(method, 24), look.colour))
        if not thin:
            kept = _kept(curves[0], of_method[0].keep)
            axes.plot(kept, curves[0][kept], "o", markersize=5.5, color=look.colour, markeredgecolor="white")
    _curve_limits(axes, [_curve(run) for run in runs])
    figure = axes.get_figure()
    if not (isinstance(figure, Figure) and is_narrow(figure)):
        label_ends(axes, ends, height)


def _kept(curve: dict[int, float], keep: str) -> int:
    """The iteration of the model that is kept: the last, or the first of the best."""
    return max(curve) if keep == "last" else max(curve, key=lambda step: (curve[step], -step))


def _curve_limits(axes: Axes, curves: Sequence[dict[int, float]]) -> None:
    """From the lowest curve's lower quartile up: its first climb is cut off."""
    low = min(sorted(curve.values())[len(curve) // 4] for curve in curves)
    high = max(max(curve.values()) for curve in curves)
    margin = 0.12 * (high - low) or 1.0
    axes.set_ylim(low - margin, high + margin)


def _points(curve: dict[int, float]) -> tuple[list[int], list[float]]:
    steps = sorted(curve)
    return steps, [curve[step] for step in steps]


def new_figure(height: float, narrow: bool = False) -> Figure:
    """An empty figure of the usual width, or of a phone's; ``height`` in inches."""
    return Figure(figsize=(NARROW if narrow else WIDE, height), layout=ConstrainedLayoutEngine(h_pad=0.1, w_pad=0.07))


def _marker(points: Sequence[int]) -> str:
    return "o" if len(points) == 1 else "None"
