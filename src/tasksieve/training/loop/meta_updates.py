"""Step 3 of an iteration: the updates of the weight module (Eqs. 6-14)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from tasksieve.contracts import ExampleBatch, Linearization, given_weights
from tasksieve.encoding import derived_generator
from tasksieve.metagrad import (
    Adam,
    BilevelProblem,
    Distributed,
    Estimator,
    InnerRule,
    MetaGradient,
    MetaUpdate,
    Params,
    Scaled,
    Sgd,
    Simulation,
    State,
    estimator_named,
    moments_of,
)
from tasksieve.metagrad.certificate import certify
from tasksieve.metagrad.distributed import sum_over_ranks
from tasksieve.metagrad.preflight import chosen_estimator, preflight
from tasksieve.metagrad.real_optimizer import Grouped
from tasksieve.models import learned_params
from tasksieve.models.calibrated import calibrated_losses
from tasksieve.records.config import LoopConfig, MetaConfig
from tasksieve.training.loop.as_measured import as_measured
from tasksieve.training.loop.devices import at_hand, logged
from tasksieve.training.loop.divergence import Explosions, clipped_step, exploded, norm_of
from tasksieve.training.loop.optimizers import lr_factors, set_lr
from tasksieve.training.loop.ranks import ALONE, Ranks
from tasksieve.training.loop.running_means import Means
from tasksieve.training.loop.samplers import FixedBatches, SampledBatches, Tasks, sampler, simulated_sampler
from tasksieve.training.loop.state import TrainState
from tasksieve.training.loop.streams import META_JOINT_STREAM, META_PRIMARY_STREAM, META_RELATED_STREAM
from tasksieve.weighting import Drawn, Learned, RelatedBatch, Weighter

_Update = MetaUpdate[RelatedBatch, ExampleBatch]


GATHERED = 20
"""Iterations in which Adagrad gathers how large gradients are before it moves anything: its first steps would be of
full length whatever they say."""
TOLD = 4
"""Meta-updates from one before which the weight module is told the model's present losses to the next."""


