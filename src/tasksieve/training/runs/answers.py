"""Whole responses to an utterance, best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.encoding import Candidates, Held, KnownEntities, Slots
from tasksieve.encoding.offers import offered
from tasksieve.errors import UserError

NOTHING_TO_SAY = (
    "every response that this model knows needs a value that the conversation does not hold; give it facts first"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response with its score (a logit) and its probability among all that can be given.

    Attributes:
        action: that it does, if actions are predicted.
    """

    text: str
    score: float
    probability: float
    action: str = ""


def best_answers(
    scores: Float[Tensor, " responses"],
    candidates: Candidates,
    entities: KnownEntities,
    top: int,
    held: Held | None = None,
    slots: Slots | None = None,
) -> list[Answer]:
    """The best responses that can be given.

    A template needs an entity that has what belongs into its gaps, and a conversation that has what belongs into the
    others. A response with a value that the conversation does not hold is never given.

    Args:
        scores: of one example, from :meth:`DialogModel.responses`.
        candidates: that the scores are about.
        entities: that the example knows.
        top: how many answers.
        held: what the conversation holds.
        slots: the gaps of templates, and what is policy.
    Raises: UserError: if none can be given.
    """
    texts = offered(candidates, entities, held or Held(), slots or Slots())
    return ranked(scores, texts[: len(scores)], top)


@torch.no_grad()
def ranked(scores: Float[Tensor, " responses"], texts: Sequence[str | None], top: int) -> list[Answer]:
    """The texts that can be said with the best scores; their probability is that among all that can be said.

    Args:
        scores: of one example, a score a text.
        texts: None for what cannot be said.
        top: how many.
    Raises: UserError: if nothing can be said.
    """
    sayable = [number for number, text in enumerate(texts) if text is not None]
    if not sayable:
        raise UserError(NOTHING_TO_SAY)
    among = scores[torch.tensor(sayable, device=scores.device)]
    shares = torch.softmax(among, 0).tolist()
    best = among.topk(min(top, len(sayable)))
    return [
        Answer(texts[sayable[place]] or "", score, shares[place])
        for place, score in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]
