"""The board: methods on many primary tasks, with few dialogs, borrowing from archives that are sound or spoiled."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

from tasksieve.dialogs.archives import ARCHIVES
from tasksieve.errors import UserError
from tasksieve.experiments.board.data import BoardData
from tasksieve.experiments.board.known import known_runs
from tasksieve.experiments.board.results import BoardJob, Results
from tasksieve.experiments.board.rows import SIMPLE, Cell
from tasksieve.experiments.result_tables import write_board_tables
from tasksieve.experiments.slices import SliceJobs, holding, holds
from tasksieve.experiments.workers import Job, RunJobs, run_jobs
from tasksieve.records.comparison import run_name
from tasksieve.records.config import RunConfig, config_from, set_value
from tasksieve.records.files import write_text
from tasksieve.records.model_config import Predicted
from tasksieve.records.progress import ProgressLog, RunProgress, Watch, Watcher
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.claiming import refuse_other
from tasksieve.training.loop.divergence import Diverged
from tasksieve.training.methods import all_methods, method_named, names_for
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.memo import forget, remember
from tasksieve.training.runs.settled import settled
from tasksieve.training.runs.trained_model import evaluate_run

PRIMARIES = ("Buses_1", "RentalCars_1", "Homes_1", "Media_1", "Music_2", "Services_1")
"""Services of the Schema-Guided dialogs that the board is about unless told otherwise."""
_ONLY = {
    "responses": ("bm25", "cosine", "cosine-encoder"),
    "actions": ("tfidf", "tfidf-all", "encoder", "encoder-all"),
}
"""Simple methods that predict nothing else."""
_WRITE_SECONDS = 20.0
_log = logging.getLogger("tasksieve")


@dataclass(frozen=True, slots=True)
class BoardPlan:
    """What the board is of.

    Attributes:
        source: the archive, a folder with a file a service.
        primaries: services that are primary tasks in turn, all others being related ones.
        sizes: numbers of primary training (and validation) dialogs; where a service has fewer, all it has.
        archives: states of the archive, names of :data:`tasksieve.dialogs.archives.ARCHIVES`.
        predict: what is predicted.
        methods: names; one that borrows nothing runs once for all archives, `oracle` in spoiled ones alone.
        seeds: run seeds 0 to SEEDS − 1; each draws dialogs, spoils services and trains.
        out: the folder.
        settings: of every run, ``section.key=value``.
        keep: whether models, examples and weights of measured runs are kept.
        known: earlier records of the same settings, whose runs are not done again.
    """

    source: Path
    primaries: tuple[str, ...]
    sizes: tuple[int, ...]
    archives: tuple[str, ...]
    predict: tuple[Predicted, ...]
    methods: tuple[str, ...]
    seeds: int
    out: Path
    settings: tuple[str, ...] = ()
    keep: bool = False
    known: tuple[Path, ...] = ()


Announce = Callable[[int, int], None]
"""Is told how many runs there are, and how many of them are done, before the first one starts."""


def reproduce_archive(
    plan: BoardPlan,
    workers: int = 1,
    watch: Watch | None = None,
    run: RunJobs = run_jobs,
    announce: Announce = lambda total, done: None,
) -> dict[str, Any]:
    """Do every run that is not done yet; ``archive.json`` is written as results come, and names no path.

    Args:
        plan: what to do.
        workers: runs at the same time.
        watch: called with a run's name and how far it is.
        run: does the runs.
        announce: told how many runs there are.
    Returns: ``rows``, ``means``, ``failed``, ``runs`` (done and all), ``spoiled``, ``settings``; see
        :mod:`tasksieve.experiments.board.rows`.
    Raises: UserError: if the plan does not fit the archive, as runs on dialogs do, or if every run diverged.
    """
    _check(plan)
    with holding(plan.out, run):
        data = BoardData(plan.source, plan.out / "data")
        data.prepare(plan.primaries, plan.archives, plan.seeds)
        jobs = _jobs(plan, data)
        results = Results(jobs, plan.keep)
        record = _Record(plan, data, results)
        for known in plan.known:
            results.take(known_runs(known, record.settings()))
        announce(len(jobs), results.collect())
        watch = watch or ProgressLog().watch
        if not isinstance(run, SliceJobs):  # only who holds the folder takes results
            watch = record.following(watch)
        try:
            failed = run([job.job for job in jobs if job.job.name not in results.taken], workers, watch)
        finally:
            forget()
            if holds(run):
                results.collect()
                record.write({})
        if failed and not results.runs:
            raise next(iter(failed.values()))
        found = record.write(failed)
        write_board_tables(plan.out, found)
        return found


class _Record:
    """``archive.json``, written now and then while results come."""

    def __init__(self, plan: BoardPlan, data: BoardData, results: Results) -> None:
        self._plan, self._data, self._results = plan, data, results
        self._written = time.monotonic()

    def following(self, watch: Watch) -> Watch:
        """Watch runs, and write the record at the end of one if that was not done for a while."""

        def follow(name: str, progress: RunProgress) -> None:
            watch(name, progress)
            if progress.ended and time.monotonic() - self._written > _WRITE_SECONDS:
                self._results.collect()
                self.write({})
                self._written = time.monotonic()

        return follow

    def write(self, failed: dict[str, Diverged]) -> dict[str, Any]:
        """Write what there is so far, a row a line."""
        record = {
            **self._results.tables(),
            "failed": [{"name": name, "message": str(error)} for name, error in failed.items()],
            "runs": {"done": self._results.done, "all": self._results.all},
            "spoiled": self._spoiled(),
            "settings": self.settings(),
        }
        write_text(self._plan.out / "archive.json", _in_lines(record))
        return record

    def _spoiled(self) -> dict[str, Any]:
        """By archive and primary task, the spoiled services of each seed."""
        plan = self._plan
        return {
            archive: {
                primary: [sorted(self._data.spoiled(primary, archive, seed)) for seed in range(plan.seeds)]
                for primary in plan.primaries
            }
            for archive in plan.archives
            if ARCHIVES[archive].spoil is not None
        }

    def settings(self) -> dict[str, Any]:
        """What all runs have in common, and what they are of."""
        config = _config(self._plan, {"primary": "train", "valid": "valid"}).model_dump(mode="json")
        del config["data"]
        given = (assignment.partition("=") for assignment in self._plan.settings)
        return {
            "methods": self._plan.methods,
            "seeds": self._plan.seeds,
            "set": {key.strip(): _without_folders(value.strip().strip("'\"")) for key, _, value in given},
            "config": _without_folders(config),
            "sources": self._data.digests,
            **self._results.environment,
        }


def _without_folders(value: Any) -> Any:
    """Settings in which a file or folder of this machine is its name alone."""
    if isinstance(value, dict):
        return {key: _without_folders(inner) for key, inner in value.items()}
    if isinstance(value, str) and value and (Path(value).is_absolute() or Path(value).exists()):
        return Path(value).name
    return value


def _in_lines(record: dict[str, Any]) -> str:
    """JSON with a line for every row."""
    parts = []
    for key, value in record.items():
        if isinstance(value, list) and value:
            items = ",\n    ".join(json.dumps(item, ensure_ascii=False, allow_nan=False) for item in value)
            parts.append(f"  {json.dumps(key)}: [\n    {items}\n  ]")
        else:
            parts.append(f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _check(plan: BoardPlan) -> None:
    """Refuse before the first run what would fail after it."""
    for name in plan.methods:
        method_named(name)
    parts = {"--primaries": plan.primaries, "--sizes": plan.sizes, "--archives": plan.archives}
    for option, chosen in {**parts, "--predict": plan.predict, "--methods": plan.methods}.items():
        if not chosen or len(set(chosen)) < len(chosen):
            raise UserError(f"{option}: found {', '.join(map(str, chosen)) or 'nothing'}; name each once")
    for option, chosen, known in (
        ("--archives", plan.archives, tuple(ARCHIVES)),
        ("--predict", plan.predict, get_args(Predicted)),
    ):
        unknown = [name for name in chosen if name not in known]
        if unknown:
            raise UserError(f"{option}: found '{unknown[0]}'; known: {', '.join(known)}")


def _jobs(plan: BoardPlan, data: BoardData) -> list[BoardJob]:
    """All runs, those of the same data one after the other, and every seed's before the next one's."""
    jobs: dict[str, BoardJob] = {}
    for seed in range(plan.seeds):
        for predict in plan.predict:
            for primary in plan.primaries:
                most = data.most(primary)
                for archive in plan.archives:
                    for size in plan.sizes:
                        cell = Cell(predict, archive, primary, size)
                        for name in _methods(plan, cell):
                            one = _job(plan, data, cell, name, seed, min(size, most))
                            known = jobs.setdefault(one.job.name, one)
                            if known is not one:
                                known_cells = (*known.cells, cell)
                                jobs[one.job.name] = BoardJob(known.job, name, seed, known.dialogs, known_cells)
    return list(jobs.values())


def _methods(plan: BoardPlan, cell: Cell) -> list[str]:
    """The methods that a cell has: those that predict what it asks for, and an oracle where it knows more."""
    others = {name for predict, names in _ONLY.items() if predict != cell.predict for name in names}
    sound = ARCHIVES[cell.archive].spoil is None
    return [name for name in plan.methods if name not in others and not (sound and method_named(name).needs_labels)]


def _job(plan: BoardPlan, data: BoardData, cell: Cell, name: str, seed: int, dialogs: int) -> BoardJob:
    method = method_named(name)
    values: dict[str, Any] = {
        "primary": str(data.split(cell.primary, seed, "train")),
        "valid": str(data.split(cell.primary, seed, "valid")),
        "size": dialogs,
        "predict": cell.predict,
    }
    if method.borrows:
        values["related"] = [str(path) for path in data.related(cell.primary, cell.archive, seed)]
    if method.needs_labels:
        values["labels"] = str(data.labels(cell.primary, cell.archive, seed))
    config = _config(plan, values, {"method": name, "seed": seed})
    folder = f"{cell.predict}/{cell.primary}/{cell.archive if method.borrows else 'alone'}"
    label = f"{folder}/{run_name(name, dialogs, seed)}"
    path = plan.out / "runs" / label
    if RunFolder(path).begun:
        refuse_other(RunFolder(path), settled(config))
    measure = partial(evaluate_run, path, data.test(cell.primary))
    job = Job(label, path, partial(_train, config, path, 2 * len(data.services) + 4), measure)
    return BoardJob(job, name, seed, dialogs, (cell,))


def _config(plan: BoardPlan, data: dict[str, Any], training: dict[str, Any] | None = None) -> RunConfig:
    values: dict[str, Any] = {}
    for assignment in plan.settings:
        set_value(values, assignment)
    for section, given in (("data", data), ("training", training or {})):
        values[section] = {**values.get(section, {}), **given}
    return config_from(values)


def _train(config: RunConfig, path: Path, files: int, watch: Watcher) -> object:
    """Train, in a process that remembers what it reads for its next run."""
    remember(files)
    return train(config, path, watch)


def board_methods(names: Sequence[str]) -> tuple[str, ...]:
    """The methods that ``--methods`` means.

    ``simple`` is for the simple ones that there are, ``rivals`` for those of others, ``all`` for every one.
    """
    known = all_methods()
    return names_for(names, {"all": tuple(known), "simple": tuple(name for name in SIMPLE if name in known)})
