"""Whole responses to an utterance, best first."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.encoding import Candidates, KnownEntities
from tasksieve.errors import UserError


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
    """The best responses that can be given: a template needs an entity that has what belongs into its gaps.

    Args:
        scores: of one example, from :meth:`DialogModel.responses`.
        candidates: that the scores are about.
        entities: that the example knows.
        top: how many answers.
    Raises: UserError: if none can be given, as all of them name entities and none is known.
    """
    texts: list[str | None] = list(candidates.texts)
    gaps = candidates.gaps.tolist()
    if len(scores) > len(texts):
        texts += (entities.filled(candidates.texts[gap], entity) for gap in gaps for entity in range(len(entities)))
    impossible = [*gaps, *(n for n in range(len(candidates), len(texts)) if texts[n] is None)]
    if len(impossible) == len(texts):
        raise UserError("every response that this model knows names what facts are about; give it facts first")
    shares = torch.softmax(scores.index_fill(0, torch.tensor(impossible, device=scores.device).long(), -torch.inf), 0)
    best = shares.topk(min(top, len(texts) - len(impossible)))
    ranked = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return [Answer(texts[number] or "", float(scores[number]), share) for number, share in ranked]
