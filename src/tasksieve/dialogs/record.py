"""What a database, tool or knowledge base answered: records of named fields, and notes in prose."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, Union

Value = Union[str, tuple["Value", ...], "Record"]
"""Of a field: a text of any number of words, a list of values, or a record of its own (without a kind)."""

KNOWLEDGE_BASE = "kb"
"""The kind of records made of triples, ``entity relation value``."""
NAME = "name"
"""The first field of such a record: its entity."""
DEEPEST = 20
"""How deep the values of a record may be nested."""

_TRIPLE = re.compile(r"(\S+) (R_\S+) (\S(?:[^\r\n]*\S)?)")
_PLAIN_KIND = re.compile(r"[^\s\"{}:]+")
_WRITTEN = re.compile(rf'(?:({_PLAIN_KIND.pattern}) |("(?:[^"\\]|\\.)*") )?(\{{.*\}})', re.DOTALL)
_IN_QUOTES = json.JSONEncoder(ensure_ascii=False).encode

Event = TypeVar("Event")


@dataclass(frozen=True, slots=True)
class Record:
    """One answer of a database, tool or knowledge base, e.g. one restaurant that was found.

    Attributes:
        kind: the service, table or tool it is of; empty if unknown.
        fields: names and values in their order; a name may come twice.
    """

    kind: str
    fields: tuple[tuple[str, Value], ...]

    @classmethod
    def of(cls, kind: str, values: Mapping[str, Any]) -> Record:
        """A record from values as JSON has them: texts, numbers, true, false, null, lists, objects.

        Numbers, true, false and null become the text that JSON writes for them.

        Raises: ValueError: if a value is none of these, or is nested more than :data:`DEEPEST` deep.
        """
        return cls(kind, _fields(values.items(), 1))

    def plain(self) -> dict[str, Any]:
        """The fields as JSON has them; of several of one name the last."""
        return {name: _plain(value) for name, value in self.fields}

    @property
    def is_plain(self) -> bool:
        """Whether :meth:`plain` keeps all of it: no name comes twice."""
        return Record.of(self.kind, self.plain()) == self

    def flat(self) -> Iterator[tuple[str, str]]:
        """Every text in the record with the path to it, ``address.city``; items of a list share theirs.

        >>> list(Record.of("Hotel", {"name": "Inn", "stay": {"days": [1, 2]}}).flat())
        [('name', 'Inn'), ('stay.days', '1'), ('stay.days', '2')]
        """
        for name, value in self.fields:
            yield from _flat(name, value)

    @property
    def text(self) -> str:
        """The record as one line, which :func:`told` reads back; a kind that is no plain word stands in quotes.

        >>> Record.of("Hotels_1", {"name": "Da Enzo"}).text
        'Hotels_1 {"name": "Da Enzo"}'
        """
        if not self.kind:
            return _written(self)
        kind = self.kind if _PLAIN_KIND.fullmatch(self.kind) else _written(self.kind)
        return f"{kind} {_written(self)}"


@dataclass(frozen=True, slots=True)
class Note:
    """Something told in prose: a system prompt, a tool's answer in words. It is remembered, and names nothing."""

    text: str


def triples(record: Record) -> tuple[str, ...] | None:
    """The lines ``entity relation value`` that a record of the knowledge base is made of; None if it is none."""
    if record.kind != KNOWLEDGE_BASE or len(record.fields) < 2 or record.fields[0][0] != NAME:
        return None
    entity, lines = record.fields[0][1], []
    for relation, value in record.fields[1:]:
        line = f"{entity} {relation} {value}"
        match = _TRIPLE.fullmatch(line)
        if match is None or match.groups() != (entity, relation, value):
            return None
        lines.append(line)
    return tuple(lines)


def told(text: str) -> Record | Note:
    """What one line tells: a triple, a record as :attr:`Record.text` or JSON writes it, or else a note.

    >>> told("resto_rome_1 R_rating 8").fields
    (('name', 'resto_rome_1'), ('R_rating', '8'))
    """
    triple = _TRIPLE.fullmatch(text)
    if triple is not None:
        return Record(KNOWLEDGE_BASE, ((NAME, triple[1]), (triple[2], triple[3])))
    written = _WRITTEN.fullmatch(text)
    if written is not None:
        try:
            kind = json.loads(written[2]) if written[2] else written[1] or ""
            return Record(kind, _fields(from_json(written[3]), 1))
        except (ValueError, RecursionError):
            pass
    return Note(text)


def from_json(text: str) -> Any:
    """JSON as a record keeps it: an object as the pairs of names and values in it, a number as it is written.

    Raises: ValueError, RecursionError: if it is not JSON, or is nested too deeply.
    """
    return json.loads(text, object_pairs_hook=Pairs, parse_int=str, parse_float=str, parse_constant=str)


class Pairs(list[tuple[str, Any]]):
    """An object of JSON: its names and values in order, those that come twice too."""

    def record(self, kind: str) -> Record:
        """The object as a record. Raises: ValueError: if it is nested more than :data:`DEEPEST` deep."""
        return Record(kind, _fields(self, 1))


def collected(events: Iterable[Event]) -> Iterator[Event | Record]:
    """Events with each run of triples of one entity joined to one record of it; all else as it was.

    >>> lines = ("inn R_price cheap", "inn R_city rome")
    >>> [record.text for record in collected(map(told, lines))]
    ['kb {"name": "inn", "R_price": "cheap", "R_city": "rome"}']
    """
    for entity, group in itertools.groupby(events, _entity):
        if entity is None:
            yield from group
        else:
            pairs = (pair for record in group if isinstance(record, Record) for pair in record.fields[1:])
            yield Record(KNOWLEDGE_BASE, ((NAME, entity), *pairs))


def _entity(event: object) -> Value | None:
    return event.fields[0][1] if isinstance(event, Record) and triples(event) else None


def _fields(pairs: Iterable[tuple[object, object]], depth: int) -> tuple[tuple[str, Value], ...]:
    return tuple((str(name), _value(value, depth)) for name, value in pairs)


def _value(value: object, depth: int) -> Value:
    if depth > DEEPEST:
        raise ValueError(f"a record is nested more than {DEEPEST} deep")
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    if isinstance(value, Pairs):
        return Record("", _fields(value, depth + 1))
    if isinstance(value, Mapping):
        return Record("", _fields(value.items(), depth + 1))
    if isinstance(value, (list, tuple)):
        return tuple(_value(inner, depth + 1) for inner in value)
    raise ValueError(f"found {type(value).__name__}; expected what JSON can hold")


def _plain(value: Value) -> Any:
    if isinstance(value, Record):
        return value.plain()
    return value if isinstance(value, str) else [_plain(inner) for inner in value]


def _flat(path: str, value: Value) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Record):
        for name, inner in value.fields:
            yield from _flat(f"{path}.{name}", inner)
    else:
        for inner in value:
            yield from _flat(path, inner)


def _written(value: Value) -> str:
    """A value as JSON; unlike a dictionary, it has names that come twice."""
    if isinstance(value, Record):
        pairs = (f"{_written(name)}: {_written(inner)}" for name, inner in value.fields)
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, str):
        return _IN_QUOTES(value)
    return "[" + ", ".join(map(_written, value)) + "]"
