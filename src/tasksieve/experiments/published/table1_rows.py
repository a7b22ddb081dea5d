"""Rows of Table 1: runs on images as jobs, and what their records say together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from scipy import stats

from tasksieve.experiments.workers import Job
from tasksieve.records.comparison import mean_sd
from tasksieve.records.progress import Watcher
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.run import run
from tasksieve.training.runs.images import IMAGES, ImageConfig, measure_image_run


def image_job(config: ImageConfig, path: Path) -> Job:
    """A run on images, named after its folder."""
    return Job(path.name, path, partial(_train, config, path), partial(measure_image_run, path))


def _train(config: ImageConfig, path: Path, watch: Watcher) -> object:
    return run(config, path, IMAGES, watch)


def row(method: str, jobs: Sequence[Job]) -> dict[str, Any]:
    """A method's test accuracy over its seeds: ``method``, ``seeds``, ``mean`` and ``sd``."""
    seeds = []
    for job in jobs:
        folder = RunFolder(job.path)
        result = folder.read_record("result", "seed", "valid_accuracy", "seconds")
        test = folder.read_record("test", "accuracy")
        seeds.append(
            {
                "seed": result["seed"],
                "test_accuracy": test["accuracy"],
                "valid_accuracy": result["valid_accuracy"],
                "seconds": result["seconds"],
            }
        )
    mean, sd = mean_sd([seed["test_accuracy"] for seed in seeds])
    return {"method": method, "seeds": seeds, "mean": mean, "sd": sd}


def weights(jobs: Sequence[Job]) -> dict[str, Any]:
    """The weights of right and wrong labels, mean and sd over runs of one method.

    Returns: ``last_epoch_right``, ``last_epoch_wrong``, ``all_epochs_right``, ``all_epochs_wrong`` and ``auroc`` (of
        the last epoch), each with ``mean`` and ``sd``; both None for a kind of label that does not occur. A snapshot
        is taken once an epoch.
    """
    found: dict[str, list[float]] = {}
    for job in jobs:
        folder = RunFolder(job.path)
        labels = folder.read_examples().select("example", "label")
        last = folder.read_weights(folder.weight_steps()[-1]).join(labels, on="example")
        everything = folder.read_weights().join(labels, on="example")
        for name, label in (("right", True), ("wrong", False)):
            for when, frame in (("last_epoch", last), ("all_epochs", everything)):
                values = frame.filter(pl.col("label") == label)["weight"].to_numpy()
                found.setdefault(f"{when}_{name}", []).extend(
                    [float(values.mean(dtype=float))] if len(values) else []
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
