"""Replicas of θ that learn side by side, each from its own weights: as one batched model where that can be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from tasksieve.metagrad.inner_rule import Gradients, Moments, Params, State
from tasksieve.metagrad.problem import AnyUpdate, Simulation
from tasksieve.metagrad.steps import Step, Weights, losses_and_gradient, unroll_of


@dataclass(frozen=True, slots=True)
class Replicas:
    """Parameters and moments of several models of one kind.

    Attributes:
        params: each parameter with one dimension more in front, of the replicas.
        state: the moments of each, with that dimension too.
    """

    params: Params
    state: State

    @classmethod
    def of(cls, simulation: Simulation[Any, Any], count: int) -> Replicas:
        """So many copies of where a simulation starts."""

        def copies(value: Tensor) -> Tensor:
            return value.detach().expand(count, *value.shape).clone()

        state = {
            name: Moments(copies(one.mean), None if one.square is None else copies(one.square), one.steps)
            for name, one in (simulation.state or {}).items()
        }
        return cls({name: copies(value) for name, value in simulation.params.items()}, state)

    def learn(self, update: AnyUpdate, weights: list[Tensor]) -> tuple[Replicas, Tensor]:
        """Take an update's steps, each replica with its own weights.

        Args:
            update: its batches and its rule count; its parameters and state are not looked at.
            weights: of each related batch's examples (replicas, batch).
        Returns: the replicas then, and the meta-loss of each.
        """
        unroll = unroll_of(update, [weight[0] for weight in weights])
        params, state = self.params, self.state
        for step in unroll.steps:
            if step.number is None:
                factors = step.factors.expand(len(next(iter(params.values()))), -1)
            else:
                factors = weights[step.number] * step.scale
            params, state = unroll.rule.step(params, _gradients(step, params, factors), state)
        with torch.no_grad():
            return Replicas(params, state), each(unroll.meta.losses, params) @ unroll.meta.factors


def replicated_weights(weights: Weights, etas: Params) -> list[Tensor]:
    """The weights (replicas, batch) of each related batch.

    Args:
        weights: as a function of η.
        etas: weight params (replicas, ...).
    """
    with torch.no_grad():
        return weights.split(each(weights.joined, etas))


def each(function: Callable[[Params], Tensor], stacked: Params) -> Tensor:
    """A function of every replica's parameters: all at once, or one by one where an operation cannot be batched."""
    try:
        found: Tensor = torch.func.vmap(function)(stacked)
    except RuntimeError:
        found = torch.stack([function(one) for one in _apart(stacked)])
    return found


def _gradients(step: Step, params: Params, factors: Tensor) -> Gradients:
    """The gradient of each replica's losses times its factors; None where they do not depend on a parameter."""
    theta = {name: value.detach().requires_grad_() for name, value in params.items()}
    try:
        losses = torch.func.vmap(step.losses)(theta)
    except RuntimeError:
        return _gradients_one_by_one(step, params, factors)
    found = torch.autograd.grad((losses * factors).sum(), list(theta.values()), allow_unused=True)
    return dict(zip(theta, found, strict=True))


def _gradients_one_by_one(step: Step, params: Params, factors: Tensor) -> Gradients:
    own = [replace(step, factors=factor) for factor in factors.unbind(0)]
    found = [losses_and_gradient(one, theta)[1] for one, theta in zip(own, _apart(params), strict=True)]
    return {name: torch.stack([one[name] for one in found]) if name in found[0] else None for name in params}


def _apart(stacked: Params) -> list[Params]:
    """The parameters of each replica."""
    parts = [value.unbind(0) for value in stacked.values()]
    return [dict(zip(stacked, values, strict=True)) for values in zip(*parts, strict=True)]
