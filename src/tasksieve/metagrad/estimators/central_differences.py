"""Central differences of a step's losses and of their gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from tasksieve.metagrad.inner_rule import Params
from tasksieve.metagrad.steps import Step, losses_and_gradient


def central_differences(
    step: Step, params: Params, direction: Mapping[str, Tensor], epsilon: float
) -> tuple[Tensor, Params]:
    r"""Slopes :math:`⟨∇ℓ_i, v⟩` and the Hessian-vector product :math:`H v`, up to errors of order ε².

    Args:
        step: whose losses, times its factors for the product.
        params: θ.
        direction: v; a name that is missing stands for zeros.
        epsilon: ε, above 0.
    Cost: two forward and backward passes.
    """
    above, below = (losses_and_gradient(step, moved(params, direction, sign * epsilon)) for sign in (1, -1))
    product = {name: (value - below[1][name]) / (2 * epsilon) for name, value in above[1].items()}
    return (above[0] - below[0]) / (2 * epsilon), product


def norm(params: Mapping[str, Tensor]) -> float:
    """The Euclidean norm of all values together, taken in double precision."""
    return math.sqrt(sum(float(value.detach().double().square().sum()) for value in params.values()))


@torch.no_grad()
def slope_differences(step: Step, params: Params, direction: Mapping[str, Tensor], epsilon: float) -> Tensor:
    """The slopes by themselves, as :func:`central_differences` gives them.

    Cost: two forward passes, without a graph.
    """
    above, below = (step.losses(moved(params, direction, sign * epsilon)) for sign in (1, -1))
    return (above - below) / (2 * epsilon)


def moved(params: Params, direction: Mapping[str, Tensor], length: float) -> Params:
    """The parameters some way along a direction, detached; those that it lacks stay where they are."""
    return {
        name: value.detach().add(direction[name], alpha=length) if name in direction else value
        for name, value in params.items()
    }
