"""What a learned run on dialogs starts from: weights that a screening found, taught to the weight module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from tasksieve.encoding import EncodedTask
from tasksieve.models import DialogModel
from tasksieve.records.config import RunConfig
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.parts import Preparation
from tasksieve.training.loop.state import TrainState
from tasksieve.training.runs.dialog_tasks import DialogTasks
from tasksieve.training.runs.evaluation import mean_probability
from tasksieve.training.screening.distill import distill
from tasksieve.training.screening.trials import TrialParts, screen
from tasksieve.weighting import Effects, response_groups


def screening_of(
    config: RunConfig, tasks: DialogTasks, module: nn.Module, fresh_state: Callable[[], TrainState]
) -> Preparation:
    """Trials by group of related turns, whose findings the weight module is taught.

    A related example's weight becomes the chance that its group helps, measured on the validation dialogs.

    Args:
        config: of the run; its screening has at least one trial.
        tasks: encoded data.
        module: the run's weight module.
        fresh_state: the run's own start, made anew, without a weight module.
    """
    screening = config.screening

    def measure(state: TrainState) -> float:
        assert isinstance(state.model, DialogModel)
        return mean_probability(state.model, tasks.valid)

    def work(folder: RunFolder, watch: Callable[[int], None]) -> None:
        groups = groups_of(tasks.related, min(screening.groups, screening.trials // 2), config.training.seed)
        parts = TrialParts(config, tasks, groups, fresh_state, measure)
        found = screen(screening, parts, folder, watch)
        folder.write_record("screening", _record(tasks.related, groups, found, screening.trials))
        weights = found.chances.float()[groups]
        distill(module, tasks.related, weights, config.training, screening.distill_iterations)

    return Preparation(screening.trials * screening.iterations, work)


def _record(related: Sequence[EncodedTask], groups: Tensor, found: Effects, trials: int) -> dict[str, Any]:
    """``screening.json``: each group with its commonest response, its effect and the chance that it helps."""
    said: list[Counter[str]] = [Counter() for _ in found.estimates]
    responses = (example.system for task in related for example in task.examples)
    for group, response in zip(groups.tolist(), responses, strict=True):
        said[group][response] += 1
    columns = zip(said, found.estimates.tolist(), found.chances.tolist(), strict=True)
    return {
        "trials": trials,
        "error": found.error,
        "quantile": found.quantile,
        "groups": [
            {"response": counts.most_common(1)[0][0], "examples": counts.total(), "effect": effect, "chance": chance}
            for counts, effect, chance in columns
        ],
    }


def groups_of(related: Sequence[EncodedTask], most: int, seed: int) -> Int[Tensor, " examples"]:
    """Groups of all related examples, those of different tasks apart; at least one a task, ``most`` in all."""
    each = max(1, most // len(related))
    parts, first = [], 0
    for task in related:
        found = response_groups([example.system for example in task.examples], each, seed) + first
        first = int(found.max()) + 1
        parts.append(found)
    return torch.cat(parts)
