r"""The adjoint recursion, and the estimators that are variations of it.

With the real steps :math:`θ_k` simulated forward, :math:`λ_K = ∇L_P(θ_K)` is carried back through them:

.. math:: \frac{∂ L_P}{∂ c_{k,i}} = ⟨μ_k, ∇ℓ_i(θ_{k-1})⟩, \qquad λ_{k-1} = λ_k + H_k μ_k, \qquad
   H_k = \sum_i c_{k,i} ∇^2 ℓ_i(θ_{k-1}),

where :math:`μ_k` is the cotangent of the step's gradient: :math:`-β λ_k` for gradient descent, and the transpose of
the step's derivative for any other rule.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tasksieve.metagrad.estimators.central import central_differences, norm
from tasksieve.metagrad.estimators.estimator import by_slopes, losses_and_gradient, moved_by, turned_at
from tasksieve.metagrad.estimators.tape import Linearize, Tape
from tasksieve.metagrad.inner import Cotangents, Gradients, InnerRule, Params, State
from tasksieve.metagrad.linearization import AutogradLinearization, ForwardOverReverse, Linearization
from tasksieve.metagrad.problem import BilevelProblem, MetaGradient, Simulation, Step


@dataclass(frozen=True, slots=True)
class Adjoint:
    r"""Exact, without a long graph: one Hessian-vector product a step.

    Cost: K forward, backward and double-backward passes, and one of the primary batch. Memory: K short graphs, each
    freed when the recursion has passed it; with Adam K copies of gradients and moments. When: the default.

    Attributes:
        forward_over_reverse: take the products by forward-mode differentiation of the backward pass. No graph is kept
            then, only K copies of θ; it costs K forward and backward passes more, and all operations must have
            forward-mode derivatives. A model's own linearization is used all the same.
    """

    forward_over_reverse: bool = False

    def __call__(
        self,
        problem: BilevelProblem[Any, Any],
        rule: InnerRule,
        simulation: Simulation[Any, Any],
        weight_params: Params,
    ) -> MetaGradient:
        """The meta-gradient."""
        linearize = _forward_over_reverse if self.forward_over_reverse and problem.linearize is None else _own
        return by_slopes(_recursion(linearize, None), problem, rule, simulation, weight_params)


@dataclass(frozen=True, slots=True)
class Recompute:
    r"""Exact, with memory for few steps: the simulation is replayed from checkpoints, segment by segment.

    Cost: as ``adjoint``, and K forward and backward passes more. Memory: K / ``every`` copies of θ (and moments), and
    ``every`` short graphs; with the default, √K of each. When: K is large, or the model is.

    Attributes:
        every: steps between checkpoints; None for √K, 1 for the fewest graphs and K copies of θ.
    """

    every: int | None = None

    def __call__(
        self,
        problem: BilevelProblem[Any, Any],
        rule: InnerRule,
        simulation: Simulation[Any, Any],
        weight_params: Params,
    ) -> MetaGradient:
        """The meta-gradient."""
        every = self.every or max(1, math.isqrt(len(simulation.related_batches)))
        return by_slopes(_recursion(_own, every), problem, rule, simulation, weight_params)


@dataclass(frozen=True, slots=True)
class FirstOrder:
    r"""The adjoint without the Hessian: :math:`λ_{k} = ∇L_P(θ_K)` for all k. Exact for K = 1.

    Cost: K forward and two backward passes. Memory: as ``adjoint``. Bias: of the order of K β times the Hessian.
    When: second derivatives cost much and β is small.
    """

    def __call__(
        self,
        problem: BilevelProblem[Any, Any],
        rule: InnerRule,
        simulation: Simulation[Any, Any],
        weight_params: Params,
    ) -> MetaGradient:
        """The meta-gradient, without its terms of second order."""
        return by_slopes(_recursion(_without_hessian, None), problem, rule, simulation, weight_params)


@dataclass(frozen=True, slots=True)
class FiniteDifference:
    r"""The adjoint with central differences: no second derivative is taken.

    .. math:: ⟨∇ℓ_i, v⟩ ≈ \frac{ℓ_i(θ + εv) - ℓ_i(θ - εv)}{2ε}, \quad H v ≈ \frac{g(θ + εv) - g(θ - εv)}{2ε}

    Cost: K times three forward and backward passes. Memory: K copies of θ; no graph is kept. Error: of order ε², plus
    rounding over ε. When: an operation has no second derivative (fused attention, cuDNN RNNs, compiled models).

    Attributes:
        radius: ‖εv‖ relative to 1 + ‖θ‖; None for the cube root of the number type's precision.

    Reference: Liu, Simonyan & Yang, 2019 (DARTS), for one step.
    """

    radius: float | None = None

    def __call__(
        self,
        problem: BilevelProblem[Any, Any],
        rule: InnerRule,
        simulation: Simulation[Any, Any],
        weight_params: Params,
    ) -> MetaGradient:
        """The meta-gradient, up to the error of the differences."""

        def linearize(step: Step, params: Params) -> Linearization:
            return _Differences(step, params, self.radius)

        return by_slopes(_recursion(linearize, None), problem, rule, simulation, weight_params)


class _WithoutHessian:
    def __init__(self, inner: Linearization) -> None:
        self._inner = inner

    @property
    def losses(self) -> Tensor:
        return self._inner.losses

    def gradient(self, factors: Tensor) -> Gradients:
        return self._inner.gradient(factors)

    def second(self, direction: Params) -> tuple[Tensor, Params]:
        return self._inner.slopes(direction), {}

    def slopes(self, direction: Params) -> Tensor:
        return self._inner.slopes(direction)


class _Differences:
    def __init__(self, step: Step, params: Params, radius: float | None) -> None:
        self._step, self._params, self._radius = step, params, radius
        self.losses = step.factors

    def gradient(self, factors: Tensor) -> Gradients:
        self.losses, found = losses_and_gradient(self._step, self._params)
        return {name: found.get(name) for name in self._params}

    def second(self, direction: Params) -> tuple[Tensor, Params]:
        epsilon = self._epsilon(direction)
        if epsilon == 0:
            return self.losses * 0, {}
        return central_differences(self._step, self._params, direction, epsilon)

    def slopes(self, direction: Params) -> Tensor:
        return self.second(direction)[0]

    def _epsilon(self, direction: Params) -> float:
        length = norm(direction)
        radius = self._radius or torch.finfo(self.losses.dtype).eps ** (1 / 3)
        return radius * (1 + norm(self._params)) / length if length else 0.0


def _recursion(linearize: Linearize, every: int | None) -> Any:
    """The slopes by the recursion, with all steps kept, or with checkpoints of θ every so many."""

    def slopes(
        steps: Sequence[Step], rule: InnerRule, simulation: Simulation[Any, Any], meta: Step
    ) -> tuple[Tensor, dict[int, Tensor]]:
        params: Params = {name: value.detach() for name, value in simulation.params.items()}
        state: State = simulation.state or {}
        size = every or max(1, len(steps))
        segments = [steps[first : first + size] for first in range(0, len(steps), size)]
        starts = []
        for segment in segments[:-1]:
            starts.append((params, state))
            params, state = moved_by(segment, rule, params, state)
        tape = Tape(linearize, rule)
        if segments:
            params = tape.forward(segments[-1], params, state)
        losses, adjoint = turned_at(meta, params)
        cotangents = Cotangents(adjoint, {}, {})
        found: dict[int, Tensor] = {}
        cotangents = tape.backward(cotangents, found, first=not starts)
        while starts:
            params, state = starts.pop()
            tape.forward(segments[len(starts)], params, state)
            cotangents = tape.backward(cotangents, found, first=not starts)
        return losses @ meta.factors, found

    return slopes


def _own(step: Step, params: Params) -> Linearization:
    linear = step.linearize(params)
    if isinstance(linear, AutogradLinearization):
        linear.again = False
    return linear


def _forward_over_reverse(step: Step, params: Params) -> Linearization:
    return ForwardOverReverse(step.losses, params)


def _without_hessian(step: Step, params: Params) -> Linearization:
    return _WithoutHessian(step.linearize(params))
