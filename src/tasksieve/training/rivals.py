r"""Weights from the gradients of the moment, as rival methods have them: nothing is learned, nothing is kept.

With :math:`g_P` the gradient of the primary loss on a batch of its own, and :math:`∇ℓ_i` that of a related example,
both at the present θ:

* Learning to Reweight (Ren et al., 2018) looks one step ahead. The derivative of the primary loss after a step of
  gradient descent by the weight of example i, at weights 0, is :math:`-β ⟨g_P, ∇ℓ_i⟩`, so that
  :math:`w_i ∝ \max(0, ⟨g_P, ∇ℓ_i⟩)`.
* Gradient similarity (Du et al., 2018) gives a task one weight a batch: :math:`\max(0, \cos(g_P, g_R))`, where
  :math:`g_R` is the gradient of the batch's mean loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.contracts import ExampleBatch, Examples, Linearization
from tasksieve.encoding import in_order
from tasksieve.metagrad import Params
from tasksieve.models import Model, learned_params
from tasksieve.weighting import RelatedBatch
from tasksieve.weighting.weighter import NeedsAll

_CHUNK = 256


class Gradients:
    """The gradients of a model at its present parameters.

    Args:
        model: of the run.
        primary: the batch of the primary task for an iteration.
    """

    def __init__(self, model: Model, primary: Callable[[int], ExampleBatch]) -> None:
        self._model, self._primary = model, primary
        self._params: Params = learned_params(model)

    def of_primary(self, step: int) -> Params:
        """The gradient of the primary task's mean loss in an iteration; names it does not depend on are left out."""
        return self.of((self._primary(step),))[1]

    def of(self, batch: RelatedBatch) -> tuple[Linearization, Params]:
        """The losses of a batch, and the gradient of their mean."""
        params = {name: value.detach() for name, value in self._params.items()}
        found = self._model.linearize(params, batch)
        factors = torch.full_like(found.losses, 1 / len(found.losses))
        gradients = found.gradient(factors)
        return found, {name: value for name, value in gradients.items() if value is not None}


class LookAhead(NeedsAll):
    """Learning to Reweight: weights by what a step on each example would do to the primary loss; their mean is 1.

    Args:
        gradients: of the run's model.
    """

    def __init__(self, gradients: Gradients) -> None:
        self._gradients = gradients

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """All 0 where every example would do harm."""
        kept = self._gains(batch, self._gradients.of_primary(step))
        total = float(kept.sum())
        return kept * (len(kept) / total) if total > 0 else kept

    def snapshot(self, tasks: Sequence[Examples], step: int) -> list[Float[Tensor, " _"]]:
        """Of all examples, as parts of the largest, for the iteration's batch of the primary task."""
        along = self._gradients.of_primary(step)
        gains = [torch.cat([self._gains((batch,), along) for batch in in_order(task, _CHUNK)]) for task in tasks]
        largest = max(float(task.max()) for task in gains)
        return [task / largest if largest > 0 else task for task in gains]

    def _gains(self, batch: RelatedBatch, along: Params) -> Tensor:
        linear, _ = self._gradients.of(batch)
        return linear.slopes(along).clamp(min=0)


class GradientCosine(NeedsAll):
    """Gradient similarity: one weight for a batch of a task, the cosine of its gradient with the primary one or 0.

    Args:
        gradients: of the run's model.
    """

    def __init__(self, gradients: Gradients) -> None:
        self._gradients = gradients

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """The same for all examples of a task."""
        along = self._gradients.of_primary(step)
        return torch.cat([self._cosine([part], along).expand(len(part)) for part in batch])

    def snapshot(self, tasks: Sequence[Examples], step: int) -> list[Float[Tensor, " _"]]:
        """Of each task by the gradient of all its examples, for the iteration's batch of the primary task."""
        along = self._gradients.of_primary(step)
        return [self._cosine(list(in_order(task, _CHUNK)), along).repeat(len(task)) for task in tasks]

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
