"""The closed form for one simulated step, by forward-mode differentiation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd import forward_ad

from tasksieve.metagrad.estimators.estimator import by_slopes, register
from tasksieve.metagrad.inner_rule import Cotangents, Params
from tasksieve.metagrad.problem import AnyUpdate, MetaGradient
from tasksieve.metagrad.steps import Step, Unroll


@register("one-step", one_way_back=True, single_step=True)
@dataclass(frozen=True, slots=True)
class OneStep:
    r"""Exact for K = 1: the slope of every related loss along the cotangent of the step's gradient.

    .. math:: \frac{∂ L_P(θ')}{∂ w_i} = ⟨μ, ∇ℓ_i(θ)⟩, \qquad μ = -β ∇L_P(θ') \text{ for gradient descent},

    one Jacobian-vector product for all examples together (Eq. 14 with its sign).

    Cost: two forward and backward passes, and one forward pass with tangents. Memory: one graph at a time. When: K is
    1, as on MNIST in the paper.

    Raises: ValueError: if more than one step is simulated.
    """

    def __call__(self, update: AnyUpdate) -> MetaGradient:
        """The meta-gradient."""
        return by_slopes(_slopes, update)


def _slopes(unroll: Unroll) -> tuple[Tensor, dict[int, Tensor]]:
    steps, params, meta = unroll.steps, unroll.params, unroll.meta
    if len(steps) > 1:
        raise ValueError(f"the one-step estimator simulates one step, not {len(steps)}; take unroll_length = 1")
    if not steps:
        return meta.losses(params).detach() @ meta.factors, {}
    (step,) = steps
    found = step.gradient(params)[1]
    gradients = {name: found.get(name) for name in params}
    moved, after = unroll.rule.step(params, gradients, unroll.state)
    losses, adjoint = meta.gradient(moved)
    direction, _ = unroll.rule.pullback(gradients, after, Cotangents(adjoint, {}, {}))
    return losses @ meta.factors, {0: slopes_along(step, params, direction)}


def slopes_along(step: Step, params: Params, direction: Params) -> Tensor:
    """⟨∇ℓ_i, v⟩ of a step's losses, by forward mode where all operations have it, else by two backward passes.

    Args:
        step: whose losses.
        params: θ.
        direction: v; a name that is missing stands for zeros.
    """
    try:
        with forward_ad.dual_level():
            duals = {
                name: forward_ad.make_dual(value.detach(), direction[name])  # type: ignore[no-untyped-call]
                if name in direction
                else value
                for name, value in params.items()
            }
            tangent: Tensor | None = forward_ad.unpack_dual(step.losses(duals)).tangent  # type: ignore[no-untyped-call]
        return torch.zeros_like(step.factors) if tangent is None else tangent
    except (NotImplementedError, RuntimeError):
        linear = step.linearize(params)
        linear.gradient(step.factors)
        return linear.second(direction)[0]
