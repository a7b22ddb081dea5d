"""Central differences of a step's losses and of their gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping

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
    above, below = (losses_and_gradient(step, _moved(params, direction, sign * epsilon)) for sign in (1, -1))
    product = {name: (value - below[1][name]) / (2 * epsilon) for name, value in above[1].items()}
    return (above[0] - below[0]) / (2 * epsilon), product


def norm(params: Mapping[str, Tensor]) -> float:
    """The Euclidean norm of all values together, taken in double precision."""
    return math.sqrt(sum(float(value.detach().double().square().sum()) for value in params.values()))


def _moved(params: Params, direction: Mapping[str, Tensor], length: float) -> Params:
    return {
        name: value.detach().add(direction[name], alpha=length) if name in direction else value
        for name, value in params.items()
    }
