"""A dialog whose next response is due, and the words of an action there."""

from __future__ import annotations

from collections.abc import Sequence

from tasksieve.dialogs import Act, Dialog, Note, Record, Turn
from tasksieve.encoding import Reading, Slots
from tasksieve.training.runs.encoding import Encoding

_NOT_SAID = "?"


def due(events: Sequence[Turn | Record | Note], user: str, profile: Sequence[str]) -> Dialog:
    """A dialog whose last turn waits for its response.

    Args:
        events: the dialog so far.
        user: what the user says now.
        profile: words that describe the user.
    """
    return Dialog((*events, Turn(user, _NOT_SAID, acts=(Act(_NOT_SAID),))), tuple(profile))


def worded(encoding: Encoding, action: str, reading: Reading) -> str | None:
    """An action's best wording at the last turn of a dialog; None if it has none that can be said.

    Args:
        encoding: of the run, which predicts actions.
        action: to word.
        reading: of the dialog.
    """
    user = reading.turns[-1].said.user
    before = reading.turns[-2].said.system if len(reading.turns) > 1 else ""
    slots = encoding.reader.slots or Slots()
    return encoding.wordings.said(action, user, before, reading.held, reading.entities, slots)
