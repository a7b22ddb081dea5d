"""Implicit differentiation by a truncated Neumann series."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from tasksieve.metagrad.estimators.estimator import by_slopes, register
from tasksieve.metagrad.estimators.implicit import ByBatch, Curvature, added, implicit, times
from tasksieve.metagrad.inner_rule import Params
from tasksieve.metagrad.problem import AnyUpdate, MetaGradient


@register("neumann")
@dataclass(frozen=True, slots=True)
class Neumann:
    r"""Implicit differentiation by a truncated Neumann series.

    .. math:: v ≈ \sum_{j<J} \big((1-δ) I - Q H\big)^j Q ∇L_P(θ_K)

    It is the meta-gradient of J steps, each on all simulated batches, taken from a minimum at θ_K. It converges where
    all eigenvalues of QH are between -δ and 2 - δ; elsewhere more terms make it worse.

    Cost: K forward and backward passes to θ_K, as many again there, and J K double-backward passes. Memory: K short
    graphs, whatever J. When: K simulated steps are few against those that learning takes, and β is small.

    Attributes:
        terms: J.
        damping: δ, at least 0.

    Reference: Lorraine, Vicol & Duvenaud, 2020.
    """

    terms: int = 20
    damping: float = 0.0

    def __call__(self, update: AnyUpdate) -> MetaGradient:
        """The meta-gradient."""
        return by_slopes(implicit(self._solve), update)

    def _solve(self, curvature: Curvature, gains: Params, adjoint: Params) -> ByBatch:
        term = times(adjoint, gains)
        total: ByBatch = {}
        for _ in range(self.terms):
            slopes, product = curvature.along(term)
            total = added(total, slopes, 1.0)
            moved = times(product, gains)
            term = {name: torch.sub(value * (1 - self.damping), moved[name]) for name, value in term.items()}
        return total
