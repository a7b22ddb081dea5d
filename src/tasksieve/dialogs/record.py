"""What a database, tool or knowledge base answered: records of named fields, and notes in prose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Union

Value = Union[str, tuple["Value", ...], "Record"]
"""Of a field: a text of any number of words, a list of values, or a record of its own."""

KNOWLEDGE_BASE = "kb"
"""The kind of records made of triples, ``entity relation value``."""
NAME = "name"
"""The first field of such a record: its entity."""

_TRIPLE = re.compile(r"(\S+) (R_\S+) (\S.*)")
_WRITTEN = re.compile(r"(\S*) ?(\{.*\})", re.DOTALL)
_DEEPEST = 50


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

        Raises: ValueError: if a value is none of these, or is nested too deeply.
        """
        return cls(kind, tuple((str(name), _value(value, 0)) for name, value in values.items()))

    def plain(self) -> dict[str, Any]:
        """The fields as JSON has them; of several of one name the last."""
        return {name: _plain(value) for name, value in self.fields}

    def flat(self) -> Iterator[tuple[str, str]]:
        """Every text in the record with the path to it, ``address.city``; items of a list share theirs.

        >>> list(Record.of("Hotel", {"name": "Inn", "stay": {"days": [1, 2]}}).flat())
        [('name', 'Inn'), ('stay.days', '1'), ('stay.days', '2')]
        """
        for name, value in self.fields:
            yield from _flat(name, value)

    @property
    def text(self) -> str:
        """The record as one line, which :func:`told` reads back.

        >>> Record.of("Hotels_1", {"name": "Da Enzo"}).text
        'Hotels_1 {"name": "Da Enzo"}'
        """
        values = json.dumps(self.plain(), ensure_ascii=False)
        return f"{_one_word(self.kind)} {values}" if self.kind else values


@dataclass(frozen=True, slots=True)
class Note:
    """Something told in prose: a system prompt, a tool's answer in words. It is remembered, and names nothing."""

    text: str


def triples(record: Record) -> tuple[str, ...] | None:
    """The lines ``entity relation value`` that a record of the knowledge base is made of; None if it is none."""
    if record.kind != KNOWLEDGE_BASE or len(record.fields) < 2 or record.fields[0][0] != NAME:
        return None
    entity = record.fields[0][1]
    lines = tuple(f"{entity} {relation} {value}" for relation, value in record.fields[1:])
    return lines if all(map(_TRIPLE.fullmatch, lines)) else None


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
            values = json.loads(written[2])
            return Record.of(written[1], values)
        except (ValueError, RecursionError):
            pass
    return Note(text)


def joined(first: Record, then: Record) -> Record | None:
    """Two records of the knowledge base with the same entity as one; None if they are not that."""
    same = first.kind == then.kind == KNOWLEDGE_BASE and first.fields[0] == then.fields[0]
    if not same or triples(first) is None or triples(then) is None:
        return None
    return Record(KNOWLEDGE_BASE, (*first.fields, *then.fields[1:]))


def _value(value: object, depth: int) -> Value:
    if depth > _DEEPEST:
        raise ValueError("a record is nested too deeply")
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return Record("", tuple((str(name), _value(inner, depth + 1)) for name, inner in value.items()))
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


def _one_word(kind: str) -> str:
    return "_".join(kind.split())
