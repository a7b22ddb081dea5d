"""What of a head's candidates can be said in a conversation: filled in, and without anybody else's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tasksieve.encoding.candidates import Candidates
from tasksieve.encoding.entities import KnownEntities
from tasksieve.encoding.fillings import entity_rank
from tasksieve.encoding.gap_types import GapType, GapTypes
from tasksieve.encoding.held import Held
from tasksieve.encoding.slots import Slots


def offered(
    candidates: Candidates, entities: KnownEntities, held: Held, slots: Slots, types: GapTypes | None = None
) -> list[str | None]:
    """Every whole response as it is said, in the order of their scores; None for what cannot be said.

    These are the candidates, of which those with a gap for an entity cannot be said by themselves, then each of those
    with each entity, as :func:`tasksieve.models.responses.whole_responses` has them.

    Args:
        candidates: to choose from.
        entities: that the conversation knows.
        held: what it holds.
        slots: the other gaps, and what is policy.
        types: of the gaps of the candidates.
    """
    types = types or GapTypes()
    with_entity = candidates.gaps.tolist()
    may = [not slots.foreign(text, held) for text in candidates.texts]
    alone = frozenset(with_entity)
    whole = [
        slots.filled(text, held, types=types.of_template(text)) if may[number] and number not in alone else None
        for number, text in enumerate(candidates.texts)
    ]
    for number in with_entity:
        text = candidates.texts[number]
        of_text = types.of_template(text)
        whole += _with_each(text, entities, held, slots, of_text) if may[number] else [None] * len(entities)
    return whole


def _with_each(
    template: str, entities: KnownEntities, held: Held, slots: Slots, types: Mapping[str, GapType]
) -> Sequence[str | None]:
    return [_with(template, entity, entities, held, slots, types) for entity in range(len(entities))]


def _with(
    template: str, entity: int, entities: KnownEntities, held: Held, slots: Slots, types: Mapping[str, GapType]
) -> str | None:
    if entity_rank(template, entity, entities, held, types) is None:
        return None
    text = entities.filled(template, entity)
    return None if text is None else slots.filled(text, held, entity, types=types)
