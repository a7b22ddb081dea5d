"""Dialogs in which some turns have the response of another one: wrong labels of which is known where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from tasksieve.dialogs.archives.noisy import answered
from tasksieve.dialogs.dialog import Dialog, Turn
from tasksieve.dialogs.turn_kinds import OTHER, turn_kind

Place = tuple[int, int]
"""A turn: the number of its dialog, and its own in that, from 0."""


def mislabelled(dialogs: Sequence[Dialog], share: float, seed: str) -> tuple[list[Dialog], frozenset[Place]]:
    """Give a share of the turns, drawn evenly, the response of another turn of the same service.

    The other turn is drawn from those that do something else: whose acts are others; or, if nothing is annotated,
    whose response is, or its kind if its wording tells one. A response takes along its acts and the places of its
    values.

    Args:
        dialogs: of one service.
        share: of the turns that are learned from, 0 to 1.
        seed: what the draw follows from.
    Returns: the dialogs, and the turns that have another response now; fewer than asked for only if all turns say
        the same.
    """
    random = Random(f"mislabelled {seed}")
    turns = {
        (number, place): turn
        for number, dialog in enumerate(dialogs)
        for place, turn in enumerate(dialog.turns)
        if turn.learned
    }
    places = sorted(turns)
    others = list(turns.values())
    drawn = random.sample(places, round(share * len(places)))
    wrong = {place: _other(turns[place], others, random) for place in drawn}
    found = {place: turn for place, turn in wrong.items() if turn is not None}
    return [_with(dialog, number, found) for number, dialog in enumerate(dialogs)], frozenset(found)


def _other(turn: Turn, others: Sequence[Turn], random: Random) -> Turn | None:
    fitting = [other for other in others if _does(other) != _does(turn)]
    return answered(turn, random.choice(fitting)) if fitting else None


def _does(turn: Turn) -> object:
    kind = turn_kind(turn.system)
    return frozenset((act.name, act.slot) for act in turn.acts) or (turn.system if kind == OTHER else kind)


def _with(dialog: Dialog, number: int, wrong: dict[Place, Turn]) -> Dialog:
    """A dialog with its wrong turns in their places."""
    events, place = [], 0
    for event in dialog.events:
        if isinstance(event, Turn):
            event, place = wrong.get((number, place), event), place + 1
        events.append(event)
    return replace(dialog, events=tuple(events))
