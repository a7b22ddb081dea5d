"""The adjoint recursion from checkpoints."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tasksieve.metagrad.estimators.estimator import by_slopes, register
from tasksieve.metagrad.estimators.recursion import once, recursion
from tasksieve.metagrad.problem import AnyUpdate, MetaGradient


@register("recompute")
@dataclass(frozen=True, slots=True)
class Recompute:
    r"""Exact, with memory for few steps: the simulation is replayed from checkpoints, segment by segment.

    Cost: as ``adjoint``, and K forward and backward passes more. Memory: K / ``every`` copies of θ (and moments), and
    ``every`` short graphs; with the default, √K of each. When: K is large, or the model is.

    Attributes:
        every: steps between checkpoints; None for √K, 1 for the fewest graphs and K copies of θ.
    """

    every: int | None = None

    def __call__(self, update: AnyUpdate) -> MetaGradient:
        """The meta-gradient."""
        every = self.every or max(1, math.isqrt(len(update.simulation.related_batches)))
        return by_slopes(recursion(once, every), update)
