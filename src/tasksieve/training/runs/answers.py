"""Whole responses to an utterance, best first.

Candidates that end as the same text are one answer, whose probability is the sum of theirs. No number depends on how
many answers are wanted.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from tasksieve.encoding import Candidates, Held, KnownEntities, Slots
from tasksieve.encoding.gap_types import GapTypes
from tasksieve.encoding.offers import offered
from tasksieve.errors import UserError

NOTHING_TO_SAY = (
    "every response that this model knows needs a value that the conversation does not hold; give it facts first"
)
NOTHING_GIVEN = "every candidate holds a value that the conversation does not hold; give it facts first, or others"
_NEGLIGIBLE = 1e-4
"""What all actions that are left weigh together, beside those worded, when they no longer change a probability."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response with its score (a logit) and its probability among all that can be given.

    Attributes:
        score: of all candidates that end as this text together.
        probability: likewise.
        action: that it does, if actions are predicted; of several that end as this text the best one.
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
    types: GapTypes | None = None,
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
        types: of these gaps; None where anything fills them that is called so.
    Raises: NothingToSay: if none can be given.
    """
    texts = offered(candidates, entities, held or Held(), slots or Slots(), types)
    return ranked(scores, texts[: len(scores)], top)


def worded_actions(
    scores: Float[Tensor, " actions"],
    actions: Sequence[str],
    word: Callable[[str], str | None],
    top: int,
    likely: Callable[[str], float] = lambda text: 1.0,
) -> list[Answer]:
    """The actions that can be worded, each in its best wording, the most certain answer first.

    Their probability is that among all actions but those that have no wording which can be said. Actions are worded
    from the best one on, until the others together are negligible and none of them can come before what is returned;
    so a probability is right to 1 in 10,000, and the same whatever ``top`` is.

    Args:
        scores: an action each.
        actions: to choose among.
        word: gives an action's wording, or None.
        top: how many.
        likely: how likely the values of a wording are the right ones; its action counts for so much as an answer,
            and has its place among them by that.
    Raises: NothingToSay: if none can be worded.
    """
    order = scores.argsort(descending=True, stable=True).tolist()
    shares = torch.softmax(scores.double(), 0)[order]
    rest = shares.flip(0).cumsum(0).flip(0).tolist()
    found: dict[str, list[int]] = {}
    worth: dict[str, float] = {}
    said, sayable = 0.0, None
    certain: list[float] = []  # of what is found, in ascending order, once the others are negligible
    for place, number in enumerate(order):
        if sayable is None and said and rest[place] <= _NEGLIGIBLE * said:
            sayable = said + rest[place]
            certain = sorted(float(shares[places].sum()) * worth[text] for text, places in found.items())
        if sayable is not None and len(certain) >= top and certain[-top] >= float(shares[place]):
            break
        text = word(actions[number])
        if text is not None and text not in worth:
            worth[text] = likely(text)
        if text is not None and sayable is None:
            found.setdefault(text, []).append(place)
            said += float(shares[place])
        elif text is not None and text not in found:
            found[text] = [place]
            insort(certain, float(shares[place]) * worth[text])
    if not found:
        raise NothingToSay(NOTHING_TO_SAY)
    whole = sayable or said or 1.0
    answers: list[Answer] = []
    for text, places in found.items():
        numbers, share = [order[place] for place in places], float(shares[places].sum())
        score, values = float(scores[numbers].logsumexp(0)), worth[text]
        answers.append(Answer(text, score, share / whole * values, actions[numbers[0]], certainty=share * values))
    return sorted(answers, key=lambda answer: -answer.certainty)[:top]


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
def ranked(
    scores: Float[Tensor, " responses"], texts: Sequence[str | None], top: int, *, leads: bool = False
) -> list[Answer]:
    """The texts that can be said with the best scores; their probability is that among all that can be said.

    Args:
        scores: of one example, a score a text.
        texts: None for what cannot be said.
        top: how many.
        leads: whether the first text comes first whatever its score is; it can be said.
    Raises: NothingToSay: if nothing can be said.
    """
    sayable = [text for text in texts if text is not None]
    if not sayable:
        raise NothingToSay(NOTHING_TO_SAY)
    together = scores
    if len(sayable) < len(texts):
        places = [place for place, text in enumerate(texts) if text is not None]
        together = scores[torch.tensor(places, device=scores.device)]
    said = list(dict.fromkeys(sayable))
    if len(said) < len(sayable):
        numbers = {text: number for number, text in enumerate(said)}
        groups = torch.tensor([numbers[text] for text in sayable], device=scores.device)
        together = _together(together, groups, len(said))
    best = _best(together, top + leads)
    if leads:
        best = [0, *(number for number in best if number)][:top]
    shares, certainties = (together - among.logsumexp(0) for among in (together, scores))
    rows = zip(best, *(of[best].tolist() for of in (together, shares.exp(), certainties.exp())), strict=True)
    return [Answer(said[number], score, share, certainty=certainty) for number, score, share, certainty in rows]


def _best(scores: Float[Tensor, " texts"], count: int) -> list[int]:
    """The numbers of the highest scores, of equal ones those of the first, however many are wanted."""
    least = scores.topk(min(count, len(scores))).values[-1]
    numbers = (scores >= least).nonzero()[:, 0]
    order = scores[numbers].argsort(descending=True, stable=True)
    return [int(number) for number in numbers[order][:count].tolist()]


def _together(
    scores: Float[Tensor, " sayable"], groups: Integer[Tensor, " sayable"], count: int
) -> Float[Tensor, " texts"]:
    """The score of each group of candidates, whose exponential is the sum of theirs."""
    best = scores.new_full((count,), -torch.inf).scatter_reduce(0, groups, scores, "amax")
    beside = (scores - best[groups]).nan_to_num(0.0).exp()  # a group may have nothing but infinitely bad scores
    return best + scores.new_zeros(count).index_add(0, groups, beside).log()
