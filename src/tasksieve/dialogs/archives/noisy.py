"""Dialogs whose responses were shuffled among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from tasksieve.dialogs.dialog import Dialog, Turn


def noisy(dialogs: Sequence[Dialog], seed: str) -> list[Dialog]:
    """Shuffle the responses of one service among all turns of all its dialogs.

    A response takes along its acts and the places of its values. What the user says, whether a turn is learned from,
    records, notes and profiles stay where they are, so that a dialog has as many turns as before, and the service has
    every response as often as before. Any order is as likely as any other one: a response may stay in its place.

    Args:
        dialogs: of one service.
        seed: what the order follows from.
    """
    responses = [turn for dialog in dialogs for turn in dialog.turns]
    Random(f"noisy {seed}").shuffle(responses)
    following = iter(responses)
    return [_shuffled(dialog, following) for dialog in dialogs]


def _shuffled(dialog: Dialog, responses: Iterator[Turn]) -> Dialog:
    """A dialog whose turns have the responses that come next."""
    events = (answered(event, next(responses)) if isinstance(event, Turn) else event for event in dialog.events)
    return replace(dialog, events=tuple(events))


def answered(turn: Turn, response: Turn) -> Turn:
    """A turn with the response of another one, its acts and places of values included."""
    return replace(response, user=turn.user, learned=turn.learned)
