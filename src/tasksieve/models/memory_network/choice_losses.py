r"""Cross-entropy over choices: over one list for all examples, and over lists of their own.

The first is one operation, with its first and second derivative worked out by hand. With states u (B × d),
candidates C (n × d) and :math:`Y = \mathrm{softmax}(u C^\top)`, the loss of example i is :math:`-\log Y_{i, y_i}`.
For cotangents w of the losses, :math:`G = w ∘ (Y - 1_y)`, and the cotangents are
:math:`\bar u = G C` and :math:`\bar C = G^\top u`.

Second derivative: for cotangents :math:`(\dot u, \dot C)` of those, with

.. math:: \dot z = \dot u C^\top + u \dot C^\top, \quad
   \dot w = \mathrm{rowsum}(Y ∘ \dot z) - \dot z_y, \quad
   \dot G = w ∘ Y ∘ (\dot z - \mathrm{rowsum}(Y ∘ \dot z)),

where :math:`\dot w` is the slope of each loss, the cotangents are :math:`\dot G C + G \dot C`,
:math:`\dot G^\top u + G^\top \dot u` and :math:`\dot w`.

The classes are the passes by themselves, without a graph; :func:`candidate_losses` is the operation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from tasksieve.contracts import brought
from tasksieve.encoding import Choices
from tasksieve.encoding.delivery import delivered_choices


def choice_losses(
    states: Float[Tensor, "batch dim"],
    embedding: Float[Tensor, "words dim"],
    choices: Choices,
    here: Choices | None = None,
) -> Float[Tensor, " batch"]:
    """Cross-entropy of the right choice in nats, per example; 0 where there is none, if lists differ.

    Args:
        states: u.
        embedding: of words; a choice is the sum of its words.
        choices: of the examples.
        here: the same on the CPU, if the others are elsewhere.
    """
    if choices.offered is None:
        return candidate_losses(states, choices.table.embed(embedding), choices.right)
    cut = here or choices
    chosen = torch.nonzero(cut.right >= 0).flatten()
    losses = states.new_zeros(len(states))
    if len(chosen) == 0:
        return losses
    kept = cut.select(chosen)
    if here is not None:
        chosen, kept = brought(chosen, states.device), delivered_choices(kept, choices)
    scores = kept.scores(states.index_select(0, chosen), kept.table.embed(embedding))
    log_shares = torch.log_softmax(scores, dim=1)
    return losses.index_put((chosen,), -log_shares.gather(1, kept.right[:, None])[:, 0])


@dataclass(frozen=True, slots=True)
class CandidatesForward:
    """What the forward pass leaves: u, C, y (as a column) and log Y."""

    states: Tensor
    candidates: Tensor
    targets: Tensor
    log_probabilities: Tensor

    @classmethod
    def of(cls, states: Tensor, candidates: Tensor, targets: Tensor) -> CandidatesForward:
        """Score the candidates."""
        return cls(states, candidates, targets[:, None], torch.log_softmax(states @ candidates.T, dim=1))

    @property
    def losses(self) -> Tensor:
        """Cross-entropy of the right candidate, per example."""
        return -self.log_probabilities.gather(1, self.targets)[:, 0]

    def backward(self, weights: Tensor) -> tuple[CandidatesBackward, Tensor, Tensor]:
        """The cotangents of states and candidates, for cotangents of the losses."""
        probabilities = torch.softmax(self.log_probabilities, dim=1)  # quicker than exp where it underflows
        of_scores = probabilities * weights[:, None]
        of_scores.scatter_add_(1, self.targets, -weights[:, None])
        passed = CandidatesBackward(self, weights, probabilities, of_scores)
        return passed, of_scores @ self.candidates, of_scores.T @ self.states


@dataclass(frozen=True, slots=True)
class CandidatesBackward:
    """What the backward pass leaves: w, Y and G."""

    forward: CandidatesForward
    weights: Tensor
    probabilities: Tensor
    of_scores: Tensor

    def second(self, d_states: Tensor, d_candidates: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Cotangents of states, candidates and weights, for a direction."""
        states, candidates = self.forward.states, self.forward.candidates
        d_scores = torch.addmm(d_states @ candidates.T, states, d_candidates.T)
        moved = self.probabilities * d_scores
        total = moved.sum(dim=1, keepdim=True)
        slopes = (total - d_scores.gather(1, self.forward.targets))[:, 0]
        d_of_scores = moved.addcmul_(self.probabilities, total, value=-1).mul_(self.weights[:, None])
        of_states = torch.addmm(d_of_scores @ candidates, self.of_scores, d_candidates)
        of_candidates = torch.addmm(d_of_scores.T @ states, self.of_scores.T, d_states)
        return of_states, of_candidates, slopes


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
        ctx.passed = CandidatesForward.of(states.detach(), candidates.detach(), targets)
        ctx.save_for_backward(states, candidates)
        losses: Tensor = ctx.passed.losses
        return losses

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        first = _LossesGradient.apply(*ctx.saved_tensors, gradient, ctx.passed)  # type: ignore[no-untyped-call]
        return (*first, None)


class _LossesGradient(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: Tensor, candidates: Tensor, weights: Tensor, forward: CandidatesForward
    ) -> tuple[Tensor, Tensor]:
        ctx.passed, of_states, of_candidates = forward.backward(weights.detach())
        return of_states, of_candidates

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states: Tensor, d_candidates: Tensor) -> tuple[Tensor | None, ...]:
        return (*ctx.passed.second(d_states, d_candidates), None)
