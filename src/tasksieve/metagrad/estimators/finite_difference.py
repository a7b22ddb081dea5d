"""The adjoint recursion with central differences in place of second derivatives."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from tasksieve.metagrad.estimators.central_differences import central_differences, norm, slope_differences
from tasksieve.metagrad.estimators.estimator import by_slopes, register
from tasksieve.metagrad.estimators.recursion import recursion
from tasksieve.metagrad.inner_rule import Gradients, Params
from tasksieve.metagrad.problem import AnyUpdate, MetaGradient
from tasksieve.metagrad.steps import Step, losses_and_gradient


@register("finite-difference", second_derivatives=False, one_way_back=True)
@dataclass(frozen=True, slots=True)
class FiniteDifference:
    r"""The adjoint with central differences: no second derivative is taken.

    .. math:: ⟨∇ℓ_i, v⟩ ≈ \frac{ℓ_i(θ + εv) - ℓ_i(θ - εv)}{2ε}, \quad H v ≈ \frac{g(θ + εv) - g(θ - εv)}{2ε}

    Cost: K times three forward and backward passes, less two backward ones. Memory: K copies of θ; no graph is kept.
    Error: of order ε², plus rounding over ε. When: an operation has no second derivative (fused attention, cuDNN
    RNNs, compiled models).

    Attributes:
        radius: ‖εv‖ relative to 1 + ‖θ‖; None for the cube root of the number type's precision.

    Reference: Liu, Simonyan & Yang, 2019 (DARTS), for one step.
    """

    radius: float | None = None

    def __call__(self, update: AnyUpdate) -> MetaGradient:
        """The meta-gradient, up to the error of the differences."""
        return by_slopes(recursion(functools.partial(_Differences, radius=self.radius)), update)


class _Differences:
    def __init__(self, step: Step, params: Params, radius: float | None) -> None:
        self._step, self._params, self._radius = step, params, radius
        self.losses = step.factors

    def gradient(self, factors: Tensor) -> Gradients:
        self.losses, found = losses_and_gradient(self._step, self._params)
        return {name: found.get(name) for name in self._params}

    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, Params]:
        epsilon = self._epsilon(direction)
        if epsilon == 0:
            return self.losses * 0, {}
        return central_differences(self._step, self._params, direction, epsilon)

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        epsilon = self._epsilon(direction)
        if epsilon == 0:
            return self.losses * 0
        return slope_differences(self._step, self._params, direction, epsilon)

    def _epsilon(self, direction: Mapping[str, Tensor]) -> float:
        length = norm(direction)
        radius = self._radius or torch.finfo(self.losses.dtype).eps ** (1 / 3)
        return radius * (1 + norm(self._params)) / length if length else 0.0
