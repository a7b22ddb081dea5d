"""Step 3 of an iteration: the updates of the weight module (Eqs. 6-14)."""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor

from tasksieve.encoding import ExampleBatch
from tasksieve.errors import UserError
from tasksieve.metagrad import (
    ESTIMATORS,
    Adam,
    AutogradLinearization,
    BilevelProblem,
    Estimator,
    InnerRule,
    Linearization,
    MetaGradient,
    MetaUpdate,
    Sgd,
    Simulation,
    State,
    estimator_named,
    moments_of,
)
from tasksieve.metagrad.certificate import certify
from tasksieve.metagrad.diagnosis import diagnose
from tasksieve.metagrad.preflight import chosen_estimator, preflight
from tasksieve.models import LossesOf
from tasksieve.records.config import LoopConfig, MetaConfig
from tasksieve.training.loop.divergence import EXPLOSIONS, Diverged, clipped_step, norm_of
from tasksieve.training.loop.parts import Tasks
from tasksieve.training.loop.running_means import Means
from tasksieve.training.loop.samplers import RelatedSampler, sampler
from tasksieve.training.loop.state import TrainState
from tasksieve.training.loop.streams import META_JOINT_STREAM, META_PRIMARY_STREAM, META_RELATED_STREAM
from tasksieve.weighting import Learned, RelatedBatch, Weighter

_Update = MetaUpdate[RelatedBatch, ExampleBatch]


class MetaUpdates:
    """The weight module's updates of an iteration; which batches they take depends on seed and number alone.

    Args:
        config: of the run.
        tasks: encoded data.
        state: what the updates change: the weight module only.
        weighter: whose module it is.
        means: takes what is logged.
    """

    def __init__(self, config: LoopConfig, tasks: Tasks, state: TrainState, weighter: Weighter, means: Means) -> None:
        self._config, self._tasks, self._state = config, tasks, state
        self._weighter, self._means = weighter, means
        self._losses_of = LossesOf(state.model)
        self._params: dict[str, Tensor] = dict(self._losses_of.named_parameters())
        module = state.weight_module
        self._eta: dict[str, Tensor] = {} if module is None else dict(module.named_parameters())
        self._rule = rule_of(config.meta)
        self._estimator: Estimator | None = None
        self._has_own = hasattr(state.model, "linearize")
        training, answerable = config.training, tasks.primary.answerable()
        self._primary = sampler(training, answerable, META_PRIMARY_STREAM)
        self._joint = sampler(training, answerable, META_JOINT_STREAM)
        self._related = RelatedSampler(training, tasks.related, META_RELATED_STREAM)

    def __call__(self, step: int) -> None:
        """Do those of the iteration with this number.

        Raises: NoSecondDerivative: if the estimator cannot work with the model, and the run is to stop then.
            Diverged: if too many meta-gradients in a row are not finite.
        """
        meta, weighter = self._config.meta, self._weighter
        assert isinstance(weighter, Learned)
        if step < weighter.warm_up or meta.unroll_length == 0:
            return
        for number in range(step * meta.updates, (step + 1) * meta.updates):
            update = self._update(number, weighter)
            if self._estimator is None:
                self._estimator = _checked(meta, update)
            if meta.certify_every and number % (meta.certify_every * meta.updates) == 0:
                for name, value in certify(self._estimator, update).metrics().items():
                    self._means.add(name, value)
            self._learn(self._estimator(update), update, step)

    def _update(self, number: int, weighter: Learned) -> _Update:
        """What the update with this number, counted over the whole run, is to differentiate."""
        problem = BilevelProblem(
            self._related_losses,
            self._losses,
            weighter.unrolled,
            self._config.training.reduction,
            self._linearize if self._has_own else None,
            self._linearize_primary if self._has_own else None,
            len,
        )
        return MetaUpdate(problem, self._rule, self._simulation(number), self._eta)

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
            primary.batch(self._primary.batch(number)),
            state,
            [primary.batch(self._joint.batch(k)) for k in numbers] if meta.joint else (),
        )

    def _learn(self, result: MetaGradient, update: _Update, step: int) -> None:
        norm = norm_of(result.gradients.values())
        finite = math.isfinite(norm)
        self._means.add("meta_updates_skipped", float(not finite))
        progress = self._state.progress
        progress.exploded = 0 if finite else progress.exploded + 1
        if progress.exploded == EXPLOSIONS:
            where = diagnose(update).sentence
            raise Diverged(step, "weight", f"the meta-gradient, {EXPLOSIONS} times in a row ({where}),")
        if finite:
            for name, value in self._eta.items():
                value.grad = result.gradients[name]
            optimizer, limit = self._state.optimizers["weights"], self._config.meta.max_grad_norm
            for group in optimizer.param_groups:
                group["lr"] = weight_lr(self._config, step)
            clipped_step(optimizer, self._eta.values(), limit, "weight", step, norm)
            self._means.add("meta_loss", float(result.meta_loss))

    def _losses(self, params: dict[str, Tensor], batch: ExampleBatch) -> Tensor:
        return self._losses_of.at(params, batch)

    def _related_losses(self, params: dict[str, Tensor], batch: RelatedBatch) -> Tensor:
        parts = [self._losses(params, part) for part in batch]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _linearize(self, params: dict[str, Tensor], batch: RelatedBatch) -> Linearization:
        own = self._losses_of.linearize(params, batch)
        return own or AutogradLinearization(lambda moved: self._related_losses(moved, batch), params)

    def _linearize_primary(self, params: dict[str, Tensor], batch: ExampleBatch) -> Linearization:
        return self._linearize(params, (batch,))


def weight_lr(config: LoopConfig, step: int) -> float:
    """γ in the iteration with this number; pre-training comes before number 0."""
    meta = config.meta
    if meta.weight_lr_schedule == "constant":
        return meta.weight_lr
    return meta.weight_lr * (1 + math.cos(math.pi * min(1.0, step / config.training.iterations))) / 2


def rule_of(meta: MetaConfig) -> InnerRule:
    """The simulated step that a configuration means."""
    if meta.inner_optimizer == "sgd":
        return Sgd(meta.inner_lr, meta.inner_momentum)
    return Adam(meta.inner_lr, eps_root=meta.inner_eps_root)


def check_estimator(meta: MetaConfig) -> None:
    """Refuse an estimator that there is not, or that a run has no place for.

    Raises: UserError: which lists those that a run can use.
    """
    known = [name for name, kind in ESTIMATORS.items() if kind.fits_runs]
    if meta.estimator not in known:
        raise UserError(f"meta.estimator: found '{meta.estimator}'; a run can use {', '.join(known)}")


def _checked(meta: MetaConfig, update: _Update) -> Estimator:
    """The configured estimator, or the one that takes its place where the model lacks a second derivative."""
    found = preflight(update)
    name = chosen_estimator(found, meta.estimator, meta.on_failure)
    notes = list(found.warnings)
    if name != meta.estimator:
        notes.append(f"the estimator '{name}' takes the place of '{meta.estimator}': {found.message}")
    for note in notes:
        warnings.warn(note, RuntimeWarning, stacklevel=2)
    return estimator_named(name)
