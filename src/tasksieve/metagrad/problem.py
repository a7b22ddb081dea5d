"""What a meta-gradient depends on, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from jaxtyping import Float
from torch import Tensor

from tasksieve.contracts import Linearization
from tasksieve.metagrad.inner_rule import InnerRule, Params, State

RelatedBatch = TypeVar("RelatedBatch")
PrimaryBatch = TypeVar("PrimaryBatch")
REDUCTIONS = ("mean", "sum")
"""How the losses of a batch become one."""


@dataclass(frozen=True, slots=True)
class BilevelProblem(Generic[RelatedBatch, PrimaryBatch]):
    """The model and the weight module, as functions of their parameters.

    Attributes:
        related_losses: (params, batch) to per-example losses, shape (batch,), twice differentiable in params.
        primary_losses: (params, batch) to per-example losses, shape (batch,), differentiable in params.
        example_weights: (weight_params, batches) to the weights of each batch's examples, in (0, 1).
        reduction: ``sum`` as in Eqs. 1-14, or ``mean``, which divides each loss by its batch's size.
        linearize: (params, batch) to the related losses with their derivatives, where the model has a quicker way
            than automatic differentiation of ``related_losses``. Random numbers it draws when it is made, or it is a
            :class:`LateLinearization`.
        linearize_primary: (params, batch) to the primary losses with their derivatives, in place of automatic
            differentiation of ``primary_losses``.
        primary_size: how many losses a primary batch has; without it they are computed once more to be counted.
        primary_factors: a primary batch to what its losses are multiplied by besides; where it is None or gives None,
            by nothing.

    Raises: ValueError: if the reduction is neither of the two.
    """

    related_losses: Callable[[Params, RelatedBatch], Tensor]
    primary_losses: Callable[[Params, PrimaryBatch], Tensor]
    example_weights: Callable[[Params, Sequence[RelatedBatch]], Sequence[Tensor]]
    reduction: str = "mean"
    linearize: Callable[[Params, RelatedBatch], Linearization] | None = None
    linearize_primary: Callable[[Params, PrimaryBatch], Linearization] | None = None
    primary_size: Callable[[PrimaryBatch], int] | None = None
    primary_factors: Callable[[PrimaryBatch], Tensor | None] | None = None

    def __post_init__(self) -> None:
        if self.reduction not in REDUCTIONS:
            raise ValueError(f"reduction is '{self.reduction}'; it may be {' or '.join(map(repr, REDUCTIONS))}")


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
class MetaUpdate(Generic[RelatedBatch, PrimaryBatch]):
    """One update of the weight module, as far as its meta-gradient depends on it: what every estimator takes.

    Attributes:
        problem: the losses and the weights, as functions.
        rule: how a simulated step moves the parameters.
        simulation: the steps to simulate, and from where.
        weight_params: η, left as they are; the meta-gradient is with respect to these.
    """

    problem: BilevelProblem[RelatedBatch, PrimaryBatch]
    rule: InnerRule
    simulation: Simulation[RelatedBatch, PrimaryBatch]
    weight_params: Params


AnyUpdate = MetaUpdate[Any, Any]
"""A meta-update on batches of whatever kind."""


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
