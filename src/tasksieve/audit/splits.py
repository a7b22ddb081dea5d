"""The dialogs of an audit, and their contexts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tasksieve.audit.facts import facts_seen
from tasksieve.dialogs import Dialog, Turn
from tasksieve.encoding import Names, Reader, Reading, Slots, action_of, names_of, slots_of
from tasksieve.encoding.fillable import fillable
from tasksieve.records.model_config import SLOT_ACTS, MemoryNetworkConfig, ModelConfig, Predicted

PRIMARY, VALID, TEST = "primary", "valid", "test"


@dataclass(frozen=True, slots=True)
class Splits:
    """Training, validation and test dialogs of the primary task, and training dialogs of related ones.

    Attributes:
        names: of the related tasks; without them ``related``, or ``related-1``, … if there are several.
    """

    primary: Sequence[Dialog]
    related: tuple[Sequence[Dialog], ...] = ()
    valid: Sequence[Dialog] | None = None
    test: Sequence[Dialog] | None = None
    names: tuple[str, ...] = ()

    def related_names(self) -> tuple[str, ...]:
        """The name of each related task."""
        count = len(self.related)
        return self.names or (("related",) if count == 1 else tuple(f"related-{n + 1}" for n in range(count)))

    def named_related(self) -> Iterator[tuple[str, Sequence[Dialog]]]:
        """(name, dialogs) of each related task."""
        yield from zip(self.related_names(), self.related, strict=True)

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
class Use:
    """What training is to do with dialogs.

    Attributes:
        predict: what is predicted.
        slot_acts: the acts whose slot is part of an action.
        model: how it reads them.
    """

    predict: Predicted = "responses"
    slot_acts: tuple[str, ...] = SLOT_ACTS
    model: ModelConfig = field(default_factory=MemoryNetworkConfig)

    def predicted(self, turn: Turn) -> str:
        """What is predicted of a turn as it stands in the dialogs; empty if they do not say."""
        return turn.system if self.predict == "responses" else action_of(turn.acts, self.slot_acts)

    def told(self, names: Names) -> Names | None:
        """The names that a model is told of; None if it describes no entity."""
        return None if self.model.entities == "names" else names

    def reader(self, names: Names, slots: Slots | None) -> Reader:
        """What reads the dialogs of a task with these names and gaps."""
        return Reader(self.model.facts, self.told(names), self.predict, self.slot_acts, slots)

    def slots(self, splits: Splits, names: Sequence[Names]) -> Slots:
        """The gaps for values, as training finds them: if actions are predicted, in the primary task alone.

        Args:
            splits: the dialogs.
            names: of the primary task, then of each related one.
        """
        reserved = frozenset[str]().union(*(told.gaps() for each in names if (told := self.told(each)) is not None))
        related = () if self.predict == "actions" else splits.related
        return slots_of(splits.primary, splits.valid or (), *related, reserved=reserved)


@dataclass(frozen=True, slots=True)
class ReadSplits:
    """The dialogs of an audit as a model reads them, the names of each task, and the gaps for values."""

    primary: Sequence[Reading]
    valid: Sequence[Reading] | None
    test: Sequence[Reading] | None
    names: Names
    slots: Slots
    related: tuple[Sequence[Reading], ...] = ()
    related_names: tuple[Names, ...] = ()

    @classmethod
    def of(cls, splits: Splits, use: Use) -> ReadSplits:
        """Read every dialog once, as training does."""
        own, *others = names = names_of([*splits.primary, *(splits.valid or ())], *splits.related)
        slots = use.slots(splits, names)
        theirs = None if use.predict == "actions" else slots
        related = zip(others, splits.related, strict=True)
        read = tuple(use.reader(each, theirs).read(dialogs) for each, dialogs in related)
        return cls(*_own(splits, use.reader(own, slots)), own, slots, read, tuple(others))

    def other(self, splits: Splits, use: Use) -> ReadSplits:
        """The dialogs of the primary task read for another use, without related ones."""
        return ReadSplits(*_own(splits, use.reader(self.names, self.slots)), self.names, self.slots)

    def held_out(self) -> Iterator[tuple[str, Sequence[Reading]]]:
        """(name, dialogs) of the splits that nothing is learned from."""
        for name, readings in ((VALID, self.valid), (TEST, self.test)):
            if readings is not None:
                yield name, readings

    def all(self) -> Iterator[tuple[Names, Sequence[Reading]]]:
        """(names of the task, dialogs) of every split, in the order of :meth:`Splits.all`."""
        yield self.names, self.primary
        yield from ((self.names, readings) for _, readings in self.held_out())
        yield from zip(self.related_names, self.related, strict=True)


def _own(
    splits: Splits, reader: Reader
) -> tuple[Sequence[Reading], Sequence[Reading] | None, Sequence[Reading] | None]:
    """Training, validation and test dialogs of the primary task as a model reads them."""
    valid, test = (None if dialogs is None else reader.read(dialogs) for dialogs in (splits.valid, splits.test))
    return reader.read(splits.primary), valid, test


@dataclass(frozen=True, slots=True)
class Size:
    """How much a split holds.

    Attributes:
        split: its name.
        dialogs, turns: how many.
        facts: fields of its records that say something, and notes: how many are ``given``, and how many of them the
            model has ``seen``: in its memory at some turn, or as a description of an entity to choose.
        responses: distinct ones.
        annotated: turns that say what the system does.
        learned: turns to learn from, or to measure.
        without_action: those of them that do not say what the system does: nothing is learned from them where
            actions are predicted.
        actions: distinct ones.
        values: turns that say a value, as ``said``, and those of them whose values can all be filled in from their
            own dialog, as ``filled``; None where that is not known.
    """

    split: str
    dialogs: int
    turns: int
    facts: dict[str, int]
    responses: int
    annotated: int
    actions: int
    learned: int = 0
    without_action: int = 0
    values: dict[str, int] | None = None


def sizes_of(splits: Splits, read: ReadSplits, use: Use) -> tuple[Size, ...]:
    """Count every split's dialogs, turns, facts, distinct responses and actions, and the turns that say values."""
    return tuple(
        _size_of(name, dialogs, readings, names, use)
        for (name, dialogs), (names, readings) in zip(splits.all(), read.all(), strict=True)
    )


def _values_of(readings: Sequence[Reading]) -> dict[str, int] | None:
    if all(turn.gapped is None for reading in readings for turn in reading.learned):
        return None
    found = fillable(readings)
    return {"said": found["turns"], "filled": found["fillable"]}


def _size_of(
    name: str,
    dialogs: Sequence[Dialog],
    readings: Sequence[Reading],
    names: Names,
    use: Use,
) -> Size:
    turns = [turn for dialog in dialogs for turn in dialog.turns]
    actions = [action for turn in turns if (action := action_of(turn.acts, use.slot_acts))]
    pairs = zip(dialogs, readings, strict=True)
    described = None if use.model.entities == "names" else names
    seen = sum(facts_seen(dialog, reading, described, use.model.max_memories) for dialog, reading in pairs)
    return Size(
        split=name,
        dialogs=len(dialogs),
        turns=len(turns),
        facts={"given": sum(reading.given for reading in readings), "seen": seen},
        responses=len({turn.system for turn in turns}),
        annotated=len(actions),
        actions=len(set(actions)),
        learned=sum(turn.learned > 0 for turn in turns),
        without_action=sum(turn.learned > 0 and not turn.acts for turn in turns),
        values=_values_of(readings),
    )


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
