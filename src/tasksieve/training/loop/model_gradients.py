"""The gradients of the model that is trained, at the parameters it has just now."""

from __future__ import annotations

import torch

from tasksieve.contracts import ExampleBatch, Linearization, mean_factors
from tasksieve.metagrad import Params
from tasksieve.models import Model, learned_params
from tasksieve.records.config import TrainingConfig
from tasksieve.training.loop.samplers import Tasks, sampler
from tasksieve.training.loop.streams import LOOK_STREAM
from tasksieve.weighting import RelatedBatch


class ModelGradients:
    """Gradients of the primary task's loss and of related examples' losses, for methods that weight by them.

    Args:
        model: that is trained.
        tasks: the primary task's batches, of which each iteration has its own, are drawn apart from the updates'.
        training: batch size and seed.
    """

    def __init__(self, model: Model, tasks: Tasks, training: TrainingConfig) -> None:
        self._model, self._tasks = model, tasks
        self._sampler = sampler(training, tasks.primary.answerable(), LOOK_STREAM)
        self._params: Params = learned_params(model)

    def primary_batch(self, step: int) -> ExampleBatch:
        """The batch of the primary task for an iteration."""
        batch: ExampleBatch = self._tasks.primary.batch(self._sampler.batch(step))
        return batch

    def of_primary(self, step: int) -> Params:
        """The gradient of the primary task's mean loss in an iteration; names it does not depend on are left out."""
        return self.of((self.primary_batch(step),))[1]

    @torch.enable_grad()
    def of(self, batch: RelatedBatch) -> tuple[Linearization, Params]:
        """The losses of a batch with their derivatives, and the gradient of their mean, as far as each counts.

        Under ``no_grad`` too.
        """
        params = {name: value.detach() for name, value in self._params.items()}
        linear = self._model.linearize(params, batch)
        gradients = linear.gradient(mean_factors(batch, linear.losses))
        return linear, {name: value for name, value in gradients.items() if value is not None}
