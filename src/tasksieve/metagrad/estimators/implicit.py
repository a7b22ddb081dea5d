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

import functools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tasksieve.metagrad.estimators.estimator import Slopes, moved_by
from tasksieve.metagrad.inner_rule import Params
from tasksieve.metagrad.steps import Step, Unroll

ByBatch = dict[int, Tensor]
"""Slopes by the related batch's number."""


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

    def along(self, direction: Params) -> tuple[ByBatch, Params]:
        """The slopes -⟨∇ℓ_i, direction⟩ / n of the related batches, and H times the direction, by its names."""
        share = 1 / len(self._around)
        total = {name: torch.zeros_like(value) for name, value in direction.items()}
        found: ByBatch = {}
        for number, linear in self._around:
            slopes, product = linear.second(direction)
            if number is not None:
                found[number] = slopes * -share
            total = {
                name: value + product[name] * share if name in product else value for name, value in total.items()
            }
        return found, total


Solver = Callable[[Curvature, Params, Params], ByBatch]
"""(curvature, Q, ∇L_P), by the names of what a loss depends on, to the slopes along the solution v."""


def implicit(solve: Solver) -> Slopes:
    """The slopes at the end of the simulated steps.

    Args:
        solve: the way to v.
    """

    return functools.partial(_slopes, solve)


def _slopes(solve: Solver, unroll: Unroll) -> tuple[Tensor, ByBatch]:
    params, state = moved_by(unroll.steps, unroll.rule, unroll.params, unroll.state)
    losses, adjoint = unroll.meta.gradient(params)
    if not unroll.steps:
        return losses @ unroll.meta.factors, {}
    gains, curvature = unroll.rule.preconditioner(params, state), Curvature(unroll.steps, params)
    known = {
        name: adjoint[name] if name in adjoint else torch.zeros_like(params[name])
        for name in curvature.names
        if name in gains
    }
    return losses @ unroll.meta.factors, solve(curvature, gains, known)


def times(first: Params, second: Params) -> Params:
    """The product, element by element."""
    return {name: value * second[name] for name, value in first.items()}


def added(total: ByBatch, slopes: ByBatch, factor: float) -> ByBatch:
    """The sum of slopes with some more, times a factor."""
    return {number: value * factor + total.get(number, 0.0) for number, value in slopes.items()}
