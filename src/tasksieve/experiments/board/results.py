"""What the runs of the board reached, taken from their folders as they end."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tasksieve.experiments.board.known import Known
from tasksieve.experiments.board.rows import BoardRun, Cell, board_means, board_rows
from tasksieve.experiments.workers import Job
from tasksieve.records.config import RunConfig
from tasksieve.records.run_folder import RunFolder

_MEASURED = ("accuracy", "per_dialog_accuracy")
"""Of a test record that does not list its measures."""
_DIGITS = 4
"""Of a measure in per cent."""


@dataclass(frozen=True, slots=True)
class BoardJob:
    """One run, and the cells of the board that it is for: several where archives make no difference to it."""

    job: Job
    method: str
    seed: int
    dialogs: int
    cells: tuple[Cell, ...]


class Results:
    """The results so far.

    Args:
        jobs: all runs, in the order of the rows.
        keep: whether run folders keep what only using the model needs.
    Attributes:
        runs: by the job's name, what it reached.
        taken: names of jobs whose runs are of an earlier record.
        environment: versions of Python and of packages, as the first run had them.
    """

    def __init__(self, jobs: Sequence[BoardJob], keep: bool) -> None:
        self._jobs, self._keep = jobs, keep
        self.runs: dict[str, BoardRun] = {}
        self.taken: set[str] = set()
        self.environment: dict[str, Any] = {}

    @property
    def done(self) -> int:
        """How many runs are measured."""
        return len(self.runs)

    @property
    def all(self) -> int:
        """How many runs there are."""
        return len(self._jobs)

    def collect(self) -> int:
        """Take the results of runs that have ended since. Returns: how many have in all."""
        for one in self._jobs:
            if one.job.name not in self.runs and one.job.done:
                folder = RunFolder(one.job.path)
                self.runs[one.job.name] = _reached(folder, one)
                self._note_environment(folder)
                if not self._keep:
                    prune(folder)
        return self.done

    def take(self, known: Known) -> None:
        """Take runs of an earlier record, but for those that were done here."""
        for one in self._jobs:
            cell = one.cells[0]
            if one.job.name not in self.runs and not one.job.done and (cell, one.method, one.seed) in known:
                self.runs[one.job.name] = known[cell, one.method, one.seed]
                self.taken.add(one.job.name)

    def _note_environment(self, folder: RunFolder) -> None:
        if not self.environment:
            found = folder.read_record("environment", "python", "packages")
            self.environment = {name: found[name] for name in ("python", "packages")}

    def tables(self) -> dict[str, Any]:
        """The rows and the means over primary tasks."""
        board: dict[Cell, dict[str, list[BoardRun]]] = {}
        for one in self._jobs:
            if one.job.name in self.runs:
                for cell in one.cells:
                    board.setdefault(cell, {}).setdefault(one.method, []).append(self.runs[one.job.name])
        ordered = {cell: board[cell] for cell in sorted(board, key=_place(board))}
        return {"rows": board_rows(ordered), "means": board_means(ordered)}


def _place(cells: Iterable[Cell]) -> Callable[[Cell], tuple[int, ...]]:
    """Cells by what is predicted, archive and primary task, in the order these came first, then by size."""
    seen: dict[str, int] = {}
    for cell in cells:
        for name in (cell.predict, cell.archive, cell.primary):
            seen.setdefault(name, len(seen))
    return lambda cell: (seen[cell.predict], seen[cell.archive], seen[cell.primary], cell.size)


def _reached(folder: RunFolder, one: BoardJob) -> BoardRun:
    test = folder.read_record("test", *_MEASURED)
    result = folder.read_record("result", "valid_accuracy", "seconds")
    measures = test.get("measures") or {name: test[name] for name in _MEASURED}
    return BoardRun(
        seed=one.seed,
        test={name: round(value, _DIGITS) for name, value in measures.items()},
        valid=result["valid_accuracy"],
        seconds=result["seconds"],
        dialogs=one.dialogs,
        by_dialog=test.get("by_dialog", {}),
        weights=_weights(folder),
    )


def _weights(folder: RunFolder) -> dict[str, float]:
    """The mean weight of each related task at the end, by the name of its file; kept in the run's folder."""
    if folder.has_record("weights"):
        return folder.read_record("weights")
    steps = folder.weight_steps()
    if not steps:
        return {}
    names = [Path(path).stem for path in folder.read_config_of(RunConfig).data.related]
    tasks = folder.read_examples().select("example", "task")
    means = folder.read_weights(steps[-1]).join(tasks, on="example").group_by("task").agg(pl.col("weight").mean())
    found = {
        names[task]: round(float(weight), _DIGITS)
        for task, weight in sorted(means.select("task", "weight").iter_rows())
    }
    folder.write_record("weights", found)
    return found


def prune(folder: RunFolder) -> None:
    """Remove from a measured run what only using its model or looking at its weights needs: most of its bytes."""
    for name in ("checkpoints", "weights"):
        shutil.rmtree(folder.path / name, ignore_errors=True)
    for name in ("encoding.json", "examples.parquet", "predictions.parquet", "simple.json"):
        (folder.path / name).unlink(missing_ok=True)
