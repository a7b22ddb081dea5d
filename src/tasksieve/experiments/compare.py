"""Methods × sizes × seeds on the same data: run all, resume what was stopped, summarise."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tasksieve.dialogs.formats import dialog_file, read_dialogs
from tasksieve.errors import UserError
from tasksieve.experiments.workers import Job, RunJobs, run_jobs
from tasksieve.records.comparison import Comparison, FailedRun, SeedResult, comparison_row, run_name, verdict
from tasksieve.records.config import RunConfig, changed
from tasksieve.records.files import sha256, write_json
from tasksieve.records.lock import FolderLock
from tasksieve.records.progress import ProgressLog, Watch
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.divergence import Diverged
from tasksieve.training.loop.run import refuse_other
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.read_files import ReadFiles, data_files, read_files, read_test
from tasksieve.training.runs.trained_model import evaluate_run
from tasksieve.training.tracking import Tracking


@dataclass(frozen=True, slots=True)
class Plan:
    """What a comparison is of.

    Attributes:
        config: of every run, but for method, seed and size.
        test: test dialogs of the primary task: a file, or a directory with the split; None for those that the
            configuration's split draws from the primary dialogs.
        methods: names; `primary` first is what the others are compared with.
        sizes: numbers of primary training dialogs; none for what the configuration says, or all there are.
        seeds: run seeds 0 to SEEDS − 1, the same for every method.
        out: the comparison folder.
        overrides: by method, ``section.key`` to value: settings that only its runs have.
        track: programs that follow every run, with their files in the folder ``tracking``.
    """

    config: RunConfig
    test: str | None
    methods: tuple[str, ...]
    sizes: tuple[int, ...]
    seeds: int
    out: Path
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    track: tuple[str, ...] = ()


_log = logging.getLogger("tasksieve")
_RESULT = ("method", "seed", "size", "valid_accuracy", "iterations", "seconds")
_TEST = ("sha256", "accuracy", "per_dialog_accuracy", "coverage")


def compare(
    plan: Plan,
    workers: int = 1,
    watch: Watch | None = None,
    run: RunJobs = run_jobs,
) -> Comparison:
    """Do every run that is not done yet, measure each once on the test set, and write ``comparison.json``.

    A run that diverges does not stop the others: it is named in ``failed`` and left out of the rows.

    Args:
        plan: what to compare.
        workers: processes that run at the same time.
        watch: called with a run's name and how far it is; without it that goes to the logger ``tasksieve``.
        run: does the jobs: in processes of this machine, or elsewhere.
    Returns: rows in the order of sizes and methods, with the verdict.
    Raises: UserError: as :func:`tasksieve.training.loop.run.train`, and if every run diverged; finished runs stay.
    """
    test = None if plan.test is None else dialog_file(plan.test, "test")
    _check(plan, test)
    jobs = _jobs(plan, test)
    with FolderLock(plan.out):
        _follow(plan, jobs)
        failed = run(jobs, workers, watch or ProgressLog().watch)
        if len(failed) == len(jobs):
            raise next(iter(failed.values()))
        comparison = _summarise(plan, jobs, test, failed)
        write_json(plan.out / "comparison.json", comparison.model_dump(mode="json"))
    return comparison


def _tracking(plan: Plan, run: str) -> Tracking:
    return Tracking(plan.track, plan.out / "tracking", run)


def _follow(plan: Plan, jobs: list[Job]) -> None:
    """Show the programs what was done before."""
    _tracking(plan, "").prepare()
    for job in jobs if plan.track else ():
        if job.done:
            with _tracking(plan, job.name).start(RunFolder(job.path)):
                pass


def _check(plan: Plan, test: Path | None) -> None:
    """Refuse before the first run what would fail after it."""
    if not plan.methods or plan.seeds < 1:
        raise UserError("nothing to compare; give at least one of --methods and one of --seeds")
    if len(set(plan.methods)) < len(plan.methods) or len(set(plan.sizes)) < len(plan.sizes):
        raise UserError("a method or size is named twice; name each once")
    for name in plan.methods:
        data = _config(plan, name).data
        method_named(name).require(related=bool(data.related), labels=data.labels is not None)
    _tracking(plan, "").check()
    if test is None:
        read_test(plan.config.data)
    else:
        read_dialogs(test, strict=plan.config.data.strict)


def _jobs(plan: Plan, test: Path | None) -> list[Job]:
    everything = _said(read_files(plan.config.data))
    jobs = []
    for size in plan.sizes or (plan.config.data.size,):
        for name in plan.methods:
            for seed in range(plan.seeds):
                config = changed(_config(plan, name), {"data.size": size, "training.seed": seed})
                label = run_name(name, size or everything, seed)
                path = plan.out / "runs" / label
                work = (
                    partial(train, config, path, tracking=_tracking(plan, label)),
                    partial(evaluate_run, path, test),
                )
                if RunFolder(path).begun:
                    refuse_other(RunFolder(path), config)
                jobs.append(Job(label, path, *work))
    return jobs


def _said(read: ReadFiles) -> int:
    """Say what is predicted; returns how many primary dialogs there are."""
    _log.info("predicting %s: %s", read.prediction.what, read.prediction.why)
    return len(read.primary)


def _config(plan: Plan, method: str) -> RunConfig:
    return changed(plan.config, {**plan.overrides.get(method, {}), "training.method": method})


def _summarise(plan: Plan, jobs: list[Job], test: Path | None, failed: dict[str, Diverged]) -> Comparison:
    results: dict[tuple[int, str], list[SeedResult]] = {}
    ceilings: dict[str, float] = {}
    file = test or data_files(plan.config.data).primary
    digest = sha256(file)
    for job in jobs:
        if job.name in failed:
            continue
        folder = RunFolder(job.path)
        result, measured = folder.read_record("result", *_RESULT), folder.read_record("test", *_TEST)
        if measured["sha256"] != digest:
            raise UserError(f"{file} has changed since this run was measured; choose another --out", job.path)
        results.setdefault((result["size"], result["method"]), []).append(_seed_result(result, measured))
        if method_named(result["method"]).heads == "per-task":
            ceilings[f"candidate_ceiling_{result['size']}"] = measured["coverage"]["candidate_ceiling"]
    rows = [
        comparison_row(method, size, seeds, results.get((size, "primary"), []))
        for (size, method), seeds in results.items()
    ]
    settings = {"config": plan.config.model_dump(mode="json"), "test": str(file), "test_sha256": digest}
    return Comparison(
        rows=tuple(rows),
        verdict=verdict(rows),
        failed=tuple(_failed(job, failed[job.name]) for job in jobs if job.name in failed),
        coverage=ceilings,
        settings=settings,
    )


def _failed(job: Job, error: Diverged) -> FailedRun:
    training = RunFolder(job.path).read_config().training
    return FailedRun(name=job.name, method=training.method, seed=training.seed, message=str(error))


def _seed_result(result: dict[str, Any], measured: dict[str, Any]) -> SeedResult:
    return SeedResult(
        seed=result["seed"],
        test_accuracy=measured["accuracy"],
        valid_accuracy=result["valid_accuracy"],
        per_dialog_accuracy=measured["per_dialog_accuracy"],
        iterations=result["iterations"],
        seconds=result["seconds"],
    )
