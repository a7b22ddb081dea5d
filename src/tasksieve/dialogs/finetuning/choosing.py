"""Which related responses are learned, and how much: by their weights as they are, by a cut, or by a draw."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tasksieve.dialogs.formats.chat import Weights
from tasksieve.errors import UserError

_SEED = 0
Place = tuple[int, int, int]
"""A response by its task, dialog and turn."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Which related responses are left out; all are learned where it has neither.

    Attributes:
        keep: the share of them that stays, that with the highest weights; ties are broken by lot.
        threshold: the lowest weight that stays.
        without: texts; a response that holds one is left out, whatever its weight.
    """

    keep: float | None = None
    threshold: float | None = None
    without: tuple[str, ...] = ()

    @classmethod
    def of(cls, keep: str | None, threshold: float | None, without: Sequence[str] = ()) -> Cut:
        """Read ``50%`` or ``0.5``.

        Raises: UserError: if one is not between 0 and 1, both are given, or a text is empty.
        """
        if not all(text.strip() for text in without):
            raise UserError("--without: found no text; expected words that stand in responses, e.g. 'phone number'")
        if keep is not None and threshold is not None:
            raise UserError("--keep and --threshold both say what is left out; give one of them")
        if threshold is not None and not 0 <= threshold <= 1:
            raise UserError(f"--threshold: found {threshold:g}; expected a weight from 0 to 1, e.g. 0.3")
        if keep is None:
            return cls(threshold=threshold, without=tuple(without))
        try:
            share = float(keep.removesuffix("%")) / (100 if keep.endswith("%") else 1)
        except ValueError:
            share = -1.0
        if not 0 < share <= 1:
            raise UserError(f"--keep: found '{keep}'; expected a share of the related responses, e.g. 50%")
        return cls(keep=share, without=tuple(without))

    @property
    def given(self) -> bool:
        """Whether anything may be left out by its weight."""
        return self.keep is not None or self.threshold is not None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Weights as a tool takes them, and what they lost.

    Attributes:
        weights: of each related task.
        responses: how many there are.
        learned: how many have a weight above 0.
        total: the sum of the weights as they were learned.
        left_out: how much of that sum is of responses which are not learned now.
        difference: the mean over the responses of how far the weight is from what it was.
    """

    weights: tuple[Weights, ...]
    responses: int
    learned: int
    total: float
    left_out: float
    difference: float


def weights_for(
    weights: Sequence[Weights], cut: Cut, *, flags: bool, barred: Collection[Place] = frozenset()
) -> Chosen:
    """The weights for a tool.

    Args:
        weights: of each related task, as they were learned.
        cut: what is left out.
        flags: whether the tool takes 0 and 1 alone. Without a cut each response is learned then with the chance that
            is its weight, always the same ones, so that what is learned is right in the mean.
        barred: responses that are left out in any case; the cut is of the others.
    """
    order = {
        (task, dialog, turn): weight
        for task, found in enumerate(weights)
        for (dialog, turn), weight in sorted(found.items())
    }
    others = {place: weight for place, weight in order.items() if place not in barred}
    stays = _staying(others, cut) if cut.given else _drawn(others) if flags else set(others)
    new = {place: (1.0 if flags else weight) if place in stays else 0.0 for place, weight in order.items()}
    parts = tuple({place: new[task, place[0], place[1]] for place in found} for task, found in enumerate(weights))
    count = max(1, len(order))
    return Chosen(
        weights=parts,
        responses=len(order),
        learned=sum(weight > 0 for weight in new.values()),
        total=sum(order.values()),
        left_out=sum(weight for place, weight in order.items() if new[place] == 0),
        difference=sum(abs(new[place] - weight) for place, weight in order.items()) / count,
    )


def _staying(weights: dict[Place, float], cut: Cut) -> set[Place]:
    if cut.threshold is not None:
        return {place for place, weight in weights.items() if weight >= cut.threshold}
    ranked = sorted(weights, key=lambda place: (-weights[place], _lot(place)))
    return set(ranked[: round((cut.keep or 0.0) * len(ranked))])


def _drawn(weights: dict[Place, float]) -> set[Place]:
    return {place for place, weight in weights.items() if _lot(place) < weight}


def _lot(place: Place) -> float:
    """A number from 0 to 1 that is a response's own, whatever else there is."""
    return random.Random(f"{_SEED}/{place[0]}/{place[1]}/{place[2]}").random()
