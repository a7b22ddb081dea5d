r"""Method `reweight`: what one step on an example would do to the primary loss.

With :math:`g_P` the gradient of the primary loss on a batch of its own and :math:`∇ℓ_i` that of a related example,
both at the present θ, a step of gradient descent with weight :math:`w_i` and step size β changes the primary loss by
:math:`-β w_i ⟨g_P, ∇ℓ_i⟩` in first order. The derivative by the weight, at weights 0, turned round and cut at 0:

.. math:: w_i ∝ \max(0, ⟨g_P, ∇ℓ_i⟩)

The weights of a batch are divided by their mean; β falls out. Nothing is learned, every update asks anew.

Reference: Ren et al., 2018, Algorithm 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.contracts import given_weights
from tasksieve.encoding import Examples
from tasksieve.metagrad import Params
from tasksieve.training.loop.method import Method, Start, Weighing
from tasksieve.training.loop.model_gradients import ModelGradients
from tasksieve.training.methods.registry import register
from tasksieve.weighting import NeedsAll, Numbers, RelatedBatch, batches_by_task


@register
class Reweight(Method):
    """As multitask; in each update, weights are what one step on an example would do to your task's loss."""

    name = "reweight"
    reference = "Ren, Zeng, Yang & Urtasun, 2018: Learning to Reweight Examples for Robust Deep Learning"

    def weighing(self, start: Start) -> Weighing:
        """By the gradients of the model that is trained."""
        return Weighing(LookAhead(ModelGradients(start.model, start.tasks, start.config.training)))


class LookAhead(NeedsAll):
    """Weights by what a step on each example would do to the primary loss; their mean is 1.

    Args:
        gradients: of the run's model.
    """

    def __init__(self, gradients: ModelGradients) -> None:
        self._gradients = gradients

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """The weights of a batch's examples, of mean 1; all 0 where every example would do harm."""
        kept = self._gains(batch, self._gradients.of_primary(step))
        total = kept.sum().double()
        return kept * torch.where(total > 0, len(kept) / total, 0.0)

    def snapshot(
        self, tasks: Sequence[Examples], step: int, only: Sequence[Numbers] | None = None
    ) -> list[Float[Tensor, " _"]]:
        """Of all examples, as parts of the largest, for the iteration's batch of the primary task."""
        along = self._gradients.of_primary(step)
        found = batches_by_task(tasks, only)
        gains = [torch.cat([self._gains((batch,), along) for batch in batches]) for batches in found]
        largest = max(float(task.max()) for task in gains)
        return [task / largest if largest > 0 else task for task in gains]

    def _gains(self, batch: RelatedBatch, along: Params) -> Tensor:
        linear, _ = self._gradients.of(batch)
        slopes, given = linear.slopes(along), given_weights(batch)
        return (slopes if given is None else slopes * given).clamp(min=0)
