"""Whole responses to an utterance, best first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.encoding import Candidates, KnownEntities


@dataclass(frozen=True, slots=True)
class Answer:
    """A response with its score (a logit) and its probability among all that can be given."""

    text: str
    score: float
    probability: float


@torch.no_grad()
def best_answers(
    scores: Float[Tensor, " responses"], candidates: Candidates, entities: KnownEntities, top: int
) -> list[Answer]:
    """The best responses that can be given.

    Args:
        scores: of one example, from :meth:`MemoryNetwork.responses`.
        candidates: that the scores are about.
        entities: that the example knows.
        top: how many answers.
    """
    order = scores.argsort(descending=True, stable=True)
    probabilities = torch.softmax(scores, 0)
    found = (
        Answer(text, float(scores[number]), float(probabilities[number]))
        for number, text in _possible(order.tolist(), candidates, entities)
    )
    return list(islice(found, top))


def _possible(order: list[int], candidates: Candidates, entities: KnownEntities) -> Iterator[tuple[int, str]]:
    """The responses among these numbers that can be given: a gap needs an entity that has what belongs there."""
    plain, gaps = len(candidates), candidates.gaps.tolist()
    templates = set(gaps)
    for number in order:
        text: str | None = None
        if number >= plain:
            gap, entity = divmod(number - plain, len(entities))
            text = entities.filled(candidates.texts[gaps[gap]], entity)
        elif number not in templates:
            text = candidates.texts[number]
        if text is not None:
            yield number, text
