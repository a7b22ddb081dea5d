"""Answers with a value that their conversation does not hold: somebody else's data. There must be none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
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


@dataclass(frozen=True, slots=True)
class Given:
    """A turn as it was answered.

    Attributes:
        number, place: of its dialog among all, and of the turn among those of its dialog, from 0.
        dialog: that one.
        before: what came before the turn.
        turn: to learn from.
        answer: None if there was none.
    """

    number: int
    place: int
    dialog: Dialog
    before: tuple[Turn | Record | Note, ...]
    turn: Turn
    answer: Answer | None

    @property
    def text(self) -> str | None:
        """Of the answer."""
        return None if self.answer is None else self.answer.text


def answered(trained: Answering, dialogs: Sequence[Dialog]) -> Iterator[Given]:
    """Answer every turn of some dialogs that is to learn from, as they were up to it.

    Args:
        trained: who answers.
        dialogs: of the primary task.
    """
    for number, dialog in enumerate(dialogs):
        turns = (place for place, event in enumerate(dialog.events) if isinstance(event, Turn))
        for place, at in enumerate(turns):
            before, turn = dialog.events[:at], dialog.events[at]
            assert isinstance(turn, Turn)
            if not turn.learned:
                continue
            answer = None
            with suppress(NothingToSay):
                answer = trained.answer(before, turn.user, profile=dialog.profile, top=1)[0]
            yield Given(number, place, dialog, before, turn, answer)


def count_foreign(trained: Answering, dialogs: Sequence[Dialog]) -> ForeignValues:
    """Answer every turn of some dialogs, as they were up to it, and look for values that are somebody else's.

    Args:
        trained: who answers.
        dialogs: of the primary task.
    """
    return foreign_among(answered(trained, dialogs), trained.encoding.reader.slots)


def foreign_among(answers: Iterable[Given], slots: Slots | None) -> ForeignValues:
    """Look in answers for values that are somebody else's.

    Args:
        answers: as :func:`answered` gives them.
        slots: what is policy.
    """
    given = unanswered = 0
    found: list[tuple[str, str]] = []
    for one in answers:
        text = one.text
        if text is None:
            unanswered += 1
            continue
        given += 1
        foreign = foreign_values(text, (*one.before, Turn(one.turn.user, "")), one.dialog.profile, slots)
        found += [(foreign[0], text)] if foreign else []
    return ForeignValues(given, len(found), unanswered, tuple(found[:_SHOWN]))
