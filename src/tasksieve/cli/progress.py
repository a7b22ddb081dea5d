"""Progress on standard error: bars with a rate and the time left at a terminal, elsewhere a line now and then."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from tasksieve.cli.ending import end_if_interrupted
from tasksieve.cli.messages import errors
from tasksieve.records.progress import Pace, ProgressLog, told_left, told_rate

if TYPE_CHECKING:
    from tasksieve.records.progress import RunProgress


class RunBars:
    """One bar a run, with its best validation accuracy so far; a context manager."""

    def __init__(self) -> None:
        self._bars: dict[str, TaskID] = {}
        self._paces: dict[str, Pace] = {}
        self._log = None if errors().is_terminal else ProgressLog()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=14),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", style="progress.data.speed", markup=False),
            TextColumn("{task.fields[left]}", style="progress.remaining", markup=False),
            TextColumn("{task.fields[state]}", markup=False),
            console=errors(),
        )

    def __enter__(self) -> RunBars:
        if self._log is None:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._log is None:
            self._progress.stop()

    def watch(self, name: str, report: RunProgress) -> None:
        """Move a run's bar. Raises: KeyboardInterrupt: if a signal arrived where it could not be raised."""
        end_if_interrupted()
        if self._log is not None:
            self._log.watch(name, report)
            return
        rate = self._paces.setdefault(name, Pace()).rate(report, time.monotonic())
        fields: dict[str, Any] = {"rate": told_rate(rate), "left": told_left(report, rate), "state": _state(report)}
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=report.total, **fields)
        self._progress.update(self._bars[name], completed=report.step, total=report.total, **fields)


def _state(report: RunProgress) -> str:
    if report.screening:
        return "screening"
    return f"valid {report.best_accuracy:.1f} %" if report.best_accuracy else ""
