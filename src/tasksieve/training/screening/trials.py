"""Short trainings, each with some groups of related examples and without the others, which show what a group does."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from tasksieve.encoding import derived_generator
from tasksieve.errors import UserError
from tasksieve.models.matching.model import Matching
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.method import Method, Start
from tasksieve.training.loop.state import start_state
from tasksieve.training.loop.streams import SCREENING_STREAM
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.screening.side_by_side import SideBySide
from tasksieve.weighting import Effects, PerExample, balanced_design, by_task, effects_of

_MEASURED = (0.7, 0.85, 1.0)
"""At which parts of its length a trial is measured; the mean counts, as single points are noisy."""


def effects_of_groups(
    start: Start, groups: Int[Tensor, " examples"], folder: RunFolder, watch: Callable[[int], None]
) -> Effects:
    """Do the trials that are not done yet, each written to ``trials.jsonl`` as it ends.

    All trials start and draw their batches alike, as the run will, so that they differ in nothing but their groups.

    Args:
        start: of the run; its ``screening`` says how many trials, and how long.
        groups: of each related example, task after task.
        folder: of the run, which this process holds.
        watch: called with the number of iterations done.
    Returns: the effect of each group, in hundredths of the measure.
    Raises: Diverged: as training.
    """
    trials = start.screening.trials
    design = _design(start, int(groups.max()) + 1)
    done = folder.read_trials(design.tolist())
    seconds = folder.forget_after(len(done) - trials - 1)
    if start.screening.together and len(done) < trials:
        started, rows = time.perf_counter(), design[len(done) :]
        found = _side_by_side(start, rows.float()[:, groups], len(done) * start.screening.iterations, watch)
        folder.append_time(-1, seconds + time.perf_counter() - started)
        for groups_in, result in zip(rows.tolist(), found, strict=True):
            folder.append_trial(groups_in, result)
        done.extend(found)
    for number in range(len(done), trials):
        started = time.perf_counter()
        result = _trial(start, design[number].float()[groups], number * start.screening.iterations, watch)
        seconds += time.perf_counter() - started
        folder.append_time(number - trials, seconds)
        folder.append_trial(design[number].tolist(), result)
        done.append(result)
    return effects_of(design, torch.tensor(done, dtype=torch.float64))


def _design(start: Start, groups: int) -> Bool[Tensor, "trials groups"]:
    generator = derived_generator(start.config.training.seed, SCREENING_STREAM)
    return balanced_design(groups, start.screening.trials, generator)


class _WithGivenWeights(Method):
    """Learn from both tasks with weights that are given."""


def _side_by_side(start: Start, weights: Tensor, before: int, watch: Callable[[int], None]) -> list[float]:
    """Those that borrow as one model; one that borrows nothing takes fewer steps, and is trained by itself."""
    borrows = weights.any(dim=1)
    found = iter(_together(start, weights[borrows], before, watch) if bool(borrows.any()) else ())
    before += int(borrows.sum()) * start.screening.iterations
    return [
        next(found) if some else _trial(start, own, before, watch)
        for own, some in zip(weights, borrows.tolist(), strict=True)
    ]


def _together(start: Start, weights: Tensor, before: int, watch: Callable[[int], None]) -> list[float]:
    """As :func:`_trial`, for several trials at the same time: a row of weights each, and a result each.

    Raises: UserError: if the run's model is none that can be trained so.
    """
    iterations, related = start.screening.iterations, start.tasks.related
    models = [start.fresh_model() for _ in weights]
    if not all(
        isinstance(model, Matching) and not model.linear.numel() and model.adapter is None for model in models
    ):
        raise UserError(
            "screening.together: only the matching model on bags of words has trials that are one model; "
            "set screening.together=false"
        )
    tables = torch.split(weights.to(related[0].device), [len(task) for task in related], dim=1)
    trials = SideBySide(start.config, [model for model in models if isinstance(model, Matching)], start.tasks, tables)
    measured, results = {max(1, round(part * iterations)) for part in _MEASURED}, []
    for step in range(iterations):
        trials.iterate(step)
        if step + 1 in measured:
            results.append([start.measure(model) for model in trials.settle()])
        if step % 10 == 9:
            watch(before + (step + 1) * len(models))
    return [100 * sum(found) / len(found) for found in zip(*results, strict=True)]


def _trial(start: Start, weights: Tensor, before: int, watch: Callable[[int], None]) -> float:
    """The mean of a trial's measurements, in hundredths.

    Args:
        weights: of all related examples.
        before: iterations of the trials before.
    """
    iterations, related = start.screening.iterations, start.tasks.related
    state = start_state(start.config, start.fresh_model(), None)
    weighter = PerExample(by_task(weights, related))
    trainer = Trainer(start.config, _WithGivenWeights(), start.tasks, state, weighter)
    measured = {max(1, round(part * iterations)) for part in _MEASURED}
    results = []
    for step in range(iterations):
        trainer.iterate(step)
        if step + 1 in measured:
            trainer.settle()
            results.append(start.measure(state.model))
        if step % 10 == 9:
            watch(before + step + 1)
    return 100 * sum(results) / len(results)
