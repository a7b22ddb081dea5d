"""From evidence to a score and a reason in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasksieve.training.suspicion.evidence import Expectation, Neighbours, expectation, neighbours
from tasksieve.training.suspicion.services import Array, Service

FEW = 20
"""Fewer turns of a service cannot contradict each other."""
_TELLS = 0.5
"""Evidence of so many standard deviations is told."""
_MOST = 5.0
"""Standard deviations; more count as these, so that no single evidence decides alone."""
_LOWER = 0.5
"""Of its kind's mean weight; a turn with less is told."""
_LONG = 60
_DOUBT = float(np.log(2))
"""Nats: with a smaller loss the model gives the answer more than half of the probability, and so speaks for it."""
_NO_TRUST = 0.05


@dataclass(frozen=True, slots=True)
class Judged:
    """A service's turns as they were judged.

    Attributes:
        scores: how far each turn stands out from its service, in standard deviations, the mean of all evidence.
        losses, neighbours, expected: the evidence in standard deviations.
        expectation: what the other dialogs let expect.
        near: what the turns with similar contexts say.
    """

    scores: Array
    losses: Array
    neighbours: Array
    expected: Array
    expectation: Expectation
    near: Neighbours


def judge(service: Service) -> Judged:
    """Judge every turn of a service, of at least :data:`FEW`, by all evidence.

    Weights count for nothing in it: what learns them tells kinds of turns apart, and hardly the turns of a kind, so
    that a wrong label is known by its weight little better than by chance (docs/suspicious.md).
    """
    near, expected = neighbours(service), expectation(service)
    parts = standard(service.losses), standard(near.against), standard(expected.against)
    scores = (parts[0] * service.trust + parts[1] + parts[2]) / (service.trust + 2)
    losses = np.where(service.trust > _NO_TRUST, parts[0], 0.0)
    return Judged(scores, losses, parts[1], parts[2], expected, near)


def standard(values: Array) -> Array:
    """Values as standard deviations from their mean; 0 for what is not a number, and where all are alike."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    spread = float(values[known].std())
    if spread < 1e-9:
        return np.zeros(len(values))
    found = (values - values[known].mean()) / spread
    return np.where(known, np.clip(found, -_MOST, _MOST), 0.0)


def reason(service: Service, judged: Judged, turn: int, weights: Array | None, kind_means: Array | None) -> str:
    """Why a turn is suspected, the strongest evidence first, in a sentence; what speaks for it is no reason.

    Args:
        service: its service.
        judged: by :func:`judge`.
        turn: its number in the service.
        weights: of each turn, if it has one; one that is far below its kind's is told.
        kind_means: the mean weight of each turn's kind.
    """
    told = [
        (judged.neighbours[turn], _of_neighbours(service, judged.near, turn)),
        (judged.expected[turn], _of_expectation(service, judged.expectation, turn)),
        (judged.losses[turn], _of_loss(service, turn)),
    ]
    told = sorted((each for each in told if each[1] and each[0] > 0), key=lambda each: -each[0])
    shown = [text for strength, text in told if strength > _TELLS][:2] or [text for _, text in told[:1]]
    if weights is not None and kind_means is not None and weights[turn] < _LOWER * kind_means[turn]:
        kind = service.examples[turn].kind
        shown.append(f"its weight is {weights[turn]:.2f}, the mean of its kind, {kind}, {kind_means[turn]:.2f}")
    return "; ".join(shown) or "nothing by itself speaks against it"


def _of_neighbours(service: Service, near: Neighbours, turn: int) -> str:
    count = int(near.counts[turn])
    if not count:
        return ""
    if service.labels is None:
        return f"the answers to the {count} most similar contexts have little in common with it"
    others = round(near.others[turn] * count)
    if not others:
        return ""
    return f"{others} of the {count} turns with the most similar contexts have something else"


def _of_expectation(service: Service, expected: Expectation, turn: int) -> str:
    nearest = expected.nearest[turn]
    if service.texts[nearest] == service.texts[turn]:
        return ""
    like = "" if service.labels is not None else "something like "
    return f"the other dialogs let expect {like}'{shortened(service.texts[nearest])}'"


def _of_loss(service: Service, turn: int) -> str:
    loss = service.losses[turn]
    if not (loss > _DOUBT and loss > np.nanmedian(service.losses)):  # nor where it is not a number
        return ""
    own, usual = (100 * np.exp(-each) for each in (loss, np.nanmedian(service.losses)))
    return f"the trained model gives it {_percent(own)} %, and {_percent(usual)} % to half of its service or more"


def _percent(share: float) -> str:
    return f"{share:.1f}" if share >= 0.1 or share == 0 else "under 0.1"


def shortened(text: str, most: int = _LONG) -> str:
    """A text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def enough(service: Service) -> bool:
    """Whether a service has turns that can contradict each other."""
    return len(service) >= FEW and len(np.unique(service.dialogs)) > 1


def means_by_kind(kinds: Sequence[str], weights: Array) -> Array:
    """For each turn the mean weight of the turns of its kind.

    Args:
        kinds: of the turns of one service.
        weights: of the same turns.
    """
    names, numbers = np.unique(np.array(kinds, dtype=object).astype(str), return_inverse=True)
    counts = np.bincount(numbers, minlength=len(names))
    return np.asarray((np.bincount(numbers, weights, minlength=len(names)) / counts)[numbers])
