"""What fills the gaps of a template from the records of a conversation, and the text with its gaps filled."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tasksieve.encoding.calls import escaped, is_call
from tasksieve.encoding.held import Held
from tasksieve.encoding.told import Told, agree, values_of
from tasksieve.encoding.values import MONEY, alike

MARK = re.compile(r"<[^<>\s]+>")
"""A placeholder."""
_JSON_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def chosen(bases: set[str], held: Held, entity: int, *, fresh: bool = False) -> Told | None:
    """The record that has most of what belongs into the gaps: the first of those in their order."""
    best, most = None, 0
    for told in held.in_order(entity, fresh=fresh):
        having = sum(1 for base in bases if values_of(told, base))
        if having > most:
            best, most = told, having
    return best


def of_records(
    base: str, spoken_of: Told | None, held: Held, entity: int, taken: Sequence[str], *, fresh: bool = False
) -> tuple[str, Told] | None:
    """A field's value in the record spoken of, or one of another kind; a second value also in others of its kind."""
    if spoken_of is None:
        return None
    others = [
        told
        for told, _ in held.fields(base, entity, fresh=fresh)
        if told is not spoken_of and (taken or told.kind != spoken_of.kind or agree(told, spoken_of))
    ]
    for told in [spoken_of, *others]:
        for value in values_of(told, base):
            if not any(alike(value, other) for other in taken):
                return value, told
    return None


def put(template: str, fillings: Mapping[str, str]) -> str | None:
    """A template with its gaps filled; in the JSON of a call so that it stays JSON. None where that cannot be."""
    call = is_call(template)
    parts: list[str] = []
    place = 0
    for mark in MARK.finditer(template):
        value = fillings.get(mark[0])
        if value is None:
            continue
        before = template[: mark.start()]
        if call and before.endswith('"'):
            value = escaped(value)
        elif call and before.rstrip().endswith((":", "[", ",")) and not _JSON_NUMBER.fullmatch(value):
            return None
        elif before[-1:] in MONEY:
            value = value.lstrip("".join(MONEY))
        parts += (template[place : mark.start()], value)
        place = mark.end()
    return "".join((*parts, template[place:]))
