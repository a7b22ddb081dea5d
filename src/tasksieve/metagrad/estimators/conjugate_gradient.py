"""Implicit differentiation by conjugate gradients."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from tasksieve.metagrad.estimators.estimator import by_slopes, register
from tasksieve.metagrad.estimators.implicit import ByBatch, Curvature, added, implicit, times
from tasksieve.metagrad.inner_rule import Params
from tasksieve.metagrad.problem import AnyUpdate, MetaGradient


@register("cg")
@dataclass(frozen=True, slots=True)
class ConjugateGradient:
    r"""Implicit differentiation by conjugate gradients.

    With :math:`v = Q^{1/2} y` the system is :math:`(Q^{1/2} H Q^{1/2} + δ I) y = Q^{1/2} ∇L_P`, symmetric, with the
    rule's preconditioner on both sides. The solver stops at a direction of no or negative curvature; if that is the
    first one, :math:`v = Q ∇L_P` is taken.

    Cost: K forward and backward passes to θ_K, as many again there, and K double-backward passes an iteration.
    Memory: K short graphs, and a few copies of θ. When: as ``neumann``, and the related loss is nearly convex.

    Attributes:
        iterations: at most so many.
        damping: δ, at least 0; where H is not positive it keeps v bounded.
        tolerance: of the residual, relative to ∇L_P.

    Reference: Pedregosa, 2016; Rajeswaran, Finn, Kakade & Levine, 2019.
    """

    iterations: int = 20
    damping: float = 0.1
    tolerance: float = 1e-10

    def __call__(self, update: AnyUpdate) -> MetaGradient:
        """The meta-gradient."""
        return by_slopes(implicit(self._solve), update)

    def _solve(self, curvature: Curvature, gains: Params, adjoint: Params) -> ByBatch:
        roots = {name: value.sqrt() for name, value in gains.items()}
        residual = direction = times(adjoint, roots)
        size = _inner(residual, residual)
        goal = size * self.tolerance**2
        total: ByBatch = {}
        for number in range(self.iterations):
            if size <= goal:
                break
            slopes, product = curvature.along(times(direction, roots))
            moved = _sum(times(product, roots), direction, self.damping)
            bend = _inner(direction, moved)
            if bend <= 0:
                return slopes if number == 0 else total
            total = added(total, slopes, size / bend)
            residual = _sum(residual, moved, -size / bend)
            before, size = size, _inner(residual, residual)
            direction = _sum(residual, direction, size / before)
        return total


def _sum(first: Params, second: Params, factor: float) -> Params:
    return {name: torch.add(value, second[name], alpha=factor) for name, value in first.items()}


def _inner(first: Params, second: Params) -> float:
    return float(sum(float((value * second[name]).sum()) for name, value in first.items()))
