"""The dialogs of an audit, and their contexts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasksieve.dialogs import Dialog, Turn
from tasksieve.encoding import Names, Reader, Reading, names_of

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
class ReadSplits:
    """The dialogs of an audit as a model reads them, and the names of each task."""

    primary: Sequence[Reading]
    related: tuple[Sequence[Reading], ...]
    valid: Sequence[Reading] | None
    test: Sequence[Reading] | None
    names: Names
    related_names: tuple[Names, ...]

    @classmethod
    def of(cls, splits: Splits) -> ReadSplits:
        """Read every dialog once, as training does by default."""
        own, *others = names_of([*splits.primary, *(splits.valid or ())], *splits.related)
        reader = Reader(names=own)
        related = zip(others, splits.related, strict=True)
        return cls(
            reader.read(splits.primary),
            tuple(Reader(names=names).read(dialogs) for names, dialogs in related),
            None if splits.valid is None else reader.read(splits.valid),
            None if splits.test is None else reader.read(splits.test),
            own,
            tuple(others),
        )

    def held_out(self) -> Iterator[tuple[str, Sequence[Reading]]]:
        """(name, dialogs) of the splits that nothing is learned from."""
        for name, readings in ((VALID, self.valid), (TEST, self.test)):
            if readings is not None:
                yield name, readings

    def all(self) -> Iterator[tuple[str, Sequence[Reading]]]:
        """(name, dialogs) of every split, in the order of :meth:`Splits.all`."""
        yield PRIMARY, self.primary
        yield from self.held_out()
        for number, readings in enumerate(self.related, start=1):
            yield "related" if len(self.related) == 1 else f"related-{number}", readings


@dataclass(frozen=True, slots=True)
class Size:
    """How much a split holds.

    Attributes:
        split: its name.
        dialogs, turns: how many.
        facts: fields of its records that say something, and notes: how many are ``given``, and how many of them the
            model has ``seen`` in its memory at any turn.
        responses: distinct ones.
    """

    split: str
    dialogs: int
    turns: int
    facts: dict[str, int]
    responses: int


def size_of(name: str, readings: Sequence[Reading]) -> Size:
    """Count a split's dialogs, turns, facts and distinct responses."""
    turns = [turn.said for reading in readings for turn in reading.turns]
    given, seen = (sum(counts) for counts in zip(*((r.given, r.seen) for r in readings), strict=True))
    responses = {turn.system for turn in turns}
    return Size(name, len(readings), len(turns), {"given": given, "seen": seen}, len(responses))


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
