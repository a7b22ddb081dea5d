"""Turns without an action: where actions are predicted nothing is learned from them, which is never kept quiet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Part = Literal["primary", "valid", "test", "related"]
_SHOWN = 3
"""So many files are named, those with the most such turns."""
_TELLS: dict[Part, tuple[str, str]] = {
    "related": ("related", "teach nothing"),
    "primary": ("training", "teach nothing"),
    "valid": ("validation", "judge nothing"),
    "test": ("test", "are not measured"),
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many turns of a file have no action.

    Attributes:
        part: what the file is for.
        file: its path, or a name where no path is known.
        without: turns to learn from, or to measure, that have no action.
        turns: all turns to learn from, or to measure.
    """

    part: Part
    file: str
    without: int
    turns: int


def only_left_out(found: Sequence[LeftOut]) -> tuple[LeftOut, ...]:
    """All files of the parts in which something is left out."""
    lacking = {one.part for one in found if one.without}
    return tuple(one for one in found if one.part in lacking)


def left_out_sentences(found: Sequence[LeftOut]) -> list[str]:
    """What is left out, a sentence for each part of the data that lacks something.

    Args:
        found: of every file.

    >>> left_out_sentences([LeftOut("related", "clinic.json", 296, 356)])
    ['296 of 356 related turns have no action and teach nothing (clinic.json)']
    """
    sentences = []
    for part, (name, effect) in _TELLS.items():
        here = [one for one in found if one.part == part]
        lacking = sorted((one for one in here if one.without), key=lambda one: -one.without)
        if lacking:
            without, turns = sum(one.without for one in lacking), sum(one.turns for one in here)
            said = f"{without:,} of {turns:,} {name} turns have no action and {effect}"
            sentences.append(f"{said} ({_files(lacking, single=len(here) == 1)})")
    return sentences


def _files(lacking: Sequence[LeftOut], *, single: bool) -> str:
    if single:
        return lacking[0].file
    shown = [f"{one.file}: {one.without:,} of {one.turns:,}" for one in lacking[:_SHOWN]]
    more = len(lacking) - len(shown)
    return "; ".join([*shown, *([f"and {more:,} more files"] if more else [])])
