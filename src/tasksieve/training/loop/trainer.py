"""The updates of one iteration (steps 1 to 3 of the algorithm), on one state."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.contracts import ExampleBatch, given_weights
from tasksieve.errors import UserError
from tasksieve.models import learned_params
from tasksieve.records.config import LoopConfig
from tasksieve.training.loop.devices import at_hand, logged
from tasksieve.training.loop.divergence import WEIGHTS, FiniteCheck, clipped_step, norm_of
from tasksieve.training.loop.meta_updates import MetaUpdates
from tasksieve.training.loop.method import Method, Update
from tasksieve.training.loop.optimizers import set_lr
from tasksieve.training.loop.own_kinds import called
from tasksieve.training.loop.ranks import ALONE, Ranks
from tasksieve.training.loop.running_means import Means
from tasksieve.training.loop.samplers import Tasks, related_sampler, sampler
from tasksieve.training.loop.state import TrainState
from tasksieve.training.loop.streams import POOLED_STREAM, PRIMARY_STREAM, RELATED_STREAM
from tasksieve.weighting import Weighter


class Trainer:
    """Does iterations on a state; which batches it takes depends on the seed and the iteration's number alone.

    Args:
        config: of the run.
        method: which updates to make.
        tasks: encoded data.
        state: what the updates change.
        weighter: weights of the related examples.
        ranks: the processes that share the batches.
    Raises: UserError: if a batch has fewer examples than there are processes.
    """

    def __init__(
        self,
        config: LoopConfig,
        method: Method,
        tasks: Tasks,
        state: TrainState,
        weighter: Weighter,
        ranks: Ranks = ALONE,
    ) -> None:
        self.means = Means()
        self._finite = FiniteCheck()
        self._config, self._method, self._tasks = config, method, tasks
        self._state, self._weighter, self._ranks = state, weighter, ranks
        self._params = learned_params(state.model)
        self._meta = MetaUpdates(config, tasks, state, weighter, self.means, ranks, self.pretrain_iterations)
        self._updates: dict[Update, Callable[[int], None]] = {
            "primary": self._primary_update,
            "related": self._related_update,
            "pooled": self._pooled_update,
            "weights": self._meta,
        }
        training = config.training
        self._primary = sampler(training, tasks.primary.answerable(), PRIMARY_STREAM)
        self._related = related_sampler(
            training, tasks.related, RELATED_STREAM, weighter, method.drawn(config), ranks.part
        )
        everything = sum(map(len, (tasks.primary, *tasks.related)))
        self._pooled = sampler(training, torch.arange(everything), POOLED_STREAM)
        if ranks.several:
            self._check_sizes()

    @property
    def pretrain_iterations(self) -> int:
        """How many of the first iterations are pre-training."""
        return self._config.training.pretrain_iterations if self._method.pretrain else 0

    def meta_updates(self, iterations: range) -> int:
        """How many meta-updates the iterations with these numbers have."""
        if "weights" not in self._method.updates:
            return 0
        return self._meta.count(range(max(iterations.start, self.pretrain_iterations), iterations.stop))

    def iterate(self, step: int) -> None:
        """Do the iteration with this number, counted from 0.

        Raises: Diverged: if a loss or gradient is not finite, as far as that is known without waiting for a device;
            the parameters are then as before that update.
        """
        if step == self.pretrain_iterations and step > 0:
            for optimizer in self._state.optimizers.values():
                optimizer.state.clear()
        self._ranks.draw_layers(self._config.training.seed, step)
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
        batch = self._tasks.primary.batch(self._ranks.part(self._primary.batch(step)))
        self._descend(
            [batch], self._equal(len(batch), self._primary.size), "primary", step, self._config.training.primary_lr
        )

    def _related_update(self, step: int) -> None:
        weighter, drawn = self._weighter, self._related.size
        batch = self._related.batch(step, weighter.needed)
        weights = weighter.weights(batch, step)
        total = self._ranks.total(weights.sum())
        if self._state.weight_module is not None:
            what = f"the sum of the weights that {called(self._state.weight_module)} gave"
            self._finite.skips(total, step, "related", what, WEIGHTS)
        self.means.add("mean_weight", logged(total) / drawn)
        some = None if at_hand(total) else total != 0 if self._ranks.several else weights.any()
        if at_hand(total) and total == 0 and (self._ranks.several or not weights.any()):
            return
        factors = weights / drawn if self._config.training.reduction == "mean" else weights
        self._descend(batch, factors, "related", step, self._config.training.related_lr, some)

    def _pooled_update(self, step: int) -> None:
        numbers = self._ranks.part(self._pooled.batch(step))
        batches, first = [], 0
        for task in (self._tasks.primary, *self._tasks.related):
            mine = numbers[(numbers >= first) & (numbers < first + len(task))] - first
            first += len(task)
            if len(mine):
                batches.append(task.batch(mine))
        self._descend(
            batches, self._equal(len(numbers), self._pooled.size), "primary", step, self._config.training.primary_lr
        )

    def _check_sizes(self) -> None:
        """Refuse batches of which a process would have nothing."""
        updates = {*self._method.updates, *(self._method.pretrain if self.pretrain_iterations else ())}
        drawn = {"primary": self._primary.size, "pooled": self._pooled.size, "related": self._related.least}
        least = {name: drawn[name] for name in drawn if name in updates} | self._meta.least
        for name, size in least.items():
            if size < self._ranks.size:
                raise UserError(
                    f"a batch of the {name} update has {size} examples, too few for {self._ranks.size} processes; "
                    "start fewer (torchrun --nproc-per-node), or give more dialogs"
                )

    def _share(self, step: int) -> float:
        """What is left of the step size at an iteration."""
        training = self._config.training
        total = self.pretrain_iterations + training.iterations
        return max(0.0, 1 - step / total) if training.lr_schedule == "linear" else 1.0

    def _equal(self, count: int, among: int) -> Float[Tensor, " examples"]:
        """The factors of losses that are not weighted, of this process's part of a batch."""
        ones = next(iter(self._params.values())).new_ones(count)
        return ones / among if self._config.training.reduction == "mean" else ones

    def _descend(
        self,
        batches: Sequence[ExampleBatch],
        factors: Float[Tensor, " examples"],
        update: str,
        step: int,
        lr: float,
        only_if: Tensor | None = None,
    ) -> None:
        """Step down the losses of batches, one after the other, times factors and what the data say they count.

        With ``only_if`` the device decides whether the step is taken.
        """
        given = given_weights(batches)
        factors = factors if given is None else factors * given
        loss = self._state.model.backward(batches, factors) @ factors
        if self._ranks.several:
            loss = self._ranks.add_up(self._params.values(), loss)
        unsound = self._finite.skips(loss, step, update, "the loss")
        optimizer = self._state.optimizers[update]
        set_lr(optimizer, lr * self._share(step))
        params = self._params.values()
        norm = norm_of(value.grad for value in params if value.grad is not None)
        unsteady = self._finite.skips(norm, step, update, "the gradient")
        nothing = None if only_if is None else ~only_if
        clipped_step(optimizer, params, norm, self._config.training.max_grad_norm, unsound, unsteady, nothing)
        self.means.add(f"{update}_loss", logged(loss))
