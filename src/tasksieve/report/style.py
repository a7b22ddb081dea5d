"""How every figure looks: type, colours that colour-blind readers can tell apart, line labels."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

INK = "#262b31"
MUTED = "#626a73"
BLUE = "#0072b2"
RED = "#c8102e"

_STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#9aa1a8",
    "axes.grid": True,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "grid.color": "#e8e8e6",
    "grid.linewidth": 0.7,
    "hatch.linewidth": 0.7,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "tasksieve",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": "#9aa1a8",
    "xtick.labelcolor": MUTED,
    "ytick.color": "#9aa1a8",
    "ytick.labelcolor": MUTED,
    "ytick.major.size": 0,
}

_COLOURS = ("#d55e00", "#00856a", "#a8538a", "#946200", "#3a9bdc", "#5b4a9b", "#7a7a7a")
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
_FIXED = {"primary": INK, "learned": BLUE}

Dash = str | tuple[float, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class LineStyle:
    """Colour and dashes of one line: either tells it from its neighbours."""

    colour: str
    dashes: Dash


@contextmanager
def styled() -> Iterator[None]:
    """Draw inside this: a user's own matplotlib settings neither change a figure nor are changed by it."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def line_styles(names: Sequence[str]) -> dict[str, LineStyle]:
    """A style for each name, in order; `primary` is always ink and `learned` always blue, both solid."""
    styles: dict[str, LineStyle] = {}
    others = 0
    for name in dict.fromkeys(names):
        if name in _FIXED:
            styles[name] = LineStyle(_FIXED[name], "-")
            continue
        dash = others + 2 * (others // len(_COLOURS)) + 1
        styles[name] = LineStyle(_COLOURS[others % len(_COLOURS)], _DASHES[dash % len(_DASHES)])
        others += 1
    return styles


def spread(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move values apart, as little as it takes, until neighbours are ``gap`` from each other.

    Returns: the moved values, in the given order, all within low to high.
    """
    order = sorted(range(len(values)), key=lambda index: values[index])
    gap = min(gap, (high - low) / max(len(values) - 1, 1))
    blocks: list[tuple[float, int]] = []  # the mean of a block's lowest place, and how many labels it holds
    for index in order:
        start, count = values[index], 1
        while blocks and start < blocks[-1][0] + gap * blocks[-1][1]:
            before, held = blocks.pop()
            start = (before * held + (start - gap * held) * count) / (held + count)
            count += held
        blocks.append((start, count))
    placed = [start + gap * step for start, count in blocks for step in range(count)]
    for place in range(len(placed)):
        placed[place] = max(placed[place], low + gap * place)
    for place in reversed(range(len(placed))):
        placed[place] = min(placed[place], high - gap * (len(placed) - 1 - place))
    moved = [0.0] * len(values)
    for index, place_value in zip(order, placed, strict=True):
        moved[index] = place_value
    return moved


WIDE, NARROW = 9.0, 4.1
"""Inches: of a figure at a desk and on a phone."""


def is_narrow(figure: Figure) -> bool:
    """Whether a figure is for a phone."""
    return figure.get_figwidth() < (WIDE + NARROW) / 2


def legend_below(figure: Figure, looks: Mapping[str, LineStyle]) -> None:
    """Say under a narrow figure which line is which; it grows by what that takes."""
    columns = 2 if max(map(len, looks)) <= 18 else 1
    figure.set_figheight(figure.get_figheight() + _LEGEND_ROW * math.ceil(len(looks) / columns))
    handles = [
        Line2D([], [], color=look.colour, linestyle=look.dashes, linewidth=1.9, label="line")  # type: ignore[arg-type]
        for look in looks.values()
    ]
    legend = figure.legend(
        handles=handles, loc="outside lower left", ncols=columns, handlelength=2.6, borderaxespad=0
    )
    for text, name in zip(legend.get_texts(), looks, strict=True):
        text.set_text(name)  # as a label it would be left out if it began with an underscore


_LEGEND_ROW = 0.19


def label_ends(axes: Axes, ends: Sequence[tuple[float, float, str, str]], height: float) -> None:
    """Write names at the right of the axes, each beside the end of its line and joined to it.

    Args:
        axes: with its limits set.
        ends: x and y of a line's last point, its name and its colour.
        height: of the axes in inches, about.
    """
    low, high = axes.get_ylim()
    margin = axes.get_yaxis_transform()
    gap = (high - low) * 0.165 / height
    places = spread([y for _, y, _, _ in ends], gap, low, high)
    for (x, y, name, colour), place in zip(ends, places, strict=True):
        axes.text(1.035, place, name, transform=margin, va="center", color=colour)
        joint = {"arrowstyle": "-", "color": colour, "linewidth": 0.6, "alpha": 0.45}
        axes.annotate(
            "",
            xy=(x, y),
            xytext=(1.025, place),
            textcoords=margin,
            annotation_clip=False,
            arrowprops={**joint, "patchA": None, "shrinkA": 0, "shrinkB": 0},
        )


def svg_text(figure: Figure, name: str) -> str:
    """The figure as one ``<svg>`` element to stand inside a page, the same bytes every time.

    Args:
        figure: as the functions of :mod:`tasksieve.report.figures` give it.
        name: keeps the ids of this figure apart from those of others on the page.
    """
    buffer = BytesIO()
    with styled(), matplotlib.rc_context({"svg.hashsalt": f"tasksieve {name}"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue().decode("utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    opening, rest = text.split(">", 1)
    opening = re.sub(r'\s(?:xmlns(?::\w+)?|width|height|version)="[^"]*"', "", opening)
    used = set(re.findall(r"(?:url\(#|href=\"#)([^\")]+)", rest))
    rest = re.sub(r'\sid="([^"]*)"', lambda found: found[0] if found[1] in used else "", rest)
    return f"{opening}>" + re.sub(r">\s+<", "><", rest).strip()


def write_figure(figure: Figure, path: Path, kind: str) -> None:
    """Write one file: ``kind`` is png (150 dpi) or svg."""
    metadata: dict[str, Any] = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
    with styled():
        figure.savefig(path, format=kind, dpi=150, metadata=metadata)
