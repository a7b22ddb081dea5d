r"""The meta-gradient through K simulated related updates (Eqs. 6-14), exact, by automatic differentiation.

The weights of the K batches do not depend on θ, so the chain rule splits at them:

.. math:: ∇_η L_P(θ_K) = \sum_{k,i} \frac{∂ L_P(θ_K)}{∂ w_{k,i}} ∇_η w_{k,i}(η) .

The first factor is taken through the unroll with the weights as leaves; the second by one backward pass through the
weight module, for all K batches at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.metagrad.inner import InnerRule, Params, State

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
    """

    related_losses: Callable[[Params, RelatedBatch], Tensor]
    primary_losses: Callable[[Params, PrimaryBatch], Tensor]
    example_weights: Callable[[Params, Sequence[RelatedBatch]], Sequence[Tensor]]
    reduction: str = "mean"


@dataclass(frozen=True, slots=True)
class MetaGradient:
    """What a meta-update learned.

    Attributes:
        gradients: ∇_η L_P(θ'), by name of the weight module's parameter; zeros where it has no influence.
        meta_loss: L_P(θ'), a scalar.
        example_weights: the weights of each simulated batch, detached.
    """

    gradients: Params
    meta_loss: Tensor
    example_weights: tuple[Tensor, ...]


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


def unrolled_meta_gradient(
    problem: BilevelProblem[RelatedBatch, PrimaryBatch],
    rule: InnerRule,
    params: Params,
    weight_params: Params,
    related_batches: Sequence[RelatedBatch],
    primary_batch: PrimaryBatch,
    state: State | None = None,
) -> MetaGradient:
    """Simulate one weighted related update per batch and differentiate the primary loss of the result.

    Args:
        problem: the losses and the weights.
        rule: the simulated update.
        params: θ, left as they are; only these are moved, so leave out what is frozen.
        weight_params: η, left as they are.
        related_batches: K batches; with none the meta-gradient is zero.
        primary_batch: a batch of the primary task for the meta-loss.
        state: where the rule starts from; None for a fresh one.
    Returns: the meta-gradient, exact up to rounding.

    Cost: K forward, backward and double-backward passes of the model, one forward and backward of the weight
    module. Memory: K copies of θ and of the activations.
    """
    eta = {name: value.detach().requires_grad_() for name, value in weight_params.items()}
    weights = list(problem.example_weights(eta, related_batches)) if related_batches else []
    leaves = [weight.detach().requires_grad_() for weight in weights]
    theta = {name: value.detach().requires_grad_() for name, value in params.items()}
    moved: Params = theta
    current: State = state or {}
    for batch, leaf in zip(related_batches, leaves, strict=True):
        loss = related_loss(problem.related_losses(moved, batch), leaf, problem.reduction)
        gradients = torch.autograd.grad(loss, list(moved.values()), create_graph=True, allow_unused=True)
        moved, current = rule.step(moved, dict(zip(moved, gradients, strict=True)), current)
    meta_loss = primary_loss(problem.primary_losses(moved, primary_batch), problem.reduction)
    cotangents = torch.autograd.grad(meta_loss, leaves, materialize_grads=True) if leaves else ()
    return MetaGradient(_through_weights(weights, cotangents, eta), meta_loss.detach(), tuple(map(_bare, leaves)))


def _through_weights(weights: Sequence[Tensor], cotangents: Sequence[Tensor], eta: Params) -> Params:
    dependent = [(w, c) for w, c in zip(weights, cotangents, strict=True) if w.requires_grad]
    if not dependent:
        return {name: torch.zeros_like(value) for name, value in eta.items()}
    outputs, seeds = zip(*dependent, strict=True)
    gradients = torch.autograd.grad(
        outputs, list(eta.values()), grad_outputs=seeds, allow_unused=True, materialize_grads=True
    )
    return dict(zip(eta, gradients, strict=True))


def _bare(tensor: Tensor) -> Tensor:
    return tensor.detach()
