"""What a run of `learned` costs beside one of `multitask`, timed before it starts, and made to fit a budget."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from tasksieve.encoding.threads import computing_with
from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig, changed
from tasksieve.training.loop.chosen_estimator import check_estimator
from tasksieve.training.loop.divergence import Diverged
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.runs.dialogs import build_parts, method_of
from tasksieve.training.runs.memo import TASKS, remembered

TIMED, UNTIMED = 5, 9
"""Iterations of each kind that are timed, after some that are not, as the first of each batch take longer; the median
counts."""
LEAST_UPDATES = 50
"""Iterations with meta-updates that a budget leaves at least: with fewer, weights hardly move."""
LEAST_TRIAL = 400
"""Iterations of a trial that a budget leaves at least: harm shows only after hundreds of updates."""
LEAST_TRIALS = 8
SHORT = 5.0
"""Seconds: a run that takes less is mostly start-up, which is not in what is timed."""


@dataclass(frozen=True, slots=True)
class Seconds:
    """What was timed.

    Attributes:
        plain: an iteration of `multitask`.
        meta: an iteration of `learned` with meta-updates.
        validation: one validation.
    """

    plain: float
    meta: float
    validation: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Of whole runs, in seconds: at most, as training may stop early where nothing gets better."""

    learned: float
    multitask: float

    @property
    def times(self) -> float:
        """How many runs of `multitask` one of `learned` costs."""
        return self.learned / self.multitask

    @property
    def sentence(self) -> str:
        """Both in words, with where they are from."""
        short = "; times this short are mostly start-up" if self.multitask < SHORT else ""
        return (
            f"a run of learned costs about {self.times:.1f} times one of multitask, {_minutes(self.learned)} against "
            f"{_minutes(self.multitask)} at most (by {TIMED} timed iterations of each){short}"
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """A bound of a learned run: so many times a run of `multitask`, or so many seconds."""

    text: str
    times: float | None = None
    seconds: float | None = None

    @classmethod
    def of(cls, text: str) -> Budget:
        """Read ``2x``, ``5m``, ``90s`` or ``1.5h``. Raises: UserError: if it is none of these."""
        units = {"s": 1.0, "m": 60.0, "h": 3600.0}
        try:
            number = float(text[:-1])
        except ValueError:
            number = 0.0
        if not 0 < number < float("inf") or text[-1:] not in ("x", *units):
            raise UserError(f"--budget: found '{text}'; expected times a run of multitask, as 2x, or minutes, as 5m")
        if text.endswith("x"):
            return cls(text, times=number)
        return cls(text, seconds=number * units[text[-1]])

    def holds(self, cost: Cost) -> bool:
        """Whether a cost is within it."""
        return cost.times <= self.times if self.times is not None else cost.learned <= (self.seconds or 0.0)


def timed(config: RunConfig) -> Seconds | None:
    """Time a few iterations on the configuration's own data, which leaves nothing behind; None if they diverge.

    What was encoded for it is there for a run in this process, if tasks are remembered.
    """
    check_estimator(config.meta)
    remembering = nullcontext() if TASKS.room else remembered(files=0)
    try:
        with computing_with(config.training.threads), remembering, torch.random.fork_rng(devices=()):
            return _timed(config)
    except Diverged:
        return None


def _timed(config: RunConfig) -> Seconds:
    trainer, validate = _trainer(changed(config, {"training.method": "multitask"}))
    plain = _median(trainer, range(TIMED + UNTIMED))
    started = time.perf_counter()
    validate()
    validation, meta = time.perf_counter() - started, config.meta
    if meta.updates == 0 or meta.unroll_length == 0:
        return Seconds(plain, plain, validation)
    trainer, _ = _trainer(changed(config, {"training.method": "learned"}))
    first = -(-meta.warm_up // meta.every)
    steps = range(first * meta.every, (first + TIMED + UNTIMED) * meta.every, meta.every)
    return Seconds(plain, max(plain, _median(trainer, steps)), validation)


def _trainer(config: RunConfig) -> tuple[Trainer, Callable[[], float]]:
    method = method_of(config)
    parts = build_parts(config, method)
    return Trainer(config, method, parts.tasks, parts.state, parts.weighter), parts.validate


def _median(trainer: Trainer, steps: range) -> float:
    """Of what iterations take, but for the first ones."""
    taken = []
    for step in steps:
        started = time.perf_counter()
        trainer.iterate(step)
        trainer.settle()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[UNTIMED:])


def cost_of(config: RunConfig, seconds: Seconds) -> Cost:
    """What runs as configured cost: trials, iterations with and without meta-updates, and validations."""
    training, screening = config.training, config.screening
    validations = -(-training.iterations // training.evaluate_every)
    plain = training.iterations * seconds.plain + validations * seconds.validation
    trial = screening.iterations * seconds.plain + 3 * seconds.validation
    before = screening.trials * trial + (screening.distill_iterations * seconds.plain if screening.trials else 0)
    return Cost(plain + before + _updated(config) * (seconds.meta - seconds.plain), plain)


def _updated(config: RunConfig) -> int:
    """How many iterations have meta-updates."""
    warm_up = 0 if config.screening.trials else config.meta.warm_up
    every = config.meta.every
    return max(0, -(-config.training.iterations // every) - -(-warm_up // every))


def within(config: RunConfig, budget: Budget, seconds: Seconds) -> RunConfig:
    """The same run with as many meta-updates and as much screening as a budget allows.

    Both are divided by the same number, the smallest that does: `meta.every` is multiplied by it; trials become
    shorter, and then fewer.

    Raises: UserError: if it cannot be met.
    """
    part, found = 1, config
    while part == 1 or _updated(found) >= LEAST_UPDATES:
        cost = cost_of(found, seconds)
        if budget.holds(cost):
            return found
        part += 1
        found = changed(config, _reduced(config, part))
    raise UserError(
        f"--budget {budget.text} cannot be met: a run of learned costs at least {cost.times:.1f} times one of "
        f"multitask, {_minutes(cost.learned)}; allow more, or use multitask"
    )


def _reduced(config: RunConfig, part: int) -> dict[str, Any]:
    screening = config.screening
    settings: dict[str, Any] = {"meta.every": config.meta.every * part}
    if not screening.trials:
        return settings
    iterations = max(min(LEAST_TRIAL, screening.iterations), screening.iterations // part)
    trials = screening.trials
    while trials > LEAST_TRIALS and trials * iterations * part > screening.trials * screening.iterations:
        trials //= 2
    return {**settings, "screening.trials": trials, "screening.iterations": iterations}


def bounded_settings(config: RunConfig) -> dict[str, Any]:
    """What a budget changes, ``section.key`` to value, as a configuration has it."""
    meta, screening = config.meta, config.screening
    return {
        "meta.every": meta.every,
        "screening.trials": screening.trials,
        "screening.iterations": screening.iterations,
    }


def _minutes(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.1f} min" if seconds < 600 else f"{seconds / 60:.0f} min"
