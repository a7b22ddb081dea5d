"""Training, validation and test dialogs drawn from the dialogs of one file."""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence

from tasksieve.dialogs.dialog import Dialog
from tasksieve.records.counts import plural
from tasksieve.records.shares import shares_of

_PARTS = 3

Parts = tuple[list[Dialog], list[Dialog], list[Dialog]]
"""Training, validation and test dialogs."""


def said_and_told(dialog: Dialog) -> Hashable:
    """What two dialogs have in common that are the same, wherever they stand."""
    return dialog.profile, dialog.events


def draw_splits(dialogs: Sequence[Dialog], split: str, seed: int = 0) -> Parts:
    """Draw three splits that hold every dialog once, shuffled; dialogs that are the same come into the same one.

    Sizes are right to within one dialog, as far as dialogs that are the same let them; no split is empty.

    Args:
        dialogs: of one task, at least three different ones.
        split: shares in per cent, such as ``60/20/20``.
        seed: the same dialogs with the same seed are drawn in the same way.
    Raises: ValueError: if there are fewer, or ``split`` is none.
    """
    groups: dict[Hashable, list[Dialog]] = {}
    for dialog in dialogs:
        groups.setdefault(said_and_told(dialog), []).append(dialog)
    if len(groups) < _PARTS:
        raise ValueError(f"holds {plural(len(groups), 'different dialog')}, too few for three splits")
    drawn = list(groups.values())
    random.Random(seed).shuffle(drawn)
    room = _sizes(len(dialogs), shares_of(split))
    wanted, places = list(room), [0] * len(drawn)
    order = sorted(range(len(drawn)), key=lambda group: -len(drawn[group]))
    for done, group in enumerate(order):
        places[group] = _place(len(drawn[group]), room, wanted, len(order) - done)
        room[places[group]] -= len(drawn[group])
    parts: Parts = ([], [], [])
    for place, same in zip(places, drawn, strict=True):
        parts[place].extend(same)
    return parts


def _sizes(count: int, shares: Sequence[int]) -> list[int]:
    """Whole numbers with this sum, each within one of its share, and none 0."""
    exact = [count * share / 100 for share in shares]
    sizes = [int(size) for size in exact]
    for place in sorted(range(len(sizes)), key=lambda place: sizes[place] - exact[place])[: count - sum(sizes)]:
        sizes[place] += 1
    while 0 in sizes:
        sizes[sizes.index(max(sizes))] -= 1
        sizes[sizes.index(0)] += 1
    return sizes


def _place(size: int, room: Sequence[int], wanted: Sequence[int], left: int) -> int:
    """Where dialogs that are the same go: where most is missing, if they find room; where nothing is, in time."""
    empty = [place for place, free in enumerate(room) if free == wanted[place]]
    places = empty if len(empty) >= left else list(range(len(room)))
    fitting = [place for place in places if room[place] >= size] or places
    return max(fitting, key=lambda place: (room[place] / wanted[place], wanted[place], -place))
