"""What fills the gaps of a template from the records of a conversation, and the text with its gaps filled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from tasksieve.dialogs.record import KNOWLEDGE_BASE
from tasksieve.encoding.calls import escaped, is_call
from tasksieve.encoding.entities import KnownEntities
from tasksieve.encoding.gap_types import GapType
from tasksieve.encoding.held import Held
from tasksieve.encoding.sources import echoes, path_in
from tasksieve.encoding.told import Told, agree, values_of
from tasksieve.encoding.values import MONEY, alike

MARK = re.compile(r"<[^<>\s]+>")
"""A placeholder."""
_JSON_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_KNOWN = 2
"""The rank of a field that filled a gap in training."""


Wanted = tuple[str, GapType | None]
"""The name of a gap, and its type; None where anything fills it that is called so."""


def chosen(wanted: Iterable[Wanted], held: Held, entity: int, *, fresh: bool = False) -> Told | None:
    """The record that has most of what belongs into the gaps: the first of those in their order.

    One with a value that the system has just said comes first where that filled the gap in training.
    """
    gaps = set(wanted)
    best, most = None, (0, 0, 0)
    present = held.in_order(entity, fresh=fresh)
    former = [told for told in reversed(held.records) if told not in present and told.kind != KNOWLEDGE_BASE]
    for told in (*present, *(told for told in former if _again(told, gaps, held))):
        ranks = [rank for base, kind in gaps if values_of(told, base) and (rank := rank_of(told, base, kind))]
        having = _again(told, gaps, held), len(ranks), ranks.count(_KNOWN)
        if ranks and having > most:
            best, most = told, having
    return best


def rank_of(told: Told, base: str, kind: GapType | None) -> int:
    """How well a record is known to fill a gap, as :meth:`GapType.rank` has it."""
    return _KNOWN if kind is None else kind.rank(told.kind, path_in(told, base))


def entity_rank(
    template: str, entity: int, entities: KnownEntities, held: Held, types: Mapping[str, GapType]
) -> tuple[int, int] | None:
    """How well an entity is known to fill a template's gaps for one, the higher the better; None if it may not.

    Args:
        template: with gaps.
        entity: its number.
        entities: that the conversation knows.
        held: what it holds.
        types: of the template's gaps.
    """
    ranks, again = [], 0
    for gap in entities.gaps(template):
        value, fields = entities.told(entity, gap)
        kind = types.get(gap)
        if kind is not None:
            ranks.append(max((kind.rank(*one) for one in fields), default=0))
            again += kind.echoed and echoes(held, value)
    worst = min(ranks, default=_KNOWN)
    return (again, worst) if worst else None


def is_left(entity: int, held: Held) -> bool:
    """Whether all that was told of an entity followed from records that are past, as a former customer's ticket does.

    It came after one of them and before what took its place.
    """
    places = [place for place, told in enumerate(held.records) if told.entity == entity]
    return bool(places) and all(
        any(
            older.past and any(one.kind == older.kind for one in held.records[place + 1 :])
            for older in held.records[: place + 1]
        )
        for place in places
    )


def _again(told: Told, gaps: Iterable[Wanted], held: Held) -> int:
    """How many gaps that say again what was said last a record fills with such a value."""
    return sum(
        any(echoes(held, value) for value in values_of(told, base))
        for base, kind in gaps
        if kind is not None and kind.echoed and rank_of(told, base, kind)
    )


def of_records(
    wanted: Wanted, spoken_of: Told | None, held: Held, entity: int, taken: Sequence[str], *, fresh: bool = False
) -> tuple[str, Told] | None:
    """A field's value in the record spoken of, or one of another kind; a second value also in others of its kind."""
    if spoken_of is None:
        return None
    base, kind = wanted
    others = [
        told
        for told, _ in held.fields(base, entity, fresh=fresh)
        if told is not spoken_of and (taken or told.kind != spoken_of.kind or agree(told, spoken_of))
    ]
    known = [(told, rank_of(told, base, kind)) for told in (spoken_of, *others)]
    for told, _ in sorted(((told, rank) for told, rank in known if rank), key=lambda each: -each[1]):
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
