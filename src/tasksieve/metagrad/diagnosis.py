"""After a meta-gradient that is not finite, or far too large: where it went wrong first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tasksieve.metagrad.problem import AnyUpdate
from tasksieve.metagrad.random_draws import cuda_devices, preserved
from tasksieve.metagrad.replay import Place, Reading, Replay

EXPLOSIVE = 10.0
"""A quantity that grows by more than this from one step to the next is worth naming."""

_GROWING = ("loss", "gradient", "params", "adjoint", "slopes")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a replay step by step found.

    Attributes:
        sentence: the finding.
        culprit: the first reading that is not finite, else the first that grew too much; None if there is none.
        growth: by how much it grew; infinite if it is not finite, 1 without a culprit.
        readings: all of them, in the order in which they were taken, up to the first that is not finite.
    """

    sentence: str
    culprit: Reading | None
    growth: float
    readings: tuple[Reading, ...]


def diagnose(update: AnyUpdate, explosive: float = EXPLOSIVE) -> Diagnosis:
    """Replay a meta-gradient forward and back, with a look at every quantity on the way.

    Args:
        update: as the estimator was given it; it is left as it is, and so are torch's generators.
        explosive: growth from one step to the next, or over all of them, that counts as too much.
    Returns: which quantity, at which simulated step and batch, is the first that is not finite or grows too much.

    Cost: that of the ``adjoint`` estimator, and a wait for the device at every reading.
    """
    with preserved(cuda_devices(update.simulation.params)):
        replay = Replay(update)
    readings = tuple(replay.readings)
    last = readings[-1]
    if last.finite:
        culprit, growth, sentence = _grown(readings, replay.steps, explosive)
    else:
        sentence = f"{_where(last.place, replay.steps)}the {_what(last)} is the first that is not finite"
        culprit, growth = last, math.inf
    if replay.note:
        sentence += f"; the way back could not be replayed: {replay.note}"
    return Diagnosis(sentence, culprit, growth, readings)


def _grown(readings: Sequence[Reading], steps: int, explosive: float) -> tuple[Reading | None, float, str]:
    """The first reading that is much larger than the one before it of its kind, else the largest rise over all."""
    first: dict[tuple[str, str | None], Reading] = {}
    last: dict[tuple[str, str | None], Reading] = {}
    rises: list[tuple[float, Reading]] = []
    for reading in readings:
        if reading.quantity not in _GROWING:
            continue
        kind = reading.place.kind if reading.quantity in ("loss", "gradient") else None
        before = last.get((reading.quantity, kind))
        if before is not None and before.size > 0:
            growth = reading.size / before.size
            if growth > explosive:
                risen = f"grew {growth:.3g}-fold in one step, from {before.size:.3g} to {reading.size:.3g}"
                return reading, growth, f"{_where(reading.place, steps)}the {_what(reading)} {risen}"
        start = first.setdefault((reading.quantity, kind), reading)
        last[reading.quantity, kind] = reading
        if start.size > 0:
            rises.append((reading.size / start.size, reading))
    growth, reading = max(rises, key=lambda rise: rise[0], default=(1.0, readings[-1]))
    if growth > explosive:
        risen = f"has grown {growth:.3g}-fold to {reading.size:.3g}, by no more than {explosive:g}-fold in any step"
        return reading, growth, f"{_where(reading.place, steps)}the {_what(reading)} {risen}"
    sizes = ", ".join(f"{reading.quantity} {reading.size:.3g}" for reading in readings[-3:])
    return None, 1.0, f"nothing is out of the ordinary in {steps} simulated steps; it ends with {sizes}"


def _where(place: Place, steps: int) -> str:
    if place.step == 0:
        return "before the first simulated step "
    if place.step is None:
        return "at the meta-loss " if place.kind == "meta" else "behind the weight module "
    way = "going back over" if place.back else "at"
    return f"{way} simulated step {place.step} of {steps} ({place.kind} batch {place.batch}) "


def _what(reading: Reading) -> str:
    return reading.quantity if reading.parameter is None else f"{reading.quantity} of '{reading.parameter}'"
