"""What a learned run on dialogs starts from: weights that trials found for groups of turns, taught to the module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from tasksieve.errors import UserError
from tasksieve.models import WeightModule
from tasksieve.records.config import MOST_TRIALS
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.method import Preparation, Start
from tasksieve.training.screening.distill import distill
from tasksieve.training.screening.trials import effects_of_groups
from tasksieve.weighting import Effects, groups_by_task


def screening_of(start: Start, module: WeightModule) -> Preparation:
    """Trials by group of related turns, whose findings a weight module is taught.

    A related example's weight becomes the chance that its group helps, measured on the validation dialogs.

    Args:
        start: of the run; its screening has at least one trial, and its examples the columns task and system.
        module: the run's weight module.
    Raises: UserError: if so few trials cannot tell so many related tasks apart.
    """
    screening, training = start.screening, start.config.training
    _check_trials(screening.trials, len(start.tasks.related))

    def work(folder: RunFolder, watch: Callable[[int], None]) -> None:
        responses = start.examples["system"].to_list()
        sizes = [len(task) for task in start.tasks.related]
        groups = groups_by_task(responses, sizes, min(screening.groups, screening.trials // 2), training.seed)
        found = effects_of_groups(start, groups, folder, watch)
        folder.write_record("screening", _record(responses, groups, found, screening.trials))
        weights = found.chances.float()[groups]
        distill(module, start.tasks.related, weights, training, screening.distill_iterations)

    return Preparation(screening.trials * screening.iterations, work)


def _check_trials(trials: int, tasks: int) -> None:
    """Refuse more related tasks, each of which has a group of its own at least, than trials have room for."""
    most = trials // 2
    if tasks <= most:
        return
    needed = 1 << (2 * tasks - 1).bit_length()
    more = f"screening.trials={needed}, or " if needed <= MOST_TRIALS else ""
    raise UserError(
        f"screening.trials: {trials} trials tell at most {most} groups apart, and each of the {tasks} related tasks "
        f"is one; set {more}training.related_batch_size to have one task of all, or screening.trials=0 for none"
    )


def _record(responses: Sequence[str], groups: Tensor, found: Effects, trials: int) -> dict[str, Any]:
    """``screening.json``: each group with its commonest response, its effect and the chance that it helps."""
    said: list[Counter[str]] = [Counter() for _ in found.estimates]
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
