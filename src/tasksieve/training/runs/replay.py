"""A trained model in a dialog that was led already: it hears what the user said, and answers for itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasksieve.dialogs import Dialog, Note, Record, Turn
from tasksieve.encoding import action_of
from tasksieve.training.runs.answers import Answer, NothingToSay
from tasksieve.training.runs.conversation import Conversation
from tasksieve.training.runs.trained_model import TrainedModel


@dataclass(frozen=True, slots=True)
class Replayed:
    """One turn of a replayed dialog.

    Attributes:
        told: what tools answered just before it.
        user: what the user said.
        answer: of the model; None if it had nothing to say, in which case the turn was taken as it was.
        turn: as it was in the dialog.
        action: that the dialog's own system did; empty if the dialog does not say.
    """

    told: tuple[Record | Note, ...]
    user: str
    answer: Answer | None
    turn: Turn
    action: str


def replay(trained: TrainedModel, dialog: Dialog, slot_acts: Sequence[str]) -> Iterator[Replayed]:
    """Let a model answer every turn of a dialog, its own answers being what it remembers of having said.

    Users and tools do what they did in the dialog, whatever the model answers.

    Args:
        trained: who answers.
        dialog: with what its users said and its tools answered.
        slot_acts: the acts whose slot is part of an action.
    """
    conversation = Conversation(trained, profile=dialog.profile)
    told: list[Record | Note] = []
    for event in dialog.events:
        if not isinstance(event, Turn):
            conversation.tell(event)
            told.append(event)
            continue
        answer = None
        try:
            answer = conversation.say(event.user, top=1)[0]
        except NothingToSay:
            conversation.tell(event)
        yield Replayed(tuple(told), event.user, answer, event, action_of(event.acts, slot_acts))
        told.clear()
