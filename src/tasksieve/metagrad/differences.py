"""Second derivatives held against first ones, and those against values."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tasksieve.metagrad.automatic_differentiation import AutogradLinearization
from tasksieve.metagrad.estimators.central_differences import central_differences, norm
from tasksieve.metagrad.inner_rule import Params
from tasksieve.metagrad.steps import Step, losses_and_gradient

_RADII = {torch.float64: (1.0, 1e-2, 1e-4), torch.float32: (1.0, 0.1, 0.01)}
_ENOUGH = 0.005
_ROUNDINGS = 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """Relative errors of a step's derivatives in one direction, beyond what rounding explains.

    Attributes:
        slopes: of ⟨∇ℓ_i, v⟩, as a second backward pass gives it, against the gradient: exact but for rounding.
        first: of the same against differences of the losses. Large where the gradient is not the losses' derivative
            and not meant to be, as behind ``detach()``.
        second: of H v against differences of the gradient.
    """

    slopes: float
    first: float
    second: float


def compare(step: Step, params: Params) -> Comparison:
    """Take a step's second derivatives and hold them against its first ones.

    Differences are taken at several distances from θ, and the best counts: a large one straddles kinks, which
    automatic differentiation passes over, and a small one drowns in rounding. Where there are many kinks, as with
    ReLU, only float64 allows distances that are small enough.

    Args:
        step: whose losses, in float32 or float64.
        params: θ.
    """
    losses, gradient = losses_and_gradient(step, params)
    linear = step.linearize(params)
    linear.gradient(step.factors)
    direction = telling_direction(gradient, params)
    slopes, product = linear.second(direction)
    precision = torch.finfo(losses.dtype).eps
    first, second = math.inf, math.inf
    for radius in _RADII[losses.dtype]:
        epsilon = radius * precision ** (1 / 3) * (1 + norm(params))
        noise = _ROUNDINGS * precision / epsilon
        steepness, change = central_differences(step, params, direction, epsilon)
        first = min(first, _distance({"": slopes}, {"": steepness}, noise * norm({"": losses})))
        second = min(second, _distance(product, change, noise * norm(gradient)))
        if first < _ENOUGH and second < _ENOUGH:
            break
    return Comparison(_error_of_slopes(step, params, direction, slopes), first, second)


def second_derivatives_agree(step: Step, params: Params) -> bool:
    """Whether a step's own linearization gives what automatic differentiation of its losses gives, up to rounding.

    Where the losses cannot be differentiated twice the answer is no.
    """
    _, gradient = losses_and_gradient(step, params)
    direction = telling_direction(gradient, params)
    found = []
    for linear in (step.linearize(params), AutogradLinearization(step.losses, params)):
        linear.gradient(step.factors)
        try:
            found.append(linear.second(direction)[1])
        except (RuntimeError, NotImplementedError):
            return False
    return _distance(found[0], found[1], 0.0) < _ENOUGH


def is_random(step: Step, params: Params) -> bool:
    """Whether the same losses at the same θ differ from call to call, by more than rounding.

    What comes from torch's own generators does not, as every call draws the same.
    """
    with torch.no_grad():
        return not torch.allclose(step.losses(params), step.losses(params), rtol=1e-3, equal_nan=True)


def telling_direction(gradient: Params, params: Params) -> Params:
    """Half the gradient, along which curvature shows, and half random, so that no parameter is left out.

    Args:
        gradient: of some losses.
        params: θ; what has no gradient has no direction either.
    Returns: a direction of a length of about 1, always the same.
    """
    generator = torch.Generator().manual_seed(0)
    drawn = {
        name: torch.randn(value.shape, generator=generator, dtype=torch.float64).to(value)
        for name, value in params.items()
        if name in gradient
    }
    along, across = norm(gradient) or 1.0, norm(drawn) or 1.0
    return {name: gradient[name] / along + value / across for name, value in drawn.items()}


def _error_of_slopes(step: Step, params: Params, direction: Params, slopes: Tensor) -> float:
    """Any mixture of the slopes is the slope of that mixture of the losses, and that takes one backward pass."""
    drawn = torch.randn(slopes.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(slopes)
    _, gradient = losses_and_gradient(replace(step, factors=drawn), params)
    truth = math.fsum(float((value * direction[name]).sum()) for name, value in gradient.items() if name in direction)
    size = max(norm({"": drawn}) * norm({"": slopes}), abs(truth))
    return abs(float(drawn @ slopes) - truth) / size if size else 0.0


def _distance(found: Params, truth: Params, floor: float) -> float:
    names = found.keys() | truth.keys()
    either = found | truth
    away = {name: found[name] - truth[name] if name in found and name in truth else either[name] for name in names}
    distance, size = norm(away), max(norm(found), norm(truth))
    if not math.isfinite(distance):
        return math.inf
    return max(0.0, distance - floor) / size if size else 0.0
