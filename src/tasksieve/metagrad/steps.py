"""The simulated steps of a meta-update, ready to be taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tasksieve.contracts import Linearization
from tasksieve.metagrad.automatic_differentiation import AutogradLinearization
from tasksieve.metagrad.inner_rule import InnerRule, Params, State
from tasksieve.metagrad.problem import AnyUpdate
from tasksieve.metagrad.random_draws import RandomDraws, cuda_devices, preserved

Losses = Callable[[Params], Tensor]
Devices = tuple[torch.device, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One simulated step, or the meta-loss; every pass over its batch draws the same random numbers.

    Attributes:
        losses: params to per-example losses.
        factors: what each loss is multiplied by: weight, and one over the number of examples for a mean.
        number: of the related batch it learns from; None if it learns from a primary batch.
        scale: ∂factor/∂weight.
        own: params to the losses with their derivatives, by the problem's own way; None where it has none.
    """

    losses: Losses
    factors: Tensor
    number: int | None
    scale: float
    own: Callable[[Params], Linearization] | None = None

    def linearize(self, params: Params) -> Linearization:
        """The losses with their derivatives, by the problem's own way or by automatic differentiation."""
        return AutogradLinearization(self.losses, params) if self.own is None else self.own(params)

    def gradient(self, params: Params) -> tuple[Tensor, Params]:
        """The losses, and the gradient of their sum times the factors, by the problem's own way if it has one.

        Names that the losses do not depend on are left out.
        """
        if self.own is None:
            return losses_and_gradient(self, params)
        linear = self.own(params)
        if isinstance(linear, AutogradLinearization):
            found = linear.gradient_alone(self.factors)
        else:
            found = linear.gradient(self.factors)
        return linear.losses, {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Unroll:
    """What is simulated.

    Attributes:
        steps: in their order.
        meta: the meta-loss as a step, whose factors sum or average the losses.
        rule: of the steps.
        params, state: where they start, detached.
    """

    steps: Sequence[Step]
    meta: Step
    rule: InnerRule
    params: Params
    state: State


def losses_and_gradient(step: Step, params: Params) -> tuple[Tensor, Params]:
    """A step's losses, and by one backward pass the gradient of their sum times the factors.

    Names that the losses do not depend on are left out.
    """
    theta = {name: value.detach().requires_grad_() for name, value in params.items()}
    losses = step.losses(theta)
    if not losses.requires_grad:
        return losses, {}
    found = torch.autograd.grad(losses @ step.factors, list(theta.values()), allow_unused=True)
    return losses.detach(), {name: value for name, value in zip(theta, found, strict=True) if value is not None}


class Weights:
    """The weights of each related batch's examples as a function of η, which draws the same whenever it is called.

    Args:
        update: as an estimator is given it.
    """

    def __init__(self, update: AnyUpdate) -> None:
        self._of, self._batches = update.problem.example_weights, update.simulation.related_batches
        self._draws = RandomDraws(cuda_devices(update.weight_params))
        self._sizes: list[int] = []

    def __call__(self, eta: Params) -> list[Tensor]:
        """Of each batch in turn, shape (batch,)."""
        found = self._draws.replayed(lambda: list(self._of(eta, self._batches))) if self._batches else []
        if len(found) != len(self._batches):
            raise ValueError(
                f"example_weights gave {len(found)} tensors for {len(self._batches)} related batches; it is called "
                "with the list of all of them, and gives a list with the weights of each"
            )
        return found

    def joined(self, eta: Params) -> Tensor:
        """Of all batches, one after the other."""
        found = [weight.reshape(-1) for weight in self(eta)]
        self._sizes = [len(weight) for weight in found]
        return torch.cat(found) if found else torch.zeros(0)

    def split(self, joined: Tensor) -> list[Tensor]:
        """What is joined along the last dimension, batch by batch."""
        return list(torch.split(joined, self._sizes, dim=-1))


def unroll_of(update: AnyUpdate, weights: Sequence[Tensor]) -> Unroll:
    """The steps of a meta-update.

    Args:
        update: as an estimator is given it.
        weights: of each related batch's examples; they may be part of a graph.
    Raises: ValueError: if the numbers of related and joint batches differ, the primary losses are not one an example,
        or a related batch has no example to take the mean over.
    """
    simulation, steps = update.simulation, []
    devices = cuda_devices(simulation.params)
    related, joint = simulation.related_batches, simulation.joint_batches
    if joint and len(joint) != len(related):
        raise ValueError(f"{len(related)} related batches, but {len(joint)} primary ones to join")
    for number, (batch, own) in enumerate(zip(related, weights, strict=True)):
        if joint:
            steps.append(_primary_step(update, joint[number], devices))
        steps.append(_related_step(update, batch, own, number, devices))
    meta = _primary_step(update, simulation.meta_batch, devices)
    params = {name: value.detach() for name, value in simulation.params.items()}
    return Unroll(steps, meta, update.rule, params, simulation.state or {})


def _related_step(update: AnyUpdate, batch: Any, weights: Tensor, number: int, devices: Devices) -> Step:
    problem = update.problem
    if problem.reduction == "mean" and not weights.numel():
        raise ValueError(f"related batch {number + 1} has no example; give batches with at least one")
    passes = _Passes(problem.related_losses, problem.linearize, batch, RandomDraws(devices))
    scale = 1 / len(weights) if problem.reduction == "mean" else 1.0
    return Step(passes.losses, weights * scale, number, scale, passes.own)


def _primary_step(update: AnyUpdate, batch: Any, devices: Devices) -> Step:
    problem, params = update.problem, update.simulation.params
    passes = _Passes(problem.primary_losses, problem.linearize_primary, batch, RandomDraws(devices))
    if problem.primary_size is not None:
        ones = next(iter(params.values())).new_ones(problem.primary_size(batch))
    else:
        with torch.no_grad(), preserved(devices):
            ones = torch.ones_like(problem.primary_losses(params, batch))
    if ones.dim() != 1:
        raise ValueError(
            f"primary_losses gave shape {tuple(ones.shape)}; it must give one loss an example, shape (batch,)"
        )
    factors = ones / len(ones) if problem.reduction == "mean" else ones
    given = None if problem.primary_factors is None else problem.primary_factors(batch)
    factors = factors if given is None else factors * given
    return Step(passes.losses, factors, None, 0.0, passes.own)


@dataclass(frozen=True, slots=True)
class _Passes:
    """Both ways to pass over a batch, with the same random numbers."""

    losses_of: Callable[[Params, Any], Tensor]
    linearize_of: Callable[[Params, Any], Linearization] | None
    batch: Any
    draws: RandomDraws

    def losses(self, params: Params) -> Tensor:
        return self.draws.replayed(lambda: self.losses_of(params, self.batch))

    @property
    def own(self) -> Callable[[Params], Linearization] | None:
        return None if self.linearize_of is None else self._linearize

    def _linearize(self, params: Params) -> Linearization:
        linearize = self.linearize_of
        assert linearize is not None
        return self.draws.linearized(lambda: linearize(params, self.batch))
