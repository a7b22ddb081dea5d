"""Replicas of θ that learn side by side, each from its own weights: as one batched model where that can be had."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from tasksieve.metagrad.estimators.estimator import losses_and_gradient, meta_step
from tasksieve.metagrad.inner import Gradients, InnerRule, Moments, Params, State
from tasksieve.metagrad.problem import BilevelProblem, Simulation, Step, simulated_steps


@dataclass(frozen=True, slots=True)
class Replicas:
    """Parameters and moments of several models of one kind.

    Attributes:
        params: each parameter with one dimension more in front, of the replicas.
        state: its moments likewise.
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

    def learn(
        self, problem: BilevelProblem[Any, Any], rule: InnerRule, simulation: Simulation[Any, Any], etas: Params
    ) -> tuple[Replicas, Tensor]:
        """Take a simulation's steps, each replica with the weights of its own η.

        Args:
            problem, rule: as given.
            simulation: its batches; its parameters and state are not looked at.
            etas: weight params (replicas, ...).
        Returns: the replicas then, and the meta-loss of each.
        """
        batches = simulation.related_batches
        weights = replicated_weights(problem, etas, batches)
        steps = simulated_steps(problem, simulation, [weight[0] for weight in weights])
        params, state = self.params, self.state
        for step in steps:
            if step.number is None:
                factors = step.factors.expand(len(next(iter(params.values()))), -1)
            else:
                factors = weights[step.number] * step.scale
            params, state = rule.step(params, _gradients(step, params, factors), state)
        meta = meta_step(problem, simulation)
        with torch.no_grad():
            return Replicas(params, state), each(meta.losses, params) @ meta.factors


def replicated_weights(problem: BilevelProblem[Any, Any], etas: Params, batches: Sequence[Any]) -> tuple[Tensor, ...]:
    """The weights (replicas, batch) of each batch."""
    sizes: list[int] = []

    def weights_at(eta: Params) -> Tensor:
        found = problem.example_weights(eta, batches)
        sizes[:] = [len(weight) for weight in found]
        return torch.cat(list(found))

    if not batches:
        return ()
    with torch.no_grad():
        return torch.split(each(weights_at, etas), sizes, dim=1)


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
