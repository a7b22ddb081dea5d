"""The paper's Table 1: five ways of weighting related images of which three quarters have wrong labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from scipy import stats

from tasksieve.experiments.workers import Job, run_jobs
from tasksieve.records.comparison import mean_sd
from tasksieve.records.config import config_of, set_value
from tasksieve.records.files import write_json
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.images import IMAGES, ImageConfig, measure_image_run
from tasksieve.training.run import Report, Watcher, run

METHODS = ("ones", "random-fixed", "random-changing", "learned", "oracle")
PAPER = {
    "ones": (21.63, 3.81),
    "random-fixed": (20.81, 4.46),
    "random-changing": (20.40, 4.42),
    "learned": (87.86, 0.17),
    "oracle": (90.32, 0.33),
}
"""Test accuracy of Table 1, mean and standard deviation of five runs."""


@dataclass(frozen=True, slots=True)
class Table1Plan:
    """What to reproduce.

    Attributes:
        config: of every run, but for method and seed.
        seeds: run seeds 0 to SEEDS − 1, the same for every method.
        out: the folder of runs and table.
    """

    config: ImageConfig
    seeds: int
    out: Path


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
    plan: Table1Plan, workers: int = 1, watch: Callable[[str, Report], None] | None = None
) -> dict[str, Any]:
    """Do every run that is not done yet and write ``table1.json``.

    Returns: ``rows`` (method, seeds, mean, sd, paper_mean, paper_sd), ``weights`` (of the learned runs, right and
        wrong, in the last epoch and over all of them, and the area under the ROC curve), ``settings``.
    Raises: UserError: as :func:`tasksieve.training.run.run`.
    """
    jobs = {method: [_job(plan, method, seed) for seed in range(plan.seeds)] for method in METHODS}
    slowest_first = sorted(METHODS, key=lambda method: method != "learned")
    run_jobs([job for method in slowest_first for job in jobs[method]], workers, watch or (lambda name, report: None))
    environment = RunFolder(jobs["learned"][0].path).read_record("environment")
    table = {
        "rows": [_row(method, jobs[method]) for method in METHODS],
        "weights": _weights([RunFolder(job.path) for job in jobs["learned"]]),
        "settings": {"config": plan.config.model_dump(mode="json"), **environment},
    }
    write_json(plan.out / "table1.json", table)
    return table


def _job(plan: Table1Plan, method: str, seed: int) -> Job:
    training = plan.config.training.model_copy(update={"method": method, "seed": seed})
    config = plan.config.model_copy(update={"training": training})
    path = plan.out / "runs" / f"{method}-{seed}"
    return Job(f"{method}-{seed}", path, partial(_train, config, path), partial(measure_image_run, path))


def _train(config: ImageConfig, path: Path, watch: Watcher) -> object:
    return run(config, path, IMAGES, watch)


def _row(method: str, jobs: Sequence[Job]) -> dict[str, Any]:
    seeds = []
    for job in jobs:
        folder = RunFolder(job.path)
        result, test = folder.read_record("result"), folder.read_record("test")
        seeds.append(
            {
                "seed": result["seed"],
                "test_accuracy": test["accuracy"],
                "valid_accuracy": result["valid_accuracy"],
                "seconds": result["seconds"],
            }
        )
    mean, sd = mean_sd([seed["test_accuracy"] for seed in seeds])
    paper_mean, paper_sd = PAPER[method]
    return {"method": method, "seeds": seeds, "mean": mean, "sd": sd, "paper_mean": paper_mean, "paper_sd": paper_sd}


def _weights(folders: Sequence[RunFolder]) -> dict[str, Any]:
    """Mean and sd over the runs, None for a kind of label that does not occur; a snapshot is taken once an epoch."""
    found: dict[str, list[float]] = {}
    for folder in folders:
        labels = folder.read_examples().select("example", "label")
        last = folder.read_weights(folder.weight_steps()[-1]).join(labels, on="example")
        everything = folder.read_weights().join(labels, on="example")
        for name, label in (("right", True), ("wrong", False)):
            for when, frame in (("last_epoch", last), ("all_epochs", everything)):
                weights = frame.filter(pl.col("label") == label)["weight"].to_numpy()
                found.setdefault(f"{when}_{name}", []).extend(
                    [float(weights.mean(dtype=float))] if len(weights) else []
                )
        found.setdefault("auroc", []).extend([auroc(last)] if last["label"].n_unique() == 2 else [])
    return {
        name: dict(zip(("mean", "sd"), mean_sd(values) if values else (None, None), strict=True))
        for name, values in found.items()
    }


def auroc(frame: pl.DataFrame) -> float:
    """How well the weights tell right from wrong labels: the chance that a right one's is the higher.

    Args:
        frame: columns weight and label.
    """
    right = frame.filter(pl.col("label"))["weight"].to_numpy()
    wrong = frame.filter(~pl.col("label"))["weight"].to_numpy()
    if not len(right) or not len(wrong):
        return float("nan")
    return float(stats.mannwhitneyu(right, wrong).statistic) / (len(right) * len(wrong))
