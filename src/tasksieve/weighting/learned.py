"""Weights from a weight module, as a function of its parameters."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.contracts import Examples
from tasksieve.models import WeightModule
from tasksieve.weighting.weighter import NeedsAll, Numbers, RelatedBatch, batches_by_task


class Learned(NeedsAll):
    r"""Weights :math:`w_i = σ(P_η(c_i, a_i))` of a weight module (Eq. 3).

    Args:
        module: gives each example a logit.
        normalize: divide the weights by their mean over the batch, so that they say which examples to learn from
            and not how much in all; where all are 0 they stay so.
        warm_up: iterations with all weights 1 before the module is asked.
    """

    def __init__(self, module: WeightModule, *, normalize: bool = False, warm_up: int = 0) -> None:
        self.module = module
        self.warm_up = warm_up
        self._normalize = normalize

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """The current weights, without a graph."""
        if step < self.warm_up:
            return torch.ones(sum(map(len, batch)), device=batch[0].targets.device)
        with torch.no_grad():
            return self._finish(torch.cat([torch.sigmoid(self.module(part)) for part in batch]))

    @torch.no_grad()
    def snapshot(
        self, tasks: Sequence[Examples], step: int, only: Sequence[Numbers] | None = None
    ) -> list[Float[Tensor, " _"]]:
        """The module's weights of examples, in (0, 1): before any normalisation, and during warm-up too."""
        found = batches_by_task(tasks, only)
        return [torch.cat([torch.sigmoid(self.module(batch)) for batch in batches]) for batches in found]

    def unrolled(self, weight_params: dict[str, Tensor], batches: Sequence[RelatedBatch]) -> list[Tensor]:
        """Differentiable weights of K batches.

        Args:
            weight_params: η.
            batches: for each simulated step a batch of each related task.
        Returns: for each step its weights, task after task.
        """
        logits = self.module.logits_at(weight_params, [part for batch in batches for part in batch])
        weights = torch.sigmoid(logits[0] if len(logits) == 1 else torch.cat(logits))
        sizes = [sum(map(len, batch)) for batch in batches]
        return [self._finish(own) for own in torch.split(weights, sizes)]

    def _finish(self, weights: Tensor) -> Tensor:
        if not self._normalize:
            return weights
        mean = weights.mean()
        return weights / torch.where(mean > 0, mean, 1.0)