class MetaUpdates:
    """The weight module's updates of an iteration; which batches they take depends on seed and number alone.

    Args:
        config: of the run.
        tasks: encoded data.
        state: what the updates change: the weight module only.
        weighter: whose module it is.
        means: takes what is logged.
        ranks: the processes that share the batches.
        before: iterations of a pre-training, which come first.
    """

    def __init__(
        self,
        config: LoopConfig,
        tasks: Tasks,
        state: TrainState,
        weighter: Weighter,
        means: Means,
        ranks: Ranks = ALONE,
        before: int = 0,
    ) -> None:
        self._config, self._tasks, self._state = config, tasks, state
        self._weighter, self._means, self._ranks, self._before = weighter, means, ranks, before
        self._params = learned_params(state.model)
        self._eta = {} if state.weight_module is None else learned_params(state.weight_module)
        self._rule = _rule_of_groups(config.meta, state.optimizers["related"], self._params)
        self._explosions = Explosions(state.progress)
        self._last: tuple[_Update, int] | None = None
        self._estimator: Estimator | None = None
        training = config.training
        self._judges = _judges(config, tasks, ranks)
        self._joint = sampler(training, tasks.primary.answerable(), META_JOINT_STREAM)
        self._related = simulated_sampler(training, tasks.related, META_RELATED_STREAM, weighter, ranks.part)
        if ranks.several and isinstance(weighter, Drawn):
            weighter.total, weighter.add = ranks.total, sum_over_ranks

    @property
    def least(self) -> dict[str, int]:
        """How many examples the smallest batches of a meta-update have, if there are meta-updates."""
        if not isinstance(self._weighter, Learned) or not self._config.meta.unroll_length:
            return {}
        joint = [self._joint.size] if self._config.meta.joint else []
        return {"weight": min(self._judges.size, self._related.least, *joint)}

    def count(self, iterations: range) -> int:
        """How many meta-updates the iterations with these numbers have."""
        meta, weighter = self._config.meta, self._weighter
        if not isinstance(weighter, Learned) or not meta.unroll_length:
            return 0
        return meta.updates * sum(step >= weighter.warm_up and step % meta.every == 0 for step in iterations)

    def __call__(self, step: int) -> None:
        """Do those of the iteration with this number.

        Raises: NoSecondDerivative: if the estimator cannot work with the model, and the run is to stop then.
            Diverged: if too many meta-gradients in a row are not finite.
        """
        meta, weighter = self._config.meta, self._weighter
        assert isinstance(weighter, Learned)
        if step < weighter.warm_up or meta.unroll_length == 0 or step % meta.every:
            return
        first = step // meta.every * meta.updates
        with as_measured(self._state.model) if meta.dialogs == "validation" else nullcontext():
            self._do(range(first, first + meta.updates), step, weighter)

    def _do(self, numbers: range, step: int, weighter: Learned) -> None:
        meta = self._config.meta
        for number in numbers:
            update = self._update(number, weighter)
            if isinstance(weighter, Drawn) and number % TOLD == 0:
                self._tell(weighter, update)
            if self._estimator is None:
                self._estimator = self._checked(update)
            if meta.certify_every and number % (meta.certify_every * meta.updates) == 0:
                for name, value in certify(self._estimator, update).metrics().items():
                    self._means.add(name, value)
            self._learn(self._estimator(update), update, step)

    def _tell(self, weighter: Drawn, update: _Update) -> None:
        """Tell the weight module what the model loses on the simulated batches at present."""
        with torch.no_grad():
            for batch in update.simulation.related_batches:
                for part in batch:
                    losses = self._ranks.whole(self._state.model.losses(part))
                    weighter.groups.observe(self._ranks.whole(part.examples), losses)
            self._ranks.copied(weighter.groups.buffers())

    def _checked(self, update: _Update) -> Estimator:
        """The estimator, after a look at the model if need be; of several processes all take that of the first."""
        meta, twice = self._config.meta, self._state.model.differentiable_twice
        name = self._ranks.told(_checked(meta, update)) if twice else meta.estimator
        return Distributed(estimator_named(name)) if self._ranks.several else estimator_named(name)

    def _update(self, number: int, weighter: Learned) -> _Update:
        """What the update with this number, counted over the whole run, is to differentiate."""
        problem = BilevelProblem(
            self._related_losses,
            self._judged,
            lambda eta, batches: _counted(weighter.unrolled(eta, batches), batches),
            self._config.training.reduction,
            self._state.model.linearize,
            None if self._config.meta.loss == "calibrated" else self._linearize_primary,
            len,
            lambda batch: given_weights([batch]),
        )
        return MetaUpdate(problem, self._present_rule(), self._simulation(number), self._eta)

    def _present_rule(self) -> InnerRule:
        if self._config.meta.inner_optimizer != "held-adam":
            return self._rule
        return Scaled(
            self._rule.preconditioner(self._params, moments_of(self._state.optimizers["related"], self._params))
        )

    def _simulation(self, number: int) -> Simulation[RelatedBatch, ExampleBatch]:
        meta, primary = self._config.meta, self._tasks.primary
        params = self._params
        numbers = range(number * meta.unroll_length, (number + 1) * meta.unroll_length)
        state: State | None = None
        if meta.carry_state and meta.inner_optimizer == "adam":
            state = moments_of(self._state.optimizers["related"], params)
        return Simulation(
            params,
            [self._related.batch(k) for k in numbers],
            self._judges.batch(number),
            state,
            [primary.batch(self._ranks.part(self._joint.batch(k))) for k in numbers] if meta.joint else (),
        )

    def settle(self) -> None:
        """Wait for what devices have found since this was last called.

        Raises: Diverged: if too many meta-gradients in a row were not finite.
        """
        if self._explosions.settle() and self._last is not None:
            self._give_up(*self._last)

    def _learn(self, result: MetaGradient, update: _Update, step: int) -> None:
        norm = norm_of(result.gradients.values())
        finite = torch.isfinite(norm.square())  # what the optimiser keeps of it
        self._means.add("meta_updates_skipped", logged(~finite))
        if self._explosions.add(finite):
            self._give_up(update, step)
        if at_hand(finite) and not finite:
            return
        for name, value in self._eta.items():
            value.grad = result.gradients[name]
        optimizer, limit = self._state.optimizers["weights"], self._config.meta.max_grad_norm
        assert isinstance(self._weighter, Learned)
        set_lr(optimizer, weight_lr(self._config, step - self._before, self._weighter.warm_up))
        if at_hand(finite):
            clipped_step(optimizer, self._eta.values(), norm, limit)
            self._means.add("meta_loss", float(result.meta_loss))
        else:
            self._last = update, step
            clipped_step(optimizer, self._eta.values(), norm, limit, ~finite)
            self._means.add("meta_loss", result.meta_loss.detach(), counts=finite)

    def _give_up(self, update: _Update, step: int) -> None:
        raise exploded(update, step, self._state.weight_module)

    def _related_losses(self, params: dict[str, Tensor], batch: RelatedBatch) -> Tensor:
        parts = [self._state.model.losses_at(params, part) for part in batch]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _judged(self, params: dict[str, Tensor], batch: Any) -> Tensor:
        """The losses of a primary batch that the meta-loss is made of."""
        if self._config.meta.loss == "calibrated":
            return calibrated_losses(self._state.model, params, batch, self._ranks.total)
        return self._state.model.losses_at(params, batch)

    def _linearize_primary(self, params: dict[str, Tensor], batch: ExampleBatch) -> Linearization:
        return self._state.model.linearize(params, [batch])


