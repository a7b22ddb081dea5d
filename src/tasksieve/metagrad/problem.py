"""What a meta-gradient needs to know, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.metagrad.inner import Params, State
from tasksieve.metagrad.linearization import AutogradLinearization, Linearization

RelatedBatch = TypeVar("RelatedBatch")
PrimaryBatch = TypeVar("PrimaryBatch")


@dataclass(frozen=True, slots=True)
class BilevelProblem(Generic[RelatedBatch, PrimaryBatch]):
    """What the meta-gradient needs to know of the model and the weight module: three callables.

    Attributes:
        related_losses: (params, batch) to per-example losses, shape (batch,), twice differentiable in params.
        primary_losses: (params, batch) to per-example losses, shape (batch,), differentiable in params.
        example_weights: (weight_params, batches) to the weights of each batch's examples, in (0, 1).
        reduction: ``sum`` as in Eqs. 1-14, or ``mean``, which divides each loss by its batch's size.
        linearize: (params, batch) to the related losses and their derivatives, if the model has a quicker way than
            automatic differentiation; it may return None where it has not.
        linearize_primary: likewise of the primary losses.
        primary_size: how many losses a primary batch has, to be had without computing them.
    """

    related_losses: Callable[[Params, RelatedBatch], Tensor]
    primary_losses: Callable[[Params, PrimaryBatch], Tensor]
    example_weights: Callable[[Params, Sequence[RelatedBatch]], Sequence[Tensor]]
    reduction: str = "mean"
    linearize: Callable[[Params, RelatedBatch], Linearization | None] | None = None
    linearize_primary: Callable[[Params, PrimaryBatch], Linearization | None] | None = None
    primary_size: Callable[[PrimaryBatch], int] | None = None


@dataclass(frozen=True, slots=True)
class Simulation(Generic[RelatedBatch, PrimaryBatch]):
    """The updates to simulate, and where the meta-loss is taken.

    Attributes:
        params: θ, left as they are; only these are moved, so leave out what is frozen.
        related_batches: K batches; with none the meta-gradient is zero.
        meta_batch: a batch of the primary task for the meta-loss (Eq. 8).
        state: where the rule starts from; None for a fresh one.
        joint_batches: for a joint unroll, K batches of the primary task, each learned from before the related batch
            of the same number, as in the real loop.
    """

    params: Params
    related_batches: Sequence[RelatedBatch]
    meta_batch: PrimaryBatch
    state: State | None = None
    joint_batches: Sequence[PrimaryBatch] = ()


@dataclass(frozen=True, slots=True)
class MetaGradient:
    """What a meta-update learned.

    Attributes:
        gradients: ∇_η L_P(θ'), by name of the weight module's parameter; zeros where it has no influence.
        meta_loss: L_P(θ'), a scalar.
        example_weights: the weights of each simulated batch, detached.
        slopes: ∂L_P(θ')/∂w of each simulated batch's examples, or None where an estimator goes another way: what
            the meta-loss would gain or lose by a larger weight, whatever the weight module.
    """

    gradients: Params
    meta_loss: Tensor
    example_weights: tuple[Tensor, ...]
    slopes: tuple[Tensor, ...] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One simulated step.

    Attributes:
        losses: params to per-example losses.
        own: params to the losses with their derivatives, by the model's own way; None where it has none.
        factors: what each loss is multiplied by: weight, and one over the number of examples for a mean.
        number: of the related batch it learns from; None if it learns from a primary batch.
        scale: ∂factor/∂weight.
    """

    losses: Callable[[Params], Tensor]
    own: Callable[[Params], Linearization | None]
    factors: Tensor
    number: int | None
    scale: float

    def linearize(self, params: Params) -> Linearization:
        """The losses with their derivatives, by automatic differentiation where the model has no way of its own."""
        return self.own(params) or AutogradLinearization(self.losses, params)


def simulated_steps(
    problem: BilevelProblem[RelatedBatch, PrimaryBatch],
    simulation: Simulation[RelatedBatch, PrimaryBatch],
    weights: Sequence[Tensor],
) -> list[Step]:
    """The steps of a simulation, in their order.

    Args:
        problem, simulation: as given.
        weights: of each related batch's examples; they may be part of a graph.
    Raises: ValueError: if the numbers of related and joint batches differ.
    """
    joint, steps = simulation.joint_batches, []
    if joint and len(joint) != len(simulation.related_batches):
        raise ValueError(f"{len(simulation.related_batches)} related batches, but {len(joint)} primary ones to join")
    for number, (batch, own) in enumerate(zip(simulation.related_batches, weights, strict=True)):
        if joint:
            steps.append(primary_step(problem, joint[number], simulation.params))
        scale = 1 / len(own) if problem.reduction == "mean" else 1.0
        steps.append(_related_step(problem, batch, own * scale, number, scale))
    return steps


def _related_step(
    problem: BilevelProblem[RelatedBatch, PrimaryBatch],
    batch: RelatedBatch,
    factors: Tensor,
    number: int,
    scale: float,
) -> Step:
    def losses(params: Params) -> Tensor:
        return problem.related_losses(params, batch)

    def own(params: Params) -> Linearization | None:
        return None if problem.linearize is None else problem.linearize(params, batch)

    return Step(losses, own, factors, number, scale)


def primary_step(problem: BilevelProblem[RelatedBatch, PrimaryBatch], batch: PrimaryBatch, params: Params) -> Step:
    """A step on the primary task, or the meta-loss: its factors sum or average the losses."""

    def losses(params: Params) -> Tensor:
        return problem.primary_losses(params, batch)

    def own(params: Params) -> Linearization | None:
        return None if problem.linearize_primary is None else problem.linearize_primary(params, batch)

    if problem.primary_size is not None:
        ones = next(iter(params.values())).new_ones(problem.primary_size(batch))
    else:
        with torch.no_grad():
            ones = torch.ones_like(losses(params))
    return Step(losses, own, ones / len(ones) if problem.reduction == "mean" else ones, None, 0.0)


def related_loss(
    losses: Float[Tensor, " batch"], example_weights: Float[Tensor, " batch"], reduction: str = "sum"
) -> Float[Tensor, ""]:
    r"""Weighted related-task loss, :math:`\sum_i w_i \ell_i` (Eq. 4).

    Args:
        losses: per-example losses in nats, unreduced.
        example_weights: weights in (0, 1).
        reduction: ``sum``, or ``mean`` to divide by the number of examples (not by the sum of weights).
    Returns: a scalar, differentiable in both arguments.
    Raises: ValueError: if the shapes differ; the message shows both.
    """
    if losses.shape != example_weights.shape:
        raise ValueError(f"losses have shape {tuple(losses.shape)}, weights {tuple(example_weights.shape)}")
    total = losses @ example_weights
    return total / len(losses) if reduction == "mean" else total


def primary_loss(losses: Float[Tensor, " batch"], reduction: str = "sum") -> Float[Tensor, ""]:
    r"""Primary-task loss, :math:`\sum_i \ell_i` (Eqs. 1 and 8), or its mean over the batch."""
    return losses.mean() if reduction == "mean" else losses.sum()
