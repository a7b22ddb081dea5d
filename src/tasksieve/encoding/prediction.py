"""What is predicted of a task's turns: what the data allow and what suits them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tasksieve.dialogs import Dialog, Turn
from tasksieve.encoding.phrases import bag_of
from tasksieve.records.model_config import Predicted

ANNOTATED = 90.0
"""Per cent of the turns that must say what the system does, for actions to be predicted unasked."""
REPEATED = 50.0
"""Per cent of held-out responses that must be known from training, for responses to be predicted unasked."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is predicted, and why, in a sentence.

    Attributes:
        partly: whether it is responses, though few repeat, as only some of the turns say what the system does.
    """

    what: Predicted
    why: str
    partly: bool = False


def suited(training: Sequence[Dialog], held_out: Sequence[Dialog]) -> Prediction:
    """What suits a primary task.

    Args:
        training: its training dialogs.
        held_out: those that a model is selected by.
    """
    annotated = _share(bool(turn.acts) for part in (training, held_out) for turn in _learned(part))
    known = repeated(training, held_out)
    said = f"{known:.0f} % of the validation responses stand in the training dialogs"
    if annotated >= ANNOTATED and known < REPEATED:
        return Prediction("actions", f"the turns say what the system does, and only {said}")
    if known >= REPEATED:
        return Prediction("responses", said)
    if not annotated:
        return Prediction("responses", f"only 0 % of the turns say what the system does; but only {said}")
    turns = len(_learned(training)) + len(_learned(held_out))
    acting = annotated_turns(training) + annotated_turns(held_out)
    few = f"only {acting:,} of {turns:,} turns say what the system does ({ANNOTATED:.0f} % are wanted for actions; "
    few += "--predict actions learns from these alone)"
    return Prediction("responses", f"{few}; but only {said}", partly=True)


def repeated(training: Sequence[Dialog], held_out: Sequence[Dialog]) -> float:
    """How many of the held-out responses stand in training dialogs word for word, in per cent."""
    known = {bag_of(turn.system) for turn in _learned(training)}
    return _share(bag_of(turn.system) in known for turn in _learned(held_out))


def annotated_turns(dialogs: Iterable[Dialog]) -> int:
    """How many turns to learn from say what the system does."""
    return sum(bool(turn.acts) for turn in _learned(dialogs))


def _learned(dialogs: Iterable[Dialog]) -> list[Turn]:
    return [turn for dialog in dialogs for turn in dialog.turns if turn.learned]


def _share(holds: Iterable[bool]) -> float:
    """How many of them hold, in per cent."""
    found = list(holds)
    return 100.0 * sum(found) / len(found) if found else 0.0
