"""The gradients of the model that is trained, at the parameters it has just now."""

from __future__ import annotations

import torch
from torch import nn

from tasksieve.encoding import ExampleBatch
from tasksieve.metagrad import AutogradLinearization, Linearization, Params
from tasksieve.models import LossesOf
from tasksieve.records.config import TrainingConfig
from tasksieve.training.loop.samplers import Tasks, sampler
from tasksieve.training.loop.streams import LOOK_STREAM
from tasksieve.weighting import RelatedBatch


class ModelGradients:
    """Gradients of the primary task's loss and of related examples' losses, for methods that weight by them.

    Args:
        model: has ``losses(batch)``.
        tasks: the primary task's batches, of which each iteration has its own, are drawn apart from the updates'.
        training: batch size and seed.
    """

    def __init__(self, model: nn.Module, tasks: Tasks, training: TrainingConfig) -> None:
        self._losses_of, self._tasks = LossesOf(model), tasks
        self._sampler = sampler(training, tasks.primary.answerable(), LOOK_STREAM)
        named = self._losses_of.named_parameters()
        self._params: Params = {name: value for name, value in named if value.requires_grad}

    def primary_batch(self, step: int) -> ExampleBatch:
        """The batch of the primary task for an iteration."""
        batch: ExampleBatch = self._tasks.primary.batch(self._sampler.batch(step))
        return batch

    def of_primary(self, step: int) -> Params:
        """The gradient of the primary task's mean loss in an iteration; names it does not depend on are left out."""
        return self.of((self.primary_batch(step),))[1]

    def of(self, batch: RelatedBatch) -> tuple[Linearization, Params]:
        """The losses of a batch with their derivatives, and the gradient of their mean."""
        params = {name: value.detach() for name, value in self._params.items()}
        linear = self._losses_of.linearize(params, batch)
        found = linear or AutogradLinearization(
            lambda at: torch.cat([self._losses_of.at(at, b) for b in batch]), params
        )
        factors = torch.full_like(found.losses, 1 / len(found.losses))
        gradients = found.gradient(factors)
        return found, {name: value for name, value in gradients.items() if value is not None}
