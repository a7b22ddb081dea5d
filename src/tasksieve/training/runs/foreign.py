"""Answers with a value that their conversation does not hold: somebody else's data. There must be none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tasksieve.dialogs import Dialog, Note, Record, Turn
from tasksieve.encoding.held import Held
from tasksieve.encoding.slots import Slots
from tasksieve.training.runs.answers import Answer, NothingToSay
from tasksieve.training.runs.encoding import Encoding

_SHOWN = 5


@runtime_checkable
class Answering(Protocol):
    """Who answers, as :class:`tasksieve.training.runs.trained_model.TrainedModel` does."""

    @property
    def encoding(self) -> Encoding:
        """How it reads dialogs."""

    def answer(
        self, events: Sequence[Turn | Record | Note], user: str, *, profile: Sequence[str] = (), top: int = 5
    ) -> list[Answer]:
        """The best answers. Raises: NothingToSay: if there is none."""


@dataclass(frozen=True, slots=True)
class ForeignValues:
    """How many answers hold a value that their conversation does not.

    Attributes:
        answers: how many were given; a turn at which nothing could be said has none.
        foreign: how many of them hold such a value.
        unanswered: turns at which nothing could be said.
        shown: some of those values, each with its answer.
    """

    answers: int
    foreign: int
    unanswered: int
    shown: tuple[tuple[str, str], ...]


def foreign_values(
    text: str, conversation: Sequence[Turn | Record | Note], profile: Sequence[str] = (), slots: Slots | None = None
) -> list[str]:
    """The values in an answer that its conversation does not hold.

    Args:
        text: the answer.
        conversation: all before it; of a turn without a response, the utterance counts.
        profile: words that describe the user.
        slots: what is policy, and may be said to everybody; by default nothing is.
    """
    return (slots or Slots()).foreign(text, held_by(conversation, profile), filled=True)


def held_by(conversation: Sequence[Turn | Record | Note], profile: Sequence[str] = ()) -> Held:
    """What a conversation holds at its end."""
    held = Held()
    held.profile(profile)
    for event in conversation:
        if isinstance(event, Turn):
            held.hear(event.user)
            held.answer(event.system)
        elif isinstance(event, Note):
            held.note(event.text)
        else:
            held.tell(event)
    return held


def answered(
    trained: Answering, dialogs: Sequence[Dialog]
) -> Iterator[tuple[Dialog, tuple[Turn | Record | Note, ...], Turn, str | None]]:
    """Answer every turn of some dialogs, as they were up to it.

    Args:
        trained: who answers.
        dialogs: of the primary task.
    Returns: for each turn to learn from its dialog, what came before it, itself and the answer; None for none.
    """
    for dialog in dialogs:
        for place, event in enumerate(dialog.events):
            if not isinstance(event, Turn) or not event.learned:
                continue
            before = dialog.events[:place]
            try:
                text = trained.answer(before, event.user, profile=dialog.profile, top=1)[0].text
            except NothingToSay:
                text = None
            yield dialog, before, event, text


def count_foreign(trained: Answering, dialogs: Sequence[Dialog]) -> ForeignValues:
    """Answer every turn of some dialogs, as they were up to it, and look for values that are somebody else's.

    Args:
        trained: who answers.
        dialogs: of the primary task.
    """
    return foreign_among(answered(trained, dialogs), trained.encoding.reader.slots)


def foreign_among(
    answers: Iterable[tuple[Dialog, tuple[Turn | Record | Note, ...], Turn, str | None]], slots: Slots | None
) -> ForeignValues:
    """Look in answers for values that are somebody else's.

    Args:
        answers: as :func:`answered` gives them.
        slots: what is policy.
    """
    given = unanswered = 0
    found: list[tuple[str, str]] = []
    for dialog, before, turn, text in answers:
        if text is None:
            unanswered += 1
            continue
        given += 1
        foreign = foreign_values(text, (*before, Turn(turn.user, "")), dialog.profile, slots)
        found += [(foreign[0], text)] if foreign else []
    return ForeignValues(given, len(found), unanswered, tuple(found[:_SHOWN]))
