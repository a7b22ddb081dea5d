"""Methods × sizes × seeds on the same data: run all, resume what was stopped, summarise."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tasksieve.dialogs import Dialog
from tasksieve.dialogs.formats import dialog_file, read_dialogs
from tasksieve.errors import UserError
from tasksieve.experiments.measured_on import refuse_measured_otherwise
from tasksieve.experiments.other_data import refuse_other_data
from tasksieve.experiments.result_tables import write_comparison_tables
from tasksieve.experiments.slices import holding
from tasksieve.experiments.with_results import (
    check_sizes,
    failed_run,
    ranked_among,
    seed_result,
    told_of,
    told_to_mend,
    with_related,
)
from tasksieve.experiments.workers import Job, RunJobs, run_jobs
from tasksieve.records.comparison import (
    EVERYTHING,
    PRIMARY,
    Comparison,
    MeasuredSeed,
    comparison_row,
    run_name,
)
from tasksieve.records.config import RunConfig, changed
from tasksieve.records.files import write_json
from tasksieve.records.measures import RANKING
from tasksieve.records.parted_paths import data_sha256
from tasksieve.records.progress import ProgressLog, Watch
from tasksieve.records.run_folder import RunFolder
from tasksieve.records.verdict import answers, few, verdict
from tasksieve.training.loop.claiming import refuse_other
from tasksieve.training.loop.divergence import Diverged
from tasksieve.training.methods import method_named
from tasksieve.training.runs.archives import is_large
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.measured import measure_of
from tasksieve.training.runs.predictions import PREDICTIONS
from tasksieve.training.runs.read_files import ReadFiles, data_files, read_files, read_test
from tasksieve.training.runs.settled import settled
from tasksieve.training.runs.simple import check_suits, has_vectors
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
        to_mend: what the audit found that ought to be mended, in sentences that go with the results.
        max_seeds: more are run one by one, up to so many, until the comparison tells whether to borrow.
        out: the comparison folder.
        overrides: by method, ``section.key`` to value: settings that only its runs have.
        track: programs that follow every run, with their files in the folder ``tracking``.
        methods_given: whether the methods are all that is wanted; else the simple baselines that suit come besides.
    """

    config: RunConfig
    test: str | None
    methods: tuple[str, ...]
    sizes: tuple[int, ...]
    seeds: int
    out: Path
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    track: tuple[str, ...] = ()
    methods_given: bool = True
    max_seeds: int | None = None
    to_mend: tuple[str, ...] = ()


_log = logging.getLogger("tasksieve")
_RESULT = ("method", "seed", "valid_accuracy", "iterations", "seconds")
_TEST = ("sha256", "accuracy", "per_dialog_accuracy", "coverage")


def compare(
    plan: Plan,
    workers: int = 1,
    watch: Watch | None = None,
    run: RunJobs = run_jobs,
) -> Comparison:
    """Do every run that is not done yet, measure each once on the test set, and write the records of all.

    A run that diverges does not stop the others: it is named in ``failed`` and left out of the rows.

    Args:
        plan: what to compare.
        workers: processes that run at the same time.
        watch: called with a run's name and how far it is; without it that goes to the logger ``tasksieve``.
        run: does the jobs: in processes of this machine, or elsewhere.
    Returns: what is in ``comparison.json``: rows in the order of sizes and methods, with the verdict. Beside it are
        tables (:mod:`tasksieve.experiments.result_tables`).
    Raises: UserError: as :func:`tasksieve.training.loop.run.train`, and if every run diverged; finished runs stay.
    """
    test = None if plan.test is None else dialog_file(plan.test, "test")
    tested = _check(plan, test)
    plan = replace(plan, config=settled(plan.config))
    refuse_other_data(plan.out, plan.config)
    read, measure = _said(plan)
    check_sizes(plan.config.data, plan.sizes, read)
    left_out = told_of(plan.config.data, read, plan.test, tested)
    if not plan.methods_given:
        simple = simple_methods(measure, bool(read.related), has_vectors(plan.config))
        plan = replace(plan, methods=(*plan.methods, *simple))
    for name in plan.methods:
        check_suits(method_named(name), measure)
    refuse_measured_otherwise(_jobs(plan, test, read), *_test_file(plan, test))
    with holding(plan.out, run):
        beside = {"left_out": left_out, "to_mend": told_to_mend(plan.out, plan.to_mend)}
        done = _Runs(test, read, measure, beside, lambda jobs: run(jobs, workers, watch or ProgressLog().watch))
        return _run(plan, done)


@dataclass(frozen=True, slots=True)
class _Runs:
    """What a comparison's runs are measured on and by, what goes with their results, and what does them."""

    test: Path | None
    read: ReadFiles
    measure: str
    beside: Mapping[str, Any]
    run: Callable[[list[Job]], dict[str, Diverged]]


def _run(plan: Plan, runs: _Runs) -> Comparison:
    """Do the runs, and more seeds while the plan allows and it is undecided whether to borrow."""
    tried: set[str] = set()
    failed: dict[str, Diverged] = {}
    while True:
        jobs = _jobs(plan, runs.test, runs.read)
        fresh = [job for job in jobs if job.name not in tried]
        _follow(plan, fresh)
        failed |= runs.run(fresh)
        tried |= {job.name for job in fresh}
        if len(failed) == len(jobs):
            raise next(iter(failed.values()))
        comparison = _summarise(plan, jobs, runs.test, failed, runs.measure)
        done = [job for job in jobs if job.name not in failed]
        beside = {**runs.beside, "among": ranked_among(done, runs.measure)}
        if plan.config.data.related and not runs.read.related:  # the runs have read them
            beside["left_out"] = with_related(beside["left_out"], done)
        comparison = comparison.model_copy(update=beside)
        write_json(plan.out / "comparison.json", comparison.model_dump(mode="json"))
        write_comparison_tables(plan.out, comparison)
        if _enough(plan, comparison):
            return comparison
        plan = replace(plan, seeds=plan.seeds + 1)
        _log.info("undecided with %d seeds: running one more of each method", plan.seeds - 1)


