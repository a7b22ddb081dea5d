"""The adjoint recursion without the Hessian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from tasksieve.contracts import Linearization
from tasksieve.metagrad.estimators.estimator import by_slopes, register
from tasksieve.metagrad.estimators.recursion import recursion
from tasksieve.metagrad.inner_rule import Gradients, Params
from tasksieve.metagrad.problem import AnyUpdate, MetaGradient
from tasksieve.metagrad.steps import Step


@register("first-order")
@dataclass(frozen=True, slots=True)
class FirstOrder:
    r"""The adjoint without the Hessian: :math:`λ_{k} = ∇L_P(θ_K)` for all k. Exact for K = 1.

    Cost: K forward and two backward passes. Memory: as ``adjoint``. Bias: of the order of K β times the Hessian.
    When: second derivatives cost much and β is small.
    """

    def __call__(self, update: AnyUpdate) -> MetaGradient:
        """The meta-gradient, without its terms of second order."""
        return by_slopes(recursion(_without_hessian), update)


class _WithoutHessian:
    def __init__(self, inner: Linearization) -> None:
        self._inner = inner

    @property
    def losses(self) -> Tensor:
        return self._inner.losses

    def gradient(self, factors: Tensor) -> Gradients:
        return self._inner.gradient(factors)

    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, Params]:
        return self._inner.slopes(direction), {}

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        return self._inner.slopes(direction)


def _without_hessian(step: Step, params: Params) -> Linearization:
    return _WithoutHessian(step.linearize(params))
