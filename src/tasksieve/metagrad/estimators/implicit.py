r"""Implicit differentiation: as if θ_K were where learning from the simulated batches ends.

With :math:`F(θ) = \frac{1}{n} \sum_{k,i} c_{k,i} ℓ_{k,i}(θ)` over the n simulated steps and :math:`∇F(θ^*) = 0`, the
implicit function theorem gives :math:`∂θ^*/∂c_{k,i} = -\frac{1}{n} (∇^2 F)^{-1} ∇ℓ_{k,i}`, hence

.. math:: \frac{∂ L_P(θ^*)}{∂ c_{k,i}} = -\frac{1}{n} ⟨v, ∇ℓ_{k,i}(θ_K)⟩, \qquad
   v = (H + δ Q^{-1})^{-1} ∇L_P(θ_K), \quad H = ∇^2 F(θ_K) .

Q is the rule's preconditioner: β for gradient descent, :math:`β / (\sqrt{\hat v} + ε)` for Adam. With it δ has no
unit: each step forgets that share of what earlier ones did, as under decoupled weight decay of δ / β. Where the
rule's preconditioner is 0, v is too.

No graph of the simulation is kept, and the horizon is that of the solver, not K. It is exact only at a minimum; a
decay in the rule itself is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tasksieve.metagrad.estimators.estimator import by_slopes, moved_by, turned_at
from tasksieve.metagrad.inner import InnerRule, Params
from tasksieve.metagrad.problem import BilevelProblem, MetaGradient, Simulation, Step

Slopes = dict[int, Tensor]


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

    def __call__(
        self,
        problem: BilevelProblem[Any, Any],
        rule: InnerRule,
        simulation: Simulation[Any, Any],
        weight_params: Params,
    ) -> MetaGradient:
        """The meta-gradient."""
        return by_slopes(_implicit(self._solve), problem, rule, simulation, weight_params)

    def _solve(self, curvature: Curvature, gains: Params, adjoint: Params) -> Slopes:
        term = _times(adjoint, gains)
        total: Slopes = {}
        for _ in range(self.terms):
            slopes, product = curvature.along(term)
            total = _plus(total, slopes, 1.0)
            moved = _times(product, gains)
            term = {name: torch.sub(value * (1 - self.damping), moved[name]) for name, value in term.items()}
        return total


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

    def __call__(
        self,
        problem: BilevelProblem[Any, Any],
        rule: InnerRule,
        simulation: Simulation[Any, Any],
        weight_params: Params,
    ) -> MetaGradient:
        """The meta-gradient."""
        return by_slopes(_implicit(self._solve), problem, rule, simulation, weight_params)

    def _solve(self, curvature: Curvature, gains: Params, adjoint: Params) -> Slopes:
        roots = {name: value.sqrt() for name, value in gains.items()}
        residual = direction = _times(adjoint, roots)
        size = _inner(residual, residual)
        goal = size * self.tolerance**2
        total: Slopes = {}
        for number in range(self.iterations):
            if size <= goal:
                break
            slopes, product = curvature.along(_times(direction, roots))
            moved = _sum(_times(product, roots), direction, self.damping)
            bend = _inner(direction, moved)
            if bend <= 0:
                return slopes if number == 0 else total
            total = _plus(total, slopes, size / bend)
            residual = _sum(residual, moved, -size / bend)
            before, size = size, _inner(residual, residual)
            direction = _sum(residual, direction, size / before)
        return total


class Curvature:
    """The simulated batches' losses around θ_K.

    Args:
        steps: at least one.
        params: θ_K.
    Attributes:
        names: of the parameters that a loss depends on.
    """

    def __init__(self, steps: Sequence[Step], params: Params) -> None:
        self._around = [(step.number, step.linearize(params)) for step in steps]
        gradients = [linear.gradient(step.factors) for step, (_, linear) in zip(steps, self._around, strict=True)]
        self.names = [name for name in params if any(found.get(name) is not None for found in gradients)]

    def along(self, direction: Params) -> tuple[Slopes, Params]:
        """The slopes -⟨∇ℓ_i, direction⟩ / n of the related batches, and H times the direction, by its names."""
        share = 1 / len(self._around)
        total = {name: torch.zeros_like(value) for name, value in direction.items()}
        found: Slopes = {}
        for number, linear in self._around:
            slopes, product = linear.second(direction)
            if number is not None:
                found[number] = slopes * -share
            total = {
                name: value + product[name] * share if name in product else value for name, value in total.items()
            }
        return found, total


def _implicit(solve: Callable[[Curvature, Params, Params], Slopes]) -> Any:
    """The slopes at the end of the simulated steps."""

    def slopes(
        steps: Sequence[Step], rule: InnerRule, simulation: Simulation[Any, Any], meta: Step
    ) -> tuple[Tensor, Slopes]:
        start: Params = {name: value.detach() for name, value in simulation.params.items()}
        params, state = moved_by(steps, rule, start, simulation.state or {})
        losses, adjoint = turned_at(meta, params)
        gains = rule.preconditioner(params, state)
        if not steps:
            return losses @ meta.factors, {}
        curvature = Curvature(steps, params)
        known = {
            name: adjoint[name] if name in adjoint else torch.zeros_like(params[name])
            for name in curvature.names
            if name in gains
        }
        return losses @ meta.factors, solve(curvature, gains, known)

    return slopes


def _times(first: Params, second: Params) -> Params:
    return {name: value * second[name] for name, value in first.items()}


def _plus(first: Slopes, second: Slopes, times: float) -> Slopes:
    return {number: value * times + first.get(number, 0.0) for number, value in second.items()}


def _sum(first: Params, second: Params, times: float) -> Params:
    return {name: torch.add(value, second[name], alpha=times) for name, value in first.items()}


def _inner(first: Params, second: Params) -> float:
    return float(sum(float((value * second[name]).sum()) for name, value in first.items()))