def _enough(plan: Plan, comparison: Comparison) -> bool:
    """Whether no more seeds are to be run: it is decided whether to borrow, or there may be no more."""
    open_ = bool(comparison.answers) and comparison.answers[0].says == "open"
    if any(few(row.test_dialogs) for row in comparison.rows):  # more seeds do not mend that
        return True
    return not open_ or plan.seeds >= (plan.max_seeds or 0)


def _tracking(plan: Plan, run: str) -> Tracking:
    return Tracking(plan.track, plan.out / "tracking", run)


def _follow(plan: Plan, jobs: list[Job]) -> None:
    """Show the programs what was done before."""
    _tracking(plan, "").prepare()
    for job in jobs if plan.track else ():
        if job.done:
            with _tracking(plan, job.name).start(RunFolder(job.path)):
                pass


def _check(plan: Plan, test: Path | None) -> list[Dialog]:
    """Refuse before the first run what would fail after it; returns the test dialogs."""
    if not plan.methods or plan.seeds < 1:
        raise UserError("nothing to compare; give at least one of --methods and one of --seeds")
    if plan.max_seeds is not None and plan.max_seeds < plan.seeds:
        raise UserError(f"--max-seeds: found {plan.max_seeds}, fewer than the {plan.seeds} of --seeds; give more")
    if len(set(plan.methods)) < len(plan.methods) or len(set(plan.sizes)) < len(plan.sizes):
        raise UserError("a method or size is named twice; name each once")
    for name in plan.methods:
        data = _config(plan, name).data
        method_named(name).require(related=bool(data.related), labels=data.labels is not None)
    _tracking(plan, "").check()
    if test is None:
        return read_test(plan.config.data)[1]
    return read_dialogs(test, strict=plan.config.data.strict)


def _test_file(plan: Plan, test: Path | None) -> tuple[Path, str]:
    """The file with the test dialogs, and its SHA-256."""
    file = test or data_files(plan.config.data).primary
    return file, data_sha256(file)


def _jobs(plan: Plan, test: Path | None, read: ReadFiles) -> list[Job]:
    everything = len(read.primary)
    jobs = []
    for size in plan.sizes or (plan.config.data.size,):
        for name in plan.methods:
            for seed in range(1 if method_named(name).simple else plan.seeds):
                config = changed(_config(plan, name), {"data.size": size, "training.seed": seed})
                label = run_name(name, size or everything, seed)
                path = plan.out / "runs" / label
                work = (
                    partial(train, config, path, tracking=_tracking(plan, label)),
                    partial(evaluate_run, path, test, predictions=path / PREDICTIONS),
                )
                if RunFolder(path).begun:
                    refuse_other(RunFolder(path), config)
                jobs.append(Job(label, path, *work, size=size or everything))
    return jobs


def _said(plan: Plan) -> tuple[ReadFiles, str]:
    """Read the training dialogs, those of a large archive not, and say what is measured."""
    large = is_large(plan.config)
    read = read_files(plan.config.data.model_copy(update={"related": ()}) if large else plan.config.data)
    measure = measure_of(plan.config, read)
    _log.info("comparing %s", measure)
    return read, measure


def simple_methods(measure: str, related: bool, vectors: bool) -> tuple[str, ...]:
    """The simple baselines that suit a comparison.

    Args:
        measure: of the comparison.
        related: whether there are related dialogs in memory.
        vectors: whether there is a pretrained encoder.
    """
    if measure == RANKING:
        return ("bm25", "cosine", *(("cosine-encoder",) if vectors else ()))
    names = ("tfidf", "encoder") if vectors else ("tfidf",)
    return tuple(one for name in names for one in (name, f"{name}-all") if related or one == name)


def _config(plan: Plan, method: str) -> RunConfig:
    return changed(plan.config, {**plan.overrides.get(method, {}), "training.method": method})


def _summarise(
    plan: Plan, jobs: list[Job], test: Path | None, failed: dict[str, Diverged], measure: str
) -> Comparison:
    results: dict[tuple[int, str], list[MeasuredSeed]] = {}
    ceilings: dict[str, float] = {}
    file, digest = _test_file(plan, test)
    refuse_measured_otherwise([job for job in jobs if job.name not in failed], file, digest)
    for job in jobs:
        if job.name in failed:
            continue
        folder = RunFolder(job.path)
        result, measured = folder.read_record("result", *_RESULT), folder.read_record("test", *_TEST)
        results.setdefault((job.size, result["method"]), []).append(seed_result(result, measured, measure))
        if method_named(result["method"]).heads_in(plan.config.training) == "per-task":
            ceilings[f"candidate_ceiling_{job.size}"] = measured["coverage"]["candidate_ceiling"]
    simple = {key: seeds for key, seeds in results.items() if method_named(key[1]).simple}
    rows = [
        comparison_row(
            method,
            size,
            seeds,
            results.get((size, PRIMARY), []),
            measure,
            {name: runs for (its_size, name), runs in simple.items() if its_size == size},
            results.get((size, EVERYTHING), []),
        )
        for (size, method), seeds in results.items()
    ]
    settings = {"config": plan.config.model_dump(mode="json"), "test": str(file), "test_sha256": digest}
    return Comparison(
        measure=measure,
        rows=tuple(rows),
        verdict=verdict(rows, measure),
        answers=answers(rows, measure),
        failed=tuple(failed_run(job, failed[job.name]) for job in jobs if job.name in failed),
        coverage=ceilings,
        settings=settings,
    )
