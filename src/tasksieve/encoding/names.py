"""Which fields of records give names, told from the dialogs of each task.

A value is a name if it tells one record from others and is said because a record told it: a restaurant's name, its
telephone number, its street address. This is judged for every field of every kind of record, and for every task by
itself. A field gives names if

* it has at least :data:`FEWEST` distinct values,
* records that come together have different ones,
* its value settles at least half of the record's other fields, or one that settles it in turn, as name and telephone
  number of a restaurant do (many have one rating),
* what it says in one word is hardly ever said where no record has told it (``the``, ``4`` are said everywhere).

A task with too few records of a kind to tell takes what all tasks together say of it. Of triples, ``entity relation
value``, the entity is known to tell them apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from tasksieve.dialogs import Dialog, Record, Turn
from tasksieve.dialogs.record import KNOWLEDGE_BASE, NAME
from tasksieve.encoding.phrases import Phrases, phrase_of

ENTITY = "<entity>"
"""What stands for an entity's first name."""
FEWEST = 10
"""Distinct values of a field."""
_SETTLED = 0.95
_ALIKE = 0.2
_ORDINARY = 0.1
"""Of all that is said of a field's values, one-word values that no record has told of are a smaller share."""

FieldPath = tuple[str, str]
"""Kind of record, and path to a field in lower case."""


def placeholder(path: str) -> str:
    """What stands for an entity's own value of a field."""
    return f"<{'_'.join(path.split())}>"


@dataclass(frozen=True, slots=True)
class Names:
    """The fields that give names in one task.

    Attributes:
        fields: by kind of record; the first names the record itself, and stands as :data:`ENTITY` in templates.
        refused: fields whose values look like names and are none, or kinds of which no response names one, with the
            reason.
    """

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: tuple[tuple[str, str, str], ...] = ()

    def gaps(self) -> frozenset[str]:
        """All placeholders that templates may have."""
        others = (placeholder(path) for paths in self.fields.values() for path in paths[1:])
        return frozenset((ENTITY, *others)) if self.fields else frozenset()

    def gap_of(self, kind: str, path: str) -> str | None:
        """What stands for a field's value; None if it is no name."""
        paths = self.fields.get(kind, ())
        if path not in paths:
            return None
        return ENTITY if path == paths[0] else placeholder(path)

    def sentence(self) -> str:
        """What was decided, for people.

        >>> Names({"Hotels_1": ("hotel_name",)}, (("kb", "name", "said everywhere"),)).sentence()
        'names: hotel_name of Hotels_1; not used: name of kb (said everywhere)'
        """
        used = [f"{', '.join(paths)} of {kind or 'records'}" for kind, paths in self.fields.items()]
        refused = [f"{path} of {kind or 'records'} ({why})" for kind, path, why in self.refused]
        said = f"names: {'; '.join(used) or 'none'}"
        return f"{said}; not used: {'; '.join(refused)}" if refused else said

    def plain(self) -> dict[str, Any]:
        """As JSON has it; :meth:`read` takes it back."""
        return {"fields": {kind: list(paths) for kind, paths in self.fields.items()}, "refused": list(self.refused)}

    @classmethod
    def read(cls, value: object) -> Names:
        """What :meth:`plain` gave, or an older version's list of relations. Raises: ValueError: if it is neither."""
        if value is None:
            return cls()
        if isinstance(value, list) and all(isinstance(relation, str) for relation in value):
            return cls({KNOWLEDGE_BASE: (NAME, *value)})
        try:
            fields = {str(kind): tuple(map(str, paths)) for kind, paths in value["fields"].items()}  # type: ignore[index]
            refused = tuple((str(kind), str(path), str(why)) for kind, path, why in value["refused"])  # type: ignore[index]
        except (TypeError, KeyError, ValueError, AttributeError):
            raise ValueError(f"names: found {str(value)[:80]}; expected fields by kind of record") from None
        return cls({kind: paths for kind, paths in fields.items() if paths}, refused)


def names_of(*tasks: Sequence[Dialog]) -> tuple[Names, ...]:
    """Judge every task's names by its own dialogs, or by all tasks' where it has too few records of a kind."""
    together = _Evidence.of([dialog for dialogs in tasks for dialog in dialogs])
    each = [together] if len(tasks) == 1 else [_Evidence.of(dialogs) for dialogs in tasks]
    return tuple(_judged(task, together) for task in each)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What some dialogs tell of the fields whose values differ from record to record.

    Attributes:
        records: how many distinct ones of each kind.
        unique: such fields of each kind.
        told: how often values of each are said after a record told them.
        untold: how often one-word values are said otherwise.
        named: how often responses say a value after a record told it.
    """

    records: Mapping[str, int]
    unique: Mapping[str, list[str]]
    told: Counter[FieldPath]
    untold: Counter[FieldPath]
    named: Counter[FieldPath]

    @classmethod
    def of(cls, dialogs: Sequence[Dialog]) -> _Evidence:
        records, shared = _distinct(dialogs), _shared(dialogs)
        unique = {
            kind: [path for path in _unique(kind, of_kind) if (kind, path) not in shared]
            for kind, of_kind in records.items()
        }
        told, untold, named = _said(dialogs, {kind: set(paths) for kind, paths in unique.items()})
        return cls({kind: len(of_kind) for kind, of_kind in records.items()}, unique, told, untold, named)


def _judged(task: _Evidence, together: _Evidence) -> Names:
    fields: dict[str, tuple[str, ...]] = {}
    refused: list[tuple[str, str, str]] = []
    for kind in task.records:
        judge = task if task.records[kind] >= FEWEST else together
        good = []
        for path in judge.unique.get(kind, ()):
            told, untold = judge.told[kind, path], judge.untold[kind, path]
            if untold > _ORDINARY * (told + untold):
                refused.append((kind, path, "said where no record tells it"))
            else:
                good.append(path)
        if good and not any(together.named[kind, path] for path in good):
            refused.append((kind, good[0], "no response says one"))
        elif good:
            fields[kind] = tuple(sorted(good, key=lambda path: _rank(kind, path, together)))
    return Names(fields, tuple(refused))


def _rank(kind: str, path: str, evidence: _Evidence) -> tuple[bool, int]:
    """The name of a knowledge base's entity comes first, then what is said most often."""
    return (kind, path) != (KNOWLEDGE_BASE, NAME), -evidence.named[kind, path]


