r"""Cross-entropy over candidates as one operation, with its first and second derivative worked out by hand.

With states u (B × d), candidates C (n × d) and :math:`Y = \mathrm{softmax}(u C^\top)`, the loss of example i is
:math:`-\log Y_{i, y_i}`. For cotangents w of the losses, :math:`G = w ∘ (Y - 1_y)`, and the cotangents are
:math:`\bar u = G C` and :math:`\bar C = G^\top u`.

Second derivative: for cotangents :math:`(\dot u, \dot C)` of those, with

.. math:: \dot z = \dot u C^\top + u \dot C^\top, \quad
   \dot w = \mathrm{rowsum}(Y ∘ \dot z) - \dot z_y, \quad
   \dot G = w ∘ Y ∘ (\dot z - \mathrm{rowsum}(Y ∘ \dot z)),

where :math:`\dot w` is the slope of each loss, the cotangents are :math:`\dot G C + G \dot C`,
:math:`\dot G^\top u + G^\top \dot u` and :math:`\dot w`.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable


def candidate_losses(
    states: Float[Tensor, "batch dim"], candidates: Float[Tensor, "candidates dim"], targets: Int[Tensor, " batch"]
) -> Float[Tensor, " batch"]:
    """Cross-entropy of the right candidate in nats, per example; differentiable twice.

    Args:
        states: u.
        candidates: C.
        targets: the right candidate of each example; none may be -1.
    """
    losses: Tensor = _Losses.apply(states, candidates, targets)  # type: ignore[no-untyped-call]
    return losses


class _Losses(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, candidates: Tensor, targets: Tensor) -> Tensor:
        log_probabilities = torch.log_softmax(states @ candidates.T, dim=1)
        ctx.save_for_backward(states, candidates)
        ctx.targets, ctx.log_probabilities = targets[:, None], log_probabilities
        return -log_probabilities.gather(1, ctx.targets)[:, 0]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        first = _LossesGradient.apply(*ctx.saved_tensors, gradient, ctx.targets, ctx.log_probabilities)  # type: ignore[no-untyped-call]
        return (*first, None)


class _LossesGradient(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: Tensor, candidates: Tensor, weights: Tensor, targets: Tensor, log_probabilities: Tensor
    ) -> tuple[Tensor, Tensor]:
        probabilities = torch.softmax(log_probabilities, dim=1)  # quicker than exp where it underflows
        of_scores = probabilities * weights[:, None]
        of_scores.scatter_add_(1, targets, -weights[:, None])
        ctx.save_for_backward(states, candidates, weights)
        ctx.targets, ctx.probabilities, ctx.of_scores = targets, probabilities, of_scores
        return of_scores @ candidates, of_scores.T @ states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states: Tensor, d_candidates: Tensor) -> tuple[Tensor | None, ...]:
        states, candidates, weights = ctx.saved_tensors
        d_scores = torch.addmm(d_states @ candidates.T, states, d_candidates.T)
        moved = ctx.probabilities * d_scores
        total = moved.sum(dim=1, keepdim=True)
        slopes = (total - d_scores.gather(1, ctx.targets))[:, 0]
        d_of_scores = moved.addcmul_(ctx.probabilities, total, value=-1).mul_(weights[:, None])
        of_states = torch.addmm(d_of_scores @ candidates, ctx.of_scores, d_candidates)
        of_candidates = torch.addmm(d_of_scores.T @ states, ctx.of_scores.T, d_states)
        return of_states, of_candidates, slopes, None, None
