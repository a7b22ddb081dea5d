"""What of a head's candidates can be said in a conversation: filled in, and without anybody else's data."""

from __future__ import annotations

from collections.abc import Sequence

from tasksieve.encoding.candidates import Candidates
from tasksieve.encoding.entities import KnownEntities
from tasksieve.encoding.held import Held
from tasksieve.encoding.slots import Slots


def offered(candidates: Candidates, entities: KnownEntities, held: Held, slots: Slots) -> list[str | None]:
    """Every whole response as it is said, in the order of their scores; None for what cannot be said.

    These are the candidates, of which those with a gap for an entity cannot be said by themselves, then each of those
    with each entity, as :func:`tasksieve.models.responses.whole_responses` has them.

    Args:
        candidates: to choose from.
        entities: that the conversation knows.
        held: what it holds.
        slots: the other gaps, and what is policy.
    """
    with_entity = candidates.gaps.tolist()
    may = [not slots.foreign(text, held) for text in candidates.texts]
    alone = frozenset(with_entity)
    whole = [
        slots.filled(text, held) if may[number] and number not in alone else None
        for number, text in enumerate(candidates.texts)
    ]
    for number in with_entity:
        whole += (
            _with_each(candidates.texts[number], entities, held, slots) if may[number] else [None] * len(entities)
        )
    return whole


def _with_each(template: str, entities: KnownEntities, held: Held, slots: Slots) -> Sequence[str | None]:
    filled = (entities.filled(template, entity) for entity in range(len(entities)))
    return [None if text is None else slots.filled(text, held, entity) for entity, text in enumerate(filled)]
