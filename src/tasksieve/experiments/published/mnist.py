"""The paper's Table 1: five ways of weighting related images of which three quarters have wrong labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksieve.errors import UserError
from tasksieve.experiments.published import table1_conditions as beyond
from tasksieve.experiments.published.table1_conditions import Condition
from tasksieve.experiments.published.table1_rows import image_job, row, weights
from tasksieve.experiments.result_tables import write_table1_tables
from tasksieve.experiments.slices import holding
from tasksieve.experiments.workers import Job, RunJobs, run_jobs
from tasksieve.records.config import config_of, set_value
from tasksieve.records.files import write_json
from tasksieve.records.progress import ProgressLog, Watch
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.claiming import refuse_other
from tasksieve.training.loop.devices import on_device
from tasksieve.training.loop.divergence import Diverged
from tasksieve.training.runs.images import IMAGES, ImageConfig

METHODS = ("ones", "random-fixed", "random-changing", "learned", "oracle")
PAPER = {
    "ones": (21.63, 3.81),
    "random-fixed": (20.81, 4.46),
    "random-changing": (20.40, 4.42),
    "learned": (87.86, 0.17),
    "oracle": (90.32, 0.33),
}
"""Test accuracy of Table 1, mean and standard deviation of five runs."""
_TABLE = Condition("table")
_Jobs = dict[str, list[Job]]
_Run = Callable[[Sequence[Job]], dict[str, Diverged]]


@dataclass(frozen=True, slots=True)
class Table1Plan:
    """What to reproduce.

    Attributes:
        config: of every run, but for method and seed.
        seeds: run seeds 0 to SEEDS − 1, the same for every method.
        out: the folder of runs and table.
        condition_seeds: how many seeds each condition beyond the paper has; 0 leaves them out.
    """

    config: ImageConfig
    seeds: int
    out: Path
    condition_seeds: int = 0


def table1_config(data: Path | None, corruption: str, share: float, assignments: Sequence[str]) -> ImageConfig:
    """The paper's set-up on the MNIST files in a folder, or on scikit-learn's digits.

    Args:
        data: the folder; None for scikit-learn's digits.
        corruption, share: how labels are made wrong, and how many.
        assignments: other settings, ``section.key=value``.
    Raises: UserError: if a setting is unknown or wrong.
    """
    values = ImageConfig().model_dump(exclude_none=True)
    values["data"] = {"corruption": corruption, "share": share} | ({} if data is None else {"directory": str(data)})
    for assignment in assignments:
        set_value(values, assignment)
    return config_of(ImageConfig, values)


def reproduce_table1(
    plan: Table1Plan,
    workers: int = 1,
    watch: Watch | None = None,
    run: RunJobs = run_jobs,
) -> dict[str, Any]:
    """Do every run that is not done yet and write ``table1.json``, with tables beside it.

    Args:
        plan: what to reproduce.
        workers: runs at the same time.
        watch: called with a run's name and how far it is.
        run: does the runs.
    Returns: ``rows`` (method, seeds, mean, sd, paper_mean, paper_sd), ``weights`` (of the learned runs, right and
        wrong, in the last epoch and over all of them, and the area under the ROC curve), ``conditions`` (those beyond
        the paper: :func:`tasksieve.experiments.table1_conditions.condition_record`), ``settings``.
    Raises: UserError: as :func:`tasksieve.training.loop.run.run`; if a run in the folder has another configuration,
        before any other is done; if a run diverged, once the others are done.
    """
    IMAGES.files(plan.config)  # refuses missing ones before anything is made
    with holding(plan.out, run):
        return _reproduce(plan, lambda jobs: run(jobs, workers, watch or ProgressLog().watch))


def _reproduce(plan: Table1Plan, run: _Run) -> dict[str, Any]:
    table = _jobs(plan, _TABLE, METHODS)
    conditions = beyond.conditions_of(plan.config) if plan.condition_seeds else []
    more = [_jobs(plan, condition, beyond.METHODS) for condition in conditions]
    _do([table, *more], run)
    environment = RunFolder(table["learned"][0].path).read_record("environment")
    record = {
        "rows": [_paper_row(method, jobs) for method, jobs in table.items()],
        "weights": weights(table["learned"]),
        "conditions": [
            beyond.condition_record(condition, plan.config, jobs)
            for condition, jobs in zip(conditions, more, strict=True)
        ],
        "settings": {"config": plan.config.model_dump(mode="json"), **environment},
    }
    write_json(plan.out / "table1.json", record)
    write_table1_tables(plan.out, record)
    return record


def _jobs(plan: Table1Plan, condition: Condition, methods: Sequence[str]) -> _Jobs:
    """A condition's runs by method; those that are the table's own, as nothing differs, are not run twice."""
    jobs: _Jobs = {}
    for method in methods:
        config = condition.config(plan.config, method)
        own = config == _TABLE.config(plan.config, method)
        name = method if own else f"{condition.name}-{method}"
        jobs[method] = [
            _job(_with_seed(config, seed), plan.out / "runs" / f"{name}-{seed}")
            for seed in range(plan.seeds if own else plan.condition_seeds)
        ]
    return jobs


def _job(config: ImageConfig, path: Path) -> Job:
    """A run, which may be done already, but then with this very configuration."""
    folder = RunFolder(path)
    if folder.begun:
        refuse_other(folder, on_device(config))
    return image_job(config, path)


def _with_seed(config: ImageConfig, seed: int) -> ImageConfig:
    return config.model_copy(update={"training": config.training.model_copy(update={"seed": seed})})


def _do(groups: Sequence[Mapping[str, Sequence[Job]]], run: _Run) -> None:
    """Do the paper's table first, and in each group the slow runs first, so that no worker waits long at the end."""
    jobs: dict[Path, Job] = {}
    for group in groups:
        for method in sorted(group, key=lambda method: method != "learned"):
            jobs |= {job.path: job for job in group[method] if job.path not in jobs}
    failed = run(list(jobs.values()))
    for name, error in failed.items():
        path = next(path for path in jobs if path.name == name)
        raise UserError(f"{error} ({len(failed)} such run, the others are done)", path)


def _paper_row(method: str, jobs: Sequence[Job]) -> dict[str, Any]:
    mean, sd = PAPER[method]
    return {**row(method, jobs), "paper_mean": mean, "paper_sd": sd}
