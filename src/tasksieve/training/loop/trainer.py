"""The updates of one iteration (steps 1 to 3 of the algorithm), on one state."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.contracts import ExampleBatch
from tasksieve.models import learned_params
from tasksieve.records.config import LoopConfig
from tasksieve.training.loop.divergence import Diverged, clipped_step
from tasksieve.training.loop.meta_updates import MetaUpdates
from tasksieve.training.loop.parts import Tasks
from tasksieve.training.loop.running_means import Means
from tasksieve.training.loop.samplers import RelatedSampler, sampler
from tasksieve.training.loop.state import TrainState
from tasksieve.training.loop.streams import POOLED_STREAM, PRIMARY_STREAM, RELATED_STREAM
from tasksieve.training.methods import Method
from tasksieve.training.methods.method import Update
from tasksieve.weighting import Weighter


class Trainer:
    """Does iterations on a state; which batches it takes depends on the seed and the iteration's number alone.

    Args:
        config: of the run.
        method: which updates to make.
        tasks: encoded data.
        state: what the updates change.
        weighter: weights of the related examples.
    """

    def __init__(
        self, config: LoopConfig, method: Method, tasks: Tasks, state: TrainState, weighter: Weighter
    ) -> None:
        self.means = Means()
        self._config, self._method, self._tasks = config, method, tasks
        self._state, self._weighter = state, weighter
        self._params = learned_params(state.model)
        self._updates: dict[Update, Callable[[int], None]] = {
            "primary": self._primary_update,
            "related": self._related_update,
            "pooled": self._pooled_update,
            "weights": MetaUpdates(config, tasks, state, weighter, self.means),
        }
        training = config.training
        self._primary = sampler(training, tasks.primary.answerable(), PRIMARY_STREAM)
        self._related = RelatedSampler(training, tasks.related, RELATED_STREAM)
        everything = sum(map(len, (tasks.primary, *tasks.related)))
        self._pooled = sampler(training, torch.arange(everything, device=tasks.primary.device), POOLED_STREAM)

    @property
    def pretrain_iterations(self) -> int:
        """How many of the first iterations are pre-training."""
        return self._config.training.pretrain_iterations if self._method.pretrain else 0

    def update(self, name: Update) -> Callable[[int], None]:
        """One of the updates by itself, as a function of the iteration's number."""
        return self._updates[name]

    def iterate(self, step: int) -> None:
        """Do the iteration with this number, counted from 0.

        Raises: Diverged: if a loss or gradient is not finite; the parameters are then as before that update.
        """
        if step == self.pretrain_iterations and step > 0:
            for optimizer in self._state.optimizers.values():
                optimizer.state.clear()
        for update in self._method.pretrain if step < self.pretrain_iterations else self._method.updates:
            if update != "primary" or self._config.training.primary_updates:
                self._updates[update](step)

    def _primary_update(self, step: int) -> None:
        batch = self._tasks.primary.batch(self._primary.batch(step))
        self._descend([batch], self._equal(len(batch)), "primary", step, self._config.training.primary_lr)

    def _related_update(self, step: int) -> None:
        weighter, drawn = self._weighter, self._related.size
        batch = self._related.batch(step, weighter.needed)
        weights = weighter.weights(batch, step)
        mean = float(weights.sum()) / drawn
        self.means.add("mean_weight", mean)
        if mean == 0 and not bool(weights.any()):
            return
        factors = weights / drawn if self._config.training.reduction == "mean" else weights
        self._descend(batch, factors, "related", step, self._config.training.related_lr)

    def _pooled_update(self, step: int) -> None:
        numbers = self._pooled.batch(step)
        batches, first = [], 0
        for task in (self._tasks.primary, *self._tasks.related):
            mine = numbers[(numbers >= first) & (numbers < first + len(task))] - first
            first += len(task)
            if len(mine):
                batches.append(task.batch(mine))
        self._descend(batches, self._equal(len(numbers)), "primary", step, self._config.training.primary_lr)

    def _equal(self, count: int) -> Float[Tensor, " examples"]:
        """The factors of losses that are not weighted."""
        ones = next(iter(self._params.values())).new_ones(count)
        return ones / count if self._config.training.reduction == "mean" else ones

    def _descend(
        self, batches: Sequence[ExampleBatch], factors: Float[Tensor, " examples"], update: str, step: int, lr: float
    ) -> None:
        """Step down the losses of batches, one after the other, times factors."""
        losses = self._state.model.backward(batches, factors)
        value = float(losses @ factors)
        if not math.isfinite(value):
            raise Diverged(step, update, f"the loss ({value})")
        optimizer = self._state.optimizers[update]
        for group in optimizer.param_groups:
            group["lr"] = lr
        clipped_step(optimizer, self._params.values(), self._config.training.max_grad_norm, update, step)
        self.means.add(f"{update}_loss", value)