def fields_of(record: Record) -> list[tuple[str, str]]:
    """Every text of a record with its path in lower case."""
    return [(path.lower(), value) for path, value in record.flat()]


def _distinct(dialogs: Iterable[Dialog]) -> dict[str, list[dict[str, str]]]:
    """The distinct records of each kind with the texts of their fields; lists, which name nothing, are left out."""
    seen: set[Record] = set()
    distinct: dict[str, list[dict[str, str]]] = defaultdict(list)
    for record in _records(dialogs):
        if record not in seen:
            seen.add(record)
            fields = fields_of(record)
            times = Counter(path for path, _ in fields)
            distinct[record.kind].append({path: value for path, value in fields if times[path] == 1})
    return distinct


def _records(dialogs: Iterable[Dialog]) -> Iterator[Record]:
    return (event for dialog in dialogs for event in dialog.events if isinstance(event, Record))


def _shared(dialogs: Iterable[Dialog]) -> set[FieldPath]:
    """The fields of which records that come together often have one value, as flights from one airport do."""
    apart: Counter[FieldPath] = Counter()
    alike: Counter[FieldPath] = Counter()
    for dialog in dialogs:
        for came, events in groupby(dialog.events, key=lambda event: not isinstance(event, Turn)):
            for field_path, values in _together(events).items() if came else ():
                if len(values) > 1:
                    (apart if len(set(values)) == len(values) else alike)[field_path] += 1
    return {field_path for field_path, lists in alike.items() if lists > _ALIKE * (lists + apart[field_path])}


def _together(events: Iterable[Any]) -> dict[FieldPath, list[str]]:
    """The values of each field in records that come together; those of a knowledge base come in pieces."""
    values: dict[FieldPath, list[str]] = defaultdict(list)
    for record in dict.fromkeys(event for event in events if isinstance(event, Record)):
        for path, value in dict(fields_of(record)).items() if record.kind != KNOWLEDGE_BASE else ():
            values[record.kind, path].append(value.lower())
    return values


def _unique(kind: str, records: Sequence[Mapping[str, str]]) -> list[str]:
    """The fields that tell records apart, in their order; the entity of triples always does."""
    paths = list(dict.fromkeys(path for record in records for path in record))
    settled = {path: _settled_by(records, path, paths) for path in paths}
    return [path for path in paths if (kind, path) == (KNOWLEDGE_BASE, NAME) or _tells_apart(path, settled)]


def _tells_apart(path: str, settled: Mapping[str, set[str] | None]) -> bool:
    others = settled[path]
    if others is None:
        return False
    return 2 * len(others) >= len(settled) - 1 or any(path in (settled[other] or ()) for other in others)


def _settled_by(records: Sequence[Mapping[str, str]], path: str, paths: Sequence[str]) -> set[str] | None:
    """The other fields that records with the same value of a field share too; None if it has too few values."""
    groups: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for record in records:
        if record.get(path, "").strip():
            groups[record[path].lower()].append(record)
    if len(groups) < FEWEST:
        return None
    return {other for other in paths if other != path and _settled(list(groups.values()), other)}


def _settled(groups: Sequence[Sequence[Mapping[str, str]]], other: str) -> bool:
    """Whether records that share one field's value nearly always share another's; told by enough that have both."""
    having = [[record[other] for record in group if other in record] for group in groups]
    if sum(map(len, having)) < FEWEST:
        return False
    told = [set(values) for values in having if values]
    return sum(len(values) == 1 for values in told) >= _SETTLED * len(told)


def _said(
    dialogs: Iterable[Dialog], unique: Mapping[str, set[str]]
) -> tuple[Counter[FieldPath], Counter[FieldPath], Counter[FieldPath]]:
    """How often values are said after a record told them, one-word ones otherwise, and values in responses."""
    dialogs = list(dialogs)
    phrases: Phrases[tuple[str, FieldPath]] = Phrases()
    for record in _records(dialogs):
        for path, value in fields_of(record):
            if path in unique[record.kind]:
                phrases.add(phrase_of(value), (value.lower(), (record.kind, path)))
    told: Counter[FieldPath] = Counter()
    untold: Counter[FieldPath] = Counter()
    named: Counter[FieldPath] = Counter()
    for dialog in dialogs:
        known: set[str] = set()
        for event in dialog.events:
            if isinstance(event, Record):
                known.update(value.lower() for path, value in event.flat())
            if not isinstance(event, Turn):
                continue
            for text, by_system in ((event.user, False), (event.system, True)):
                for start, end, (value, field_path) in phrases.find(text.split()):
                    if value in known:
                        told[field_path] += 1
                        named[field_path] += by_system
                    elif end - start == 1:
                        untold[field_path] += 1
    return told, untold, named