def _judges(config: LoopConfig, tasks: Tasks, ranks: Ranks) -> FixedBatches | SampledBatches:
    """The batches that the meta-loss is taken on, by the number of the meta-update."""
    training, meta = config.training, config.meta
    if meta.dialogs == "validation":
        size, random = meta.batch_size or training.batch_size, derived_generator(training.seed, META_PRIMARY_STREAM)
        return FixedBatches(tasks.valid, size, random, ranks.part)
    drawn = sampler(training, tasks.primary.answerable(), META_PRIMARY_STREAM, meta.batch_size)
    return SampledBatches(tasks.primary, drawn, ranks.part)


def _counted(weights: Sequence[Tensor], batches: Sequence[RelatedBatch]) -> list[Tensor]:
    """The weights of each batch's examples, times what the data say that each of them counts."""
    given = map(given_weights, batches)
    return [own if counts is None else own * counts for own, counts in zip(weights, given, strict=True)]


def weight_lr(config: LoopConfig, step: int, warm_up: int) -> float:
    """γ in the iteration with this number; pre-training comes before number 0.

    Args:
        config: of the run.
        step: the iteration.
        warm_up: iterations before the module is asked, which are none after a screening.
    """
    meta = config.meta
    if meta.weight_optimizer == "adagrad" and step < warm_up + GATHERED:
        return 0.0
    if meta.weight_lr_schedule == "constant":
        return meta.weight_lr
    return meta.weight_lr * (1 + math.cos(math.pi * min(1.0, step / config.training.iterations))) / 2


def rule_of(meta: MetaConfig) -> InnerRule:
    """The simulated step that a configuration means."""
    if meta.inner_optimizer == "sgd":
        return Sgd(meta.inner_lr, meta.inner_momentum)
    return Adam(meta.inner_lr, eps_root=meta.inner_eps_root)


def _rule_of_groups(meta: MetaConfig, optimizer: torch.optim.Optimizer, params: Params) -> InnerRule:
    """The simulated step, at whose size the parts of a model keep the ratios that they have in the real one."""
    groups = lr_factors(optimizer)
    rules = tuple(rule_of(meta.model_copy(update={"inner_lr": meta.inner_lr * factor})) for _, factor in groups)
    if len(groups) == 1:
        return rules[0]
    group_of = {id(value): place for place, (values, _) in enumerate(groups) for value in values}
    return Grouped({name: group_of[id(value)] for name, value in params.items()}, rules)


def _checked(meta: MetaConfig, update: _Update) -> str:
    """The configured estimator's name, or that of what takes its place where the model lacks a second derivative."""
    checked = preflight(update)
    name = chosen_estimator(checked, meta.estimator, meta.on_failure)
    notes = list(checked.warnings)
    if name != meta.estimator:
        notes.append(f"the estimator '{name}' takes the place of '{meta.estimator}': {checked.message}")
    for note in notes:
        warnings.warn(note, RuntimeWarning, stacklevel=2)
    return name
