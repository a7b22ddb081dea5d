"""Figures on a page: each is drawn twice, once for a desk and once for a phone, and the page shows one of them."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from tasksieve.report.blocks import Picture
from tasksieve.report.style import svg_text

Draw = Callable[[bool], Figure]
"""Draws a figure; narrow for a phone if so told."""


def picture(draw: Draw, name: str, label: str) -> Picture:
    """A figure as a block.

    Args:
        draw: the figure.
        name: of the figure on the page.
        label: what it shows, for readers who cannot see it.
    Raises: ValueError: if there is nothing to draw.
    """
    return Picture(svg_text(draw(False), name), svg_text(draw(True), f"{name}-narrow"), label)
