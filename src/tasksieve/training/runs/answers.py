"""Whole responses to an utterance, best first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
NOTHING_GIVEN = "every candidate holds a value that the conversation does not hold; give it facts first, or others"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response with its score (a logit) and its probability among all that can be given.

    Attributes:
        action: that it does, if actions are predicted.
        fallback: whether it is what is said instead of an answer that is too uncertain; its score says nothing.
        certainty: its probability among all responses, those that cannot be given included.
        foreign: whether it holds a value that the conversation does not: where candidates are ranked, not offered.
    """

    text: str
    score: float
    probability: float
    action: str = ""
    fallback: bool = False
    certainty: float = 0.0
    foreign: bool = False


class NothingToSay(UserError):
    """Every response needs a value that the conversation does not hold."""


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
    Raises: NothingToSay: if none can be given.
    """
    texts = offered(candidates, entities, held or Held(), slots or Slots())
    return ranked(scores, texts[: len(scores)], top)


def worded_actions(
    scores: Float[Tensor, " actions"], actions: Sequence[str], word: Callable[[str], str | None], top: int
) -> list[Answer]:
    """The actions with the best scores that can be worded, each in its best wording.

    Their probability is that among all actions but those found to have no wording that can be said.

    Args:
        scores: an action each.
        actions: to choose among.
        word: gives an action's wording, or None.
        top: how many.
    Raises: NothingToSay: if none can be worded.
    """
    found: list[tuple[int, str]] = []
    among = scores.clone()
    for number in scores.argsort(descending=True, stable=True).tolist():
        if len(found) == top:
            break
        text = word(actions[number])
        if text is None:
            among[number] = -torch.inf
        else:
            found.append((number, text))
    if not found:
        raise NothingToSay(NOTHING_TO_SAY)
    shares, all_shares = torch.softmax(among, 0).tolist(), torch.softmax(scores, 0).tolist()
    return [Answer(text, float(scores[n]), shares[n], actions[n], certainty=all_shares[n]) for n, text in found]


def or_fallback(answers: Callable[[], list[Answer]], text: str | None, threshold: float | None) -> list[Answer]:
    """Answers, led by a fallback if the best one is too uncertain or there are none.

    Args:
        answers: gives them.
        text: of the fallback; None for none.
        threshold: the least certainty of an answer.
    Raises: NothingToSay: if there are none and no fallback.
    """
    instead = Answer(text or "", 0.0, 0.0, fallback=True)
    try:
        found = answers()
    except NothingToSay:
        if text is None:
            raise
        return [instead]
    uncertain = text is not None and threshold is not None and found[0].certainty < threshold
    return [instead, *found] if uncertain else found


@torch.no_grad()
def ranked(scores: Float[Tensor, " responses"], texts: Sequence[str | None], top: int) -> list[Answer]:
    """The texts that can be said with the best scores; their probability is that among all that can be said.

    Args:
        scores: of one example, a score a text.
        texts: None for what cannot be said.
        top: how many.
    Raises: NothingToSay: if nothing can be said.
    """
    sayable = [number for number, text in enumerate(texts) if text is not None]
    if not sayable:
        raise NothingToSay(NOTHING_TO_SAY)
    among = scores[torch.tensor(sayable, device=scores.device)]
    shares, all_shares = torch.softmax(among, 0).tolist(), torch.softmax(scores, 0).tolist()
    best = among.topk(min(top, len(sayable)))
    return [
        Answer(texts[sayable[place]] or "", score, shares[place], certainty=all_shares[sayable[place]])
        for place, score in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]
