"""How many turns say values of their dialog that filling gives back."""

from __future__ import annotations

from collections.abc import Iterable

from tasksieve.encoding.reading import Reading


def fillable(readings: Iterable[Reading]) -> dict[str, int]:
    """How many turns to learn from say values of their dialog, and in how many of them filling gives all back.

    Args:
        readings: of dialogs, read with slots.
    Returns: ``turns`` and ``fillable``.
    """
    gapped = [turn.gapped for reading in readings for turn in reading.learned if turn.gapped is not None]
    having = [found for found in gapped if found.values]
    return {"turns": len(having), "fillable": sum(found.values == found.fillable for found in having)}
