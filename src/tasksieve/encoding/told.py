"""A record that a conversation holds, and whether two can speak of the same."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

_MOST_PARTS = 3
FIRST, LAST = PARTS = (".first", ".last")
"""What follows the name of a gap where the first or the last word of a value stands, as a first name does."""


@dataclass(slots=True, eq=False)
class Told:
    """A record.

    Attributes:
        kind, fields: of it.
        entity: the number of the one that it is of, -1 for none.
        batch: after how many utterances it came.
        offered: whether the system has spoken of it.
        past: whether records of its kind that say something else have come since, as of the next customer.
    """

    kind: str
    fields: dict[str, list[str]]
    entity: int
    batch: int
    offered: bool = False
    past: bool = False

    @property
    def key(self) -> Hashable:
        """By what it is known when it comes again."""
        return self.kind, *((name, *values) for name, values in sorted(self.fields.items()))


def is_replaced(older: Told, newer: Told) -> bool:
    """Whether a record of the same kind that came later speaks of something else."""
    return not (older.entity == newer.entity >= 0 or agree(older, newer))


def agree(one: Told, other: Told) -> bool:
    """Whether two records can speak of the same: no field that both have says something else."""
    return all(one.fields[name] == other.fields[name] for name in one.fields.keys() & other.fields.keys())


def part_of(value: str, part: str) -> str:
    """The first or the last of several capitalised words, as a first name is; empty if they are none."""
    words = value.split()
    if not 2 <= len(words) <= _MOST_PARTS or not all(word[:1].isalpha() for word in words):
        return ""
    return words[0] if part == FIRST else words[-1]


def parted(name: str) -> tuple[str, str]:
    """The name of a gap without what says that a part of the value stands there; and that.

    >>> parted("name.first"), parted("name")
    (('name', '.first'), ('name', ''))
    """
    part = next((part for part in PARTS if name.endswith(part)), "")
    return name.removesuffix(part), part


def values_of(told: Told, name: str) -> list[str]:
    """The values of a record's field, by its path or the last part of it."""
    name, part = parted(name)
    if part:
        return [found for value in values_of(told, name) if (found := part_of(value, part))]
    values = told.fields.get(name)
    if values is None:
        values = next((of for path, of in told.fields.items() if path.rpartition(".")[2] == name), [])
    return [value for value in values if value.strip()]
