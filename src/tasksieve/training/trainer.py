"""The updates of one iteration (steps 1 to 3 of the algorithm), on one state."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from tasksieve.encoding import BatchSampler, ExampleBatch
from tasksieve.errors import UserError
from tasksieve.metagrad import (
    Adam,
    BilevelProblem,
    InnerRule,
    Sgd,
    moments_of,
    primary_loss,
    related_loss,
    unrolled_meta_gradient,
)
from tasksieve.models import LossesOf
from tasksieve.records.config import LoopConfig
from tasksieve.training.methods import Method
from tasksieve.training.methods.method import Update
from tasksieve.training.parts import Tasks
from tasksieve.training.state import TrainState
from tasksieve.training.streams import (
    META_PRIMARY_STREAM,
    META_RELATED_STREAM,
    POOLED_STREAM,
    PRIMARY_STREAM,
    RELATED_STREAM,
)
from tasksieve.weighting import Learned, RelatedBatch, Weighter

EXPLOSIONS = 20
"""So many meta-gradients in a row that are not finite end the run. A single one is left out: the simulated updates
touch neither model nor weight module, and a sharp spot of the loss passes."""


class Diverged(UserError):
    """A loss or gradient stopped being a number; the last good checkpoint is kept."""

    def __init__(self, step: int, update: str, what: str) -> None:
        super().__init__(
            f"iteration {step}, {update} update: {what} is not finite; the last good checkpoint is kept. "
            "Try smaller learning rates (training.primary_lr, meta.inner_lr) or training.max_grad_norm"
        )


class Means:
    """Running means of named values, since last asked."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, int]] = {}

    def add(self, name: str, value: float) -> None:
        """Count a value in."""
        total, count = self._sums.get(name, (0.0, 0))
        self._sums[name] = total + value, count + 1

    def take(self) -> dict[str, float]:
        """The means, and start anew."""
        means = {name: total / count for name, (total, count) in self._sums.items()}
        self._sums.clear()
        return means


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
        self._exploded = 0
        self._config, self._method, self._tasks = config, method, tasks
        self._state, self._weighter = state, weighter
        self._losses_of = LossesOf(state.model)
        self._updates: dict[Update, Callable[[int], None]] = {
            "primary": self._primary_update,
            "related": self._related_update,
            "pooled": self._pooled_update,
            "weights": self._weights_update,
        }
        self._primary = self._sampler(tasks.primary.answerable(), PRIMARY_STREAM)
        self._meta_primary = self._sampler(tasks.primary.answerable(), META_PRIMARY_STREAM)
        self._related = self._related_samplers(RELATED_STREAM)
        self._meta_related = self._related_samplers(META_RELATED_STREAM)
        everything = sum(map(len, (tasks.primary, *tasks.related)))
        self._pooled = self._sampler(torch.arange(everything, device=tasks.primary.device), POOLED_STREAM)

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
        loss = primary_loss(self._losses(batch), self._config.training.reduction)
        self._descend(loss, "primary", step, self._config.training.primary_lr)

    def _related_update(self, step: int) -> None:
        batch = self._related_batch(self._related, step)
        weights = self._weighter.weights(batch, step)
        self.means.add("mean_weight", float(weights.mean()))
        if not bool(weights.any()):
            return
        loss = related_loss(self._related_losses(batch), weights, self._config.training.reduction)
        self._descend(loss, "related", step, self._config.training.related_lr)

    def _pooled_update(self, step: int) -> None:
        numbers = self._pooled.batch(step)
        losses, first = [], 0
        for task in (self._tasks.primary, *self._tasks.related):
            mine = numbers[(numbers >= first) & (numbers < first + len(task))] - first
            first += len(task)
            if len(mine):
                losses.append(self._losses(task.batch(mine)))
        loss = primary_loss(torch.cat(losses), self._config.training.reduction)
        self._descend(loss, "primary", step, self._config.training.primary_lr)

    def _weights_update(self, step: int) -> None:
        meta, weighter = self._config.meta, self._weighter
        assert isinstance(weighter, Learned)
        if step < weighter.warm_up or meta.unroll_length == 0:
            return
        for number in range(step * meta.updates, (step + 1) * meta.updates):
            self._meta_update(number, step, weighter)

    def _meta_update(self, number: int, step: int, weighter: Learned) -> None:
        meta = self._config.meta
        first = number * meta.unroll_length
        batches = [self._related_batch(self._meta_related, first + k) for k in range(meta.unroll_length)]
        params: dict[str, Tensor] = dict(self._losses_of.named_parameters())
        optimizer = self._state.optimizers["related"]
        result = unrolled_meta_gradient(
            BilevelProblem(
                self._unrolled_related_losses,
                self._unrolled_losses,
                weighter.unrolled,
                self._config.training.reduction,
            ),
            self._rule(),
            params,
            dict(weighter.module.named_parameters()),
            batches,
            self._tasks.primary.batch(self._meta_primary.batch(number)),
            moments_of(optimizer, params) if meta.inner_optimizer == "adam" and meta.carry_state else None,
        )
        finite = all(bool(torch.isfinite(gradient).all()) for gradient in result.gradients.values())
        self.means.add("meta_updates_skipped", float(not finite))
        self._exploded = 0 if finite else self._exploded + 1
        if self._exploded == EXPLOSIONS:
            raise Diverged(step, "weight", f"the meta-gradient, {EXPLOSIONS} times in a row,")
        if finite:
            for name, value in weighter.module.named_parameters():
                value.grad = result.gradients[name]
            self._step(self._state.optimizers["weights"], weighter.module, meta.max_grad_norm, "weight", step)
            self.means.add("meta_loss", float(result.meta_loss))

    def _rule(self) -> InnerRule:
        meta = self._config.meta
        if meta.inner_optimizer == "sgd":
            return Sgd(meta.inner_lr)
        return Adam(meta.inner_lr, eps_root=meta.inner_eps_root)

    def _losses(self, batch: ExampleBatch) -> Float[Tensor, " batch"]:
        losses: Tensor = self._losses_of(batch)
        return losses

    def _related_losses(self, batch: RelatedBatch) -> Float[Tensor, " batch"]:
        return torch.cat([self._losses(part) for part in batch])

    def _unrolled_losses(self, params: dict[str, Tensor], batch: ExampleBatch) -> Float[Tensor, " batch"]:
        losses: Tensor = functional_call(self._losses_of, params, (batch,))
        return losses

    def _unrolled_related_losses(self, params: dict[str, Tensor], batch: RelatedBatch) -> Float[Tensor, " batch"]:
        return torch.cat([self._unrolled_losses(params, part) for part in batch])

    def _descend(self, loss: Tensor, update: str, step: int, lr: float) -> None:
        value = float(loss.detach())
        if not math.isfinite(value):
            raise Diverged(step, update, f"the loss ({value})")
        model, optimizer = self._state.model, self._state.optimizers[update]
        model.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        for group in optimizer.param_groups:
            group["lr"] = lr
        self._step(optimizer, model, self._config.training.max_grad_norm, update, step)
        self.means.add(f"{update}_loss", value)

    def _step(
        self, optimizer: torch.optim.Optimizer, module: nn.Module, limit: float | None, update: str, step: int
    ) -> None:
        norm = nn.utils.clip_grad_norm_(module.parameters(), math.inf if limit is None else limit)
        if not math.isfinite(float(norm)):
            raise Diverged(step, update, "the gradient")
        optimizer.step()

    def _related_batch(self, samplers: Sequence[BatchSampler], number: int) -> RelatedBatch:
        drawn = (sampler.batch(number) for sampler in samplers)
        return tuple(task.batch(examples) for task, examples in zip(self._tasks.related, drawn, strict=True))

    def _sampler(self, examples: Tensor, stream: int) -> BatchSampler:
        training = self._config.training
        return BatchSampler(examples, training.batch_size, seed=training.seed, stream=stream)

    def _related_samplers(self, stream: int) -> list[BatchSampler]:
        return [
            self._sampler(task.answerable(), stream + 100 * number) for number, task in enumerate(self._tasks.related)
        ]
