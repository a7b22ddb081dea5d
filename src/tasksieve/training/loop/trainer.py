"""The updates of one iteration (steps 1 to 3 of the algorithm), on one state."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.encoding import ExampleBatch
from tasksieve.metagrad import primary_loss, related_loss
from tasksieve.models import LossesOf
from tasksieve.models.linearization import BatchLinearization
from tasksieve.records.config import LoopConfig
from tasksieve.training.loop.devices import at_hand, logged
from tasksieve.training.loop.divergence import FiniteCheck, clipped_step, norm_of
from tasksieve.training.loop.meta_updates import MetaUpdates
from tasksieve.training.loop.method import Method, Update
from tasksieve.training.loop.optimizers import set_lr
from tasksieve.training.loop.running_means import Means
from tasksieve.training.loop.samplers import RelatedSampler, Tasks, sampler
from tasksieve.training.loop.state import TrainState
from tasksieve.training.loop.streams import POOLED_STREAM, PRIMARY_STREAM, RELATED_STREAM
from tasksieve.weighting import RelatedBatch, Weighter


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
        self._finite = FiniteCheck()
        self._config, self._method, self._tasks = config, method, tasks
        self._state, self._weighter = state, weighter
        self._losses_of = LossesOf(state.model)
        named = self._losses_of.named_parameters()
        self._params: dict[str, Tensor] = {name: value for name, value in named if value.requires_grad}
        self._meta = MetaUpdates(config, tasks, state, weighter, self.means)
        self._updates: dict[Update, Callable[[int], None]] = {
            "primary": self._primary_update,
            "related": self._related_update,
            "pooled": self._pooled_update,
            "weights": self._meta,
        }
        training = config.training
        self._primary = sampler(training, tasks.primary.answerable(), PRIMARY_STREAM)
        self._related = RelatedSampler(training, tasks.related, RELATED_STREAM)
        everything = sum(map(len, (tasks.primary, *tasks.related)))
        self._pooled = sampler(training, torch.arange(everything), POOLED_STREAM)

    @property
    def pretrain_iterations(self) -> int:
        """How many of the first iterations are pre-training."""
        return self._config.training.pretrain_iterations if self._method.pretrain else 0

    def iterate(self, step: int) -> None:
        """Do the iteration with this number, counted from 0.

        Raises: Diverged: if a loss or gradient is not finite, as far as that is known without waiting for a device;
            the parameters are then as before that update.
        """
        if step == self.pretrain_iterations and step > 0:
            for optimizer in self._state.optimizers.values():
                optimizer.state.clear()
        for update in self._method.pretrain if step < self.pretrain_iterations else self._method.updates:
            if update != "primary" or self._config.training.primary_updates:
                self._updates[update](step)

    def settle(self) -> None:
        """Wait for what devices have found since this was last called.

        Raises: Diverged: if a loss or gradient was not finite; the updates by those were left out.
        """
        self._finite.settle()
        self._meta.settle()

    def _primary_update(self, step: int) -> None:
        batch = self._tasks.primary.batch(self._primary.batch(step))
        reduction, lr = self._config.training.reduction, self._config.training.primary_lr
        linear = self._losses_of.linearize(self._params, [batch])
        if linear is None:
            self._descend(primary_loss(self._losses(batch), reduction), "primary", step, lr)
            return
        factors = torch.ones_like(linear.losses)
        self._descend_linear(linear, factors / len(factors) if reduction == "mean" else factors, "primary", step, lr)

    def _related_update(self, step: int) -> None:
        weighter, drawn = self._weighter, self._related.size
        batch = self._related.batch(step, weighter.needed)
        weights = weighter.weights(batch, step)
        total = weights.sum()
        self.means.add("mean_weight", logged(total) / drawn)
        some = None if at_hand(total) else weights.any()
        if at_hand(total) and total == 0 and not weights.any():
            return
        reduction, lr = self._config.training.reduction, self._config.training.related_lr
        linear = self._losses_of.linearize(self._params, batch)
        if linear is None:
            loss = related_loss(self._related_losses(batch), weights, "sum")
            self._descend(loss / drawn if reduction == "mean" else loss, "related", step, lr, only_if=some)
            return
        factors = weights / drawn if reduction == "mean" else weights
        self._descend_linear(linear, factors, "related", step, lr, some)

    def _pooled_update(self, step: int) -> None:
        numbers = self._pooled.batch(step)
        losses, first = [], 0
        for task in (self._tasks.primary, *self._tasks.related):
            mine = numbers[(numbers >= first) & (numbers < first + len(task))] - first
            first += len(task)
            if len(mine):
                losses.append(self._losses(task.batch(mine.to(task.device))))
        loss = primary_loss(torch.cat(losses), self._config.training.reduction)
        self._descend(loss, "primary", step, self._config.training.primary_lr)

    def _losses(self, batch: ExampleBatch) -> Float[Tensor, " batch"]:
        losses: Tensor = self._losses_of(batch)
        return losses

    def _related_losses(self, batch: RelatedBatch) -> Float[Tensor, " batch"]:
        parts = [self._losses(part) for part in batch]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _set_gradients(self, gradients: Mapping[str, Tensor | None]) -> None:
        for name, value in self._params.items():
            value.grad = gradients.get(name)

    def _descend_linear(
        self,
        linear: BatchLinearization,
        factors: Tensor,
        update: str,
        step: int,
        lr: float,
        only_if: Tensor | None = None,
    ) -> None:
        """Step down a model's own losses times these factors."""
        loss = linear.losses @ factors
        self._descend(loss, update, step, lr, lambda: self._set_gradients(linear.gradient(factors)), only_if)

    def _descend(
        self,
        loss: Tensor,
        update: str,
        step: int,
        lr: float,
        backward: Callable[[], object] | None = None,
        only_if: Tensor | None = None,
    ) -> None:
        """Step down a loss, by its own backward pass if there is no other way to the gradients.

        With ``only_if`` the device decides whether the step is taken.
        """
        unsound = self._finite.skips(loss.detach(), step, update, "the loss")
        optimizer = self._state.optimizers[update]
        for param in self._params.values():
            param.grad = None
        (backward or loss.backward)()
        set_lr(optimizer, lr)
        params = self._params.values()
        norm = norm_of(value.grad for value in params if value.grad is not None)
        unsteady = self._finite.skips(norm, step, update, "the gradient")
        nothing = None if only_if is None else ~only_if
        clipped_step(optimizer, params, norm, self._config.training.max_grad_norm, unsound, unsteady, nothing)
        self.means.add(f"{update}_loss", logged(loss))
