"""Screening of a run: short trainings that show which groups of related examples help, and what a run makes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from tasksieve.encoding import derived_generator
from tasksieve.records.config import LoopConfig, ScreeningConfig
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.parts import Tasks
from tasksieve.training.loop.state import TrainState
from tasksieve.training.loop.streams import SCREENING_STREAM
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.methods import method_named
from tasksieve.weighting import Effects, PerExample, balanced_design, effects_of

_MEASURED = (0.7, 0.85, 1.0)
"""At which parts of its length a trial is measured; the mean counts, as single points are noisy."""


@dataclass(frozen=True, slots=True)
class TrialParts:
    """What trials of a run are made of.

    Attributes:
        config: of the run.
        tasks: what is learned from.
        groups: of each related example, task after task.
        fresh_state: the run's own start, made anew.
        measure: how good a state is on the primary task's validation data; higher is better.
    """

    config: LoopConfig
    tasks: Tasks
    groups: Int[Tensor, " examples"]
    fresh_state: Callable[[], TrainState]
    measure: Callable[[TrainState], float]


def screen(screening: ScreeningConfig, parts: TrialParts, folder: RunFolder, watch: Callable[[int], None]) -> Effects:
    """Do the trials that are not done yet, each written to ``trials.jsonl`` as it ends.

    All trials start and draw their batches alike, as the run will, so that they differ in nothing but their groups.

    Args:
        screening: how many trials, and how long.
        parts: what they are made of.
        folder: of the run, which this process holds.
        watch: called with the number of iterations done.
    Returns: the effect of each group, in hundredths of the measure.
    Raises: Diverged: as training.
    """
    design = _design(screening, parts)
    done = folder.read_trials(design.tolist())
    seconds = folder.forget_after(len(done) - screening.trials - 1)
    for number in range(len(done), screening.trials):
        started = time.perf_counter()
        result = _trial(screening, parts, design, number, watch)
        seconds += time.perf_counter() - started
        folder.append_time(number - screening.trials, seconds)
        folder.append_trial(design[number].tolist(), result)
        done.append(result)
    return effects_of(design, torch.tensor(done, dtype=torch.float64))


def _design(screening: ScreeningConfig, parts: TrialParts) -> Bool[Tensor, "trials groups"]:
    generator = derived_generator(parts.config.training.seed, SCREENING_STREAM)
    return balanced_design(int(parts.groups.max()) + 1, screening.trials, generator)


def _trial(
    screening: ScreeningConfig,
    parts: TrialParts,
    design: Bool[Tensor, "trials groups"],
    number: int,
    watch: Callable[[int], None],
) -> float:
    weights = design[number].float()[parts.groups].to(parts.tasks.primary.device)
    state = parts.fresh_state()
    weighter = PerExample(torch.split(weights, [len(task) for task in parts.tasks.related]))
    trainer = Trainer(parts.config, method_named("multitask"), parts.tasks, state, weighter)
    measured = {max(1, round(part * screening.iterations)) for part in _MEASURED}
    results = []
    for step in range(screening.iterations):
        trainer.iterate(step)
        if step + 1 in measured:
            results.append(parts.measure(state))
        if step % 10 == 9:
            watch(number * screening.iterations + step + 1)
    return 100 * sum(results) / len(results)
