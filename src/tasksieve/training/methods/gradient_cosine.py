r"""Method `gradient-cosine`: one weight for a related task's batch, by where its gradient points.

With :math:`g_P` the gradient of the primary loss on a batch of its own, and :math:`g_R` that of the related batch's
mean loss, both at the present θ and over the parameters that both losses depend on:

.. math:: w = \max(0, \cos(g_P, g_R))

Reference: Du et al., 2018, the weighted version.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.encoding import ExampleBatch, Examples
from tasksieve.metagrad import Params
from tasksieve.training.loop.method import Method, Start, Weighing
from tasksieve.training.loop.model_gradients import ModelGradients
from tasksieve.training.methods.registry import register
from tasksieve.weighting import NeedsAll, Numbers, RelatedBatch, batches_by_task


@register
class GradientCosine(Method):
    """As multitask; the cosine between its gradient and the primary one is the weight of a related batch."""

    name = "gradient-cosine"
    reference = "Du et al., 2018: Adapting Auxiliary Losses Using Gradient Similarity"

    def weighing(self, start: Start) -> Weighing:
        """By the gradients of the model that is trained."""
        return Weighing(CosineWeights(ModelGradients(start.model, start.tasks, start.config.training)))


class CosineWeights(NeedsAll):
    """One weight for a batch of a task: the cosine of its gradient with the primary one, or 0 where it is negative.

    Args:
        gradients: of the run's model.
    """

    def __init__(self, gradients: ModelGradients) -> None:
        self._gradients = gradients

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """The weights of a batch's examples; those of one task are equal."""
        along = self._gradients.of_primary(step)
        return torch.cat([self._cosine([part], along).expand(len(part)) for part in batch])

    def snapshot(
        self, tasks: Sequence[Examples], step: int, only: Sequence[Numbers] | None = None
    ) -> list[Float[Tensor, " _"]]:
        """Of each task by the gradient of all its examples, for the iteration's batch of the primary task."""
        along = self._gradients.of_primary(step)
        found = map(list, batches_by_task(tasks, only))
        return [self._cosine(batches, along).repeat(sum(map(len, batches))) for batches in found]

    def _cosine(self, batches: Sequence[ExampleBatch], along: Params) -> Tensor:
        """Over the parameters that both losses depend on."""
        total = sum(map(len, batches))
        mean: Params = {}
        for batch in batches:
            for name, value in self._gradients.of((batch,))[1].items():
                part = value * (len(batch) / total)
                mean[name] = mean[name] + part if name in mean else part
        shared = mean.keys() & along.keys()
        if not shared:
            return next(iter(along.values())).new_zeros(())
        ours, theirs = (torch.cat([side[name].flatten() for name in sorted(shared)]) for side in (along, mean))
        return torch.nn.functional.cosine_similarity(ours, theirs, dim=0).clamp(min=0, max=1)
