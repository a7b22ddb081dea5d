"""The dialogs of an audit, and their contexts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasksieve.dialogs import Dialog, Turn

PRIMARY, VALID, TEST = "primary", "valid", "test"


@dataclass(frozen=True, slots=True)
class Splits:
    """Training, validation and test dialogs of the primary task, and training dialogs of related ones."""

    primary: Sequence[Dialog]
    related: tuple[Sequence[Dialog], ...] = ()
    valid: Sequence[Dialog] | None = None
    test: Sequence[Dialog] | None = None

    def named_related(self) -> Iterator[tuple[str, Sequence[Dialog]]]:
        """(name, dialogs) of each related task: ``related``, or ``related-1``, … if there are several."""
        for number, dialogs in enumerate(self.related, start=1):
            yield "related" if len(self.related) == 1 else f"related-{number}", dialogs

    def held_out(self) -> Iterator[tuple[str, Sequence[Dialog]]]:
        """(name, dialogs) of the splits that nothing is learned from."""
        for name, dialogs in ((VALID, self.valid), (TEST, self.test)):
            if dialogs is not None:
                yield name, dialogs

    def all(self) -> Iterator[tuple[str, Sequence[Dialog]]]:
        """(name, dialogs) of every split."""
        yield PRIMARY, self.primary
        yield from self.held_out()
        yield from self.named_related()


@dataclass(frozen=True, slots=True)
class Size:
    """How much a split holds; ``responses`` counts distinct ones."""

    split: str
    dialogs: int
    turns: int
    facts: int
    responses: int


def size_of(name: str, dialogs: Sequence[Dialog]) -> Size:
    """Count a split's dialogs, turns, facts and distinct responses."""
    turns = sum(len(dialog.turns) for dialog in dialogs)
    facts = sum(len(dialog.events) for dialog in dialogs) - turns
    responses = {turn.system for dialog in dialogs for turn in dialog.turns}
    return Size(name, len(dialogs), turns, facts, len(responses))


@dataclass(frozen=True, slots=True)
class Example:
    """One turn with what came before it.

    Attributes:
        context: a number that equal whole contexts share: profile, facts and turns so far, and the utterance.
        exchange: the system's response before, and the user's utterance, in lower case.
        turn: the turn itself.
    """

    context: int
    exchange: tuple[str, str]
    turn: Turn


def examples(dialogs: Sequence[Dialog]) -> Iterator[Example]:
    """Every turn of every dialog with its contexts."""
    for dialog in dialogs:
        so_far, before = hash(dialog.profile), ""
        for event in dialog.events:
            if isinstance(event, Turn):
                yield Example(hash((so_far, event.user)), (before.lower(), event.user.lower()), event)
                before = event.system
            so_far = hash((so_far, event))


def share(part: int, whole: int) -> float:
    """A share in per cent; 0 of nothing."""
    return 100.0 * part / whole if whole else 0.0
