r"""How far central differences of losses are from the slopes they stand for, without a second derivative.

The slope of unit u along a direction v is :math:`⟨∇S_u, v⟩`: a plain backward pass for each unit tells it exactly,
for the same random numbers. So the error of

.. math:: \frac{S_u(θ + εv) - S_u(θ - εv)}{2ε}

is measured and not guessed, and the radius taken at which it is least: a large one meets the curvature, a small one
drowns in rounding, which in bfloat16 is soon.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from tasksieve.integrations.passes import PlacedPass
from tasksieve.metagrad import Cotangents, MetaUpdate, Params
from tasksieve.metagrad.distributed import shared, sum_over_ranks
from tasksieve.metagrad.estimators.central_differences import norm, slope_differences
from tasksieve.metagrad.random_draws import RandomState, cuda_devices
from tasksieve.metagrad.steps import Step, Weights, unroll_of

RADII = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
"""Candidates for the length of εv, relative to 1 + ‖θ‖."""
UNITS = 8
"""So many units' slopes are measured, with a backward pass each."""


@dataclass(frozen=True, slots=True)
class DifferenceError:
    """Slopes by central differences beside the exact ones, of the first simulated step.

    Attributes:
        radius: length of εv relative to 1 + ‖θ‖.
        relative: distance over the exact slopes' norm; 0 where both are zero.
        cosine: of the angle between the two.
    """

    radius: float
    relative: float
    cosine: float


def slope_errors(
    update: MetaUpdate[Any, Any], radii: Sequence[float], *, several: bool = False
) -> list[DifferenceError]:
    """The error at each radius.

    Args:
        update: whose problem's losses are a :class:`PlacedPass`.
        radii: as :attr:`DifferenceError.radius`.
        several: whether each process has a share of every batch.

    Cost: two steps for the direction, a forward and up to :data:`UNITS` backward passes, and two forward passes a
    radius.
    """
    simulation = replace(update.simulation, related_batches=update.simulation.related_batches[:1])
    first = replace(update, simulation=simulation)
    state = RandomState(cuda_devices(simulation.params))
    common = replace(first, problem=shared(first.problem)) if several else first
    params, direction = _direction(common)
    state.restore()
    step = _steps(first).steps[0]
    exact = _exact(update.problem.related_losses, step, params, direction)
    length = norm(direction)
    found = []
    for radius in radii:
        epsilon = radius * (1 + norm(params)) / length if length else 0.0
        slopes = (
            slope_differences(step, params, direction, epsilon)[: len(exact)] if epsilon else torch.zeros_like(exact)
        )
        found.append(_compared(radius, slopes, exact, several))
    return found


def _steps(update: MetaUpdate[Any, Any]) -> Any:
    eta = {name: value.detach() for name, value in update.weight_params.items()}
    return unroll_of(update, Weights(update)(eta))


def _direction(update: MetaUpdate[Any, Any]) -> tuple[Params, Params]:
    unroll = _steps(update)
    step, params = unroll.steps[0], unroll.params
    gradients = step.gradient(params)[1]
    full = {name: gradients.get(name) for name in params}
    ahead, after = unroll.rule.step(params, full, unroll.state)
    _, adjoint = unroll.meta.gradient(ahead)
    return params, unroll.rule.pullback(full, after, Cotangents(adjoint, {}, {}))[0]


def _exact(losses: Any, step: Step, params: Params, direction: Params) -> Tensor:
    """By a backward pass for each unit, all over one forward pass."""
    assert isinstance(losses, PlacedPass)
    theta = {name: value.detach().requires_grad_() for name, value in params.items()}
    losses.again = True
    try:
        of_units = step.losses(theta)
        slopes = []
        for one in of_units[:UNITS]:
            found = torch.autograd.grad(one, list(theta.values()), retain_graph=True, allow_unused=True)
            by_name = dict(zip(theta, found, strict=True))
            slopes.append(
                sum((g * direction[n]).sum() for n, g in by_name.items() if g is not None and n in direction)
            )
    finally:
        losses.again = False
    return torch.stack([torch.as_tensor(slope).to(of_units) for slope in slopes]).detach()


def _compared(radius: float, found: Tensor, exact: Tensor, several: bool) -> DifferenceError:
    away = found - exact
    sums = torch.stack(
        [a.double() @ b.double() for a, b in ((away, away), (exact, exact), (found, found), (found, exact))]
    )
    distance, truth, size, inner = (sum_over_ranks(sums) if several else sums).tolist()
    both_zero = not truth and not distance
    return DifferenceError(
        radius,
        math.sqrt(distance / truth) if truth else 0.0 if both_zero else math.inf,
        inner / math.sqrt(truth * size) if truth and size else float(both_zero),
    )
