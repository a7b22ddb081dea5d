"""The verdict's calibration: is what `compare` says of an archive right, where what is right is known?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tasksieve.errors import UserError
from tasksieve.experiments.board.results import prune
from tasksieve.experiments.calibration.archives import PLANTED
from tasksieve.experiments.calibration.data import DrawData, Numbers
from tasksieve.experiments.calibration.rows import PRIMARY, UNDECIDED, Runs, calibration, verdict_row, with_truth
from tasksieve.experiments.slices import holding, holds
from tasksieve.experiments.workers import Job, RunJobs, run_jobs
from tasksieve.records.comparison import MeasuredSeed, run_name
from tasksieve.records.config import RunConfig, config_from, set_value
from tasksieve.records.files import write_json
from tasksieve.records.progress import ProgressLog, Watch, Watcher
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.claiming import refuse_other
from tasksieve.training.loop.divergence import Diverged
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.memo import forget, remember
from tasksieve.training.runs.settled import settled
from tasksieve.training.runs.trained_model import evaluate_run

METHODS = (PRIMARY, "multitask", "learned")
"""What `compare` runs by default; simple baselines have no part in whether to borrow."""
_SETTINGS = ("model.sentences=bag-of-words",)
_ROOM = 12
"""Files that a worker remembers: a draw's and an archive's."""
Announce = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class VerdictPlan:
    """What to calibrate on.

    Attributes:
        archives: names of :data:`tasksieve.experiments.verdict_archives.PLANTED`.
        draws: of dialogs and archives, each with its own.
        seeds: run seeds of each method in each draw.
        max_seeds: while the verdict of a draw on an archive is undecided, one more seed of each method is run, up to
            so many, as `compare` does; None for no more.
        out: the folder.
        settings: of every run, ``section.key=value``; sentences are bags of words unless these say otherwise.
        methods: `primary` and at least one that borrows.
        numbers: of dialogs in a draw.
    """

    archives: tuple[str, ...]
    draws: int
    seeds: int
    out: Path
    settings: tuple[str, ...] = ()
    methods: tuple[str, ...] = METHODS
    numbers: Numbers = field(default_factory=Numbers)
    max_seeds: int | None = None


_Seeds = dict[tuple[int, str], int]
"""How many run seeds each draw has on each archive."""


@dataclass(frozen=True, slots=True)
class _Run:
    """One run; `primary` borrows nothing, and has the same runs with every archive."""

    job: Job
    archive: str | None
    draw: int
    method: str
    seed: int


def reproduce_verdict(
    plan: VerdictPlan,
    workers: int = 1,
    watch: Watch | None = None,
    run: RunJobs = run_jobs,
    announce: Announce = lambda total, done: None,
) -> dict[str, Any]:
    """Do every run that is not done yet, and write ``verdict.json``.

    Args:
        plan: what to do.
        workers: runs at the same time.
        watch: called with a run's name and how far it is.
        run: does the runs.
        announce: told how many runs there are, and how many were done before.
    Returns: ``rows`` by archive and draw, ``calibration``, ``failed``, ``runs`` and ``settings``; see
        :mod:`tasksieve.experiments.calibration.rows`. Draws whose runs have not all ended are not in it.
    Raises: UserError: if the plan is of nothing, or of what is not known, or if every run diverged.
    """
    _check(plan)
    seeds: _Seeds = {(draw, archive): plan.seeds for draw in range(plan.draws) for archive in plan.archives}
    failed: dict[str, Diverged] = {}
    record: dict[str, Any] = {}
    with holding(plan.out, run):
        while True:
            runs = _runs(plan, seeds)
            announce(len(runs), sum(one.job.done for one in runs))
            jobs = [one.job for one in runs if one.job.name not in failed]
            try:
                failed |= run(jobs, workers, watch or ProgressLog().watch)
            finally:
                forget()
                if holds(run):
                    record = _record(plan, seeds, runs, failed)
                    write_json(plan.out / "verdict.json", record)
            if failed and not record["rows"]:
                raise next(iter(failed.values()))
            more = _more_seeds(plan, seeds, record["rows"])
            if more == seeds:
                return record
            seeds = more


def _more_seeds(plan: VerdictPlan, seeds: _Seeds, rows: Sequence[Mapping[str, Any]]) -> _Seeds:
    """A seed more where a verdict is undecided and there may be more."""
    undecided = {(row["draw"], row["archive"]) for row in rows if row["verdict"] == UNDECIDED}
    most = plan.max_seeds or plan.seeds
    return {cell: min(most, count + 1) if cell in undecided else count for cell, count in seeds.items()}


def _check(plan: VerdictPlan) -> None:
    """Refuse before the first run what would fail after it."""
    for option, chosen in (("--archives", plan.archives), ("--methods", plan.methods)):
        if not chosen or len(set(chosen)) < len(chosen):
            raise UserError(f"{option}: found {', '.join(chosen) or 'nothing'}; name each once")
    unknown = [name for name in plan.archives if name not in PLANTED]
    if unknown:
        raise UserError(f"--archives: found '{unknown[0]}'; known: {', '.join(PLANTED)}")
    if plan.max_seeds is not None and plan.max_seeds < plan.seeds:
        raise UserError(f"--max-seeds: found {plan.max_seeds}, fewer than the {plan.seeds} of --seeds; give more")
    if PRIMARY not in plan.methods or len(plan.methods) < 2:
        raise UserError(f"--methods: found {', '.join(plan.methods)}; give primary and one that borrows")
    for name in plan.methods:
        method_named(name).require(related=True, labels=False)


def _runs(plan: VerdictPlan, seeds: _Seeds) -> list[_Run]:
    """All runs, those of the same data one after the other, and every draw's before the next one's."""
    runs = []
    for draw in range(plan.draws):
        most = max(seeds[draw, archive] for archive in plan.archives)
        for archive in (None, *plan.archives):
            count = most if archive is None else seeds[draw, archive]
            for name in plan.methods:
                if method_named(name).borrows == (archive is not None):
                    runs += [_run(plan, draw, archive, name, seed) for seed in range(count)]
    return runs


def _run(plan: VerdictPlan, draw: int, archive: str | None, method: str, seed: int) -> _Run:
    data = DrawData(plan.out / "data", draw, plan.numbers)
    config = _config(plan, data, archive, method, seed)
    label = f"draw-{draw}/{archive or 'alone'}/{run_name(method, plan.numbers.train, seed)}"
    path = plan.out / "runs" / label
    if RunFolder(path).begun:
        refuse_other(RunFolder(path), settled(config))
    work = partial(_train, config, path, data, archive), partial(_measure, path, data.split("test"))
    return _Run(Job(label, path, *work), archive, draw, method, seed)


def _config(plan: VerdictPlan, data: DrawData, archive: str | None, method: str, seed: int) -> RunConfig:
    values: dict[str, Any] = {}
    for assignment in (*_SETTINGS, *plan.settings):
        set_value(values, assignment)
    files: dict[str, Any] = {
        "primary": str(data.split("train")),
        "valid": str(data.split("valid")),
        "predict": "actions",
    }
    if archive is not None:
        files["related"] = [str(path) for path in data.related(archive)]
    values["data"] = {**values.get("data", {}), **files}
    values["training"] = {**values.get("training", {}), "method": method, "seed": seed}
    return config_from(values)


def _train(config: RunConfig, path: Path, data: DrawData, archive: str | None, watch: Watcher) -> object:
    """Train, in a process that remembers what it reads for its next run, on dialogs that are written before."""
    data.write(archive)
    remember(_ROOM)
    return train(config, path, watch)


def _measure(path: Path, test: Path) -> dict[str, Any]:
    """Measure a run, and keep of it what is small."""
    record = evaluate_run(path, test)
    prune(RunFolder(path))
    return record


def _record(plan: VerdictPlan, seeds: _Seeds, runs: Sequence[_Run], failed: dict[str, Diverged]) -> dict[str, Any]:
    ended = {one.job.name for one in runs if one.job.done}
    rows = []
    for archive in plan.archives:
        for draw in range(plan.draws):
            its = [
                one
                for one in runs
                if one.draw == draw and one.archive in (None, archive) and one.seed < seeds[draw, archive]
            ]
            if all(one.job.name in ended or one.job.name in failed for one in its):
                found = _of_draw(archive, draw, [one for one in its if one.job.name in ended])
                if PRIMARY in found.seeds and len(found.seeds) > 1:
                    rows.append(verdict_row(found, plan.numbers.train, plan.numbers.judging, plan.seeds))
    rows = with_truth(rows)
    config = _config(plan, DrawData(Path(), 0, plan.numbers), None, PRIMARY, 0).model_dump(mode="json")
    return {
        "rows": rows,
        "calibration": calibration(rows),
        "failed": [{"name": name, "message": str(error)} for name, error in failed.items()],
        "runs": {"done": len(ended), "all": len(runs)},
        "settings": {
            "archives": {name: PLANTED[name].what for name in plan.archives},
            "methods": plan.methods,
            "draws": plan.draws,
            "seeds": plan.seeds,
            "max_seeds": plan.max_seeds,
            "dialogs": asdict(plan.numbers),
            "config": {name: section for name, section in config.items() if name != "data"},
        },
    }


def _of_draw(archive: str, draw: int, runs: Sequence[_Run]) -> Runs:
    seeds: dict[str, list[MeasuredSeed]] = {}
    for one in runs:
        seeds.setdefault(one.method, []).append(_measured(one))
    return Runs(archive, draw, seeds)


def _measured(one: _Run) -> MeasuredSeed:
    folder = RunFolder(one.job.path)
    result = folder.read_record("result", "valid_accuracy", "iterations", "seconds")
    test = folder.read_record("test", "accuracy", "per_dialog_accuracy", "by_dialog")
    return MeasuredSeed(
        seed=one.seed,
        test_accuracy=test["accuracy"],
        valid_accuracy=result["valid_accuracy"],
        per_dialog_accuracy=test["per_dialog_accuracy"],
        iterations=result["iterations"],
        seconds=result["seconds"],
        by_dialog=test["by_dialog"],
    )
