"""Progress on standard error: bars with a rate and the time left at a terminal, elsewhere a line now and then."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from tasksieve.cli.ending import end_if_interrupted
from tasksieve.cli.messages import errors
from tasksieve.records.progress import Pace, ProgressLog, told_left, told_rate

if TYPE_CHECKING:
    from tasksieve.records.progress import RunProgress

_EVERY = 10.0
"""Seconds between two lines on very many runs."""


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

    def add(self, name: str, total: int, done: int) -> TaskID:
        """Show a bar that is no run's."""
        return self._progress.add_task(name, total=total, completed=done, rate="", left="", state="")

    def move(self, bar: TaskID, done: int, rate: str, left: str, total: int) -> None:
        """Move a bar that is no run's."""
        self._progress.update(bar, completed=done, rate=rate, left=left, total=total)

    def remove(self, name: str) -> None:
        """Show a run's bar no longer."""
        if name in self._bars:
            self._progress.remove_task(self._bars.pop(name))


class BoardBars:
    """One bar for very many runs, with their rate and the time left, and a line for each at work.

    A context manager. Where nobody looks at a terminal, a line now and then.

    Args:
        clock: the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._bars = RunBars()
        self._log = None if errors().is_terminal else logging.getLogger("tasksieve")
        self._total, self._before, self._done = 0, 0, 0
        self._start = self._told = clock()
        self._ended: set[str] = set()
        self._task: TaskID | None = None

    def __enter__(self) -> BoardBars:
        self._bars.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.__exit__(kind, error, trace)

    def announce(self, total: int, done: int) -> None:
        """Take how many runs there are, and how many were done before; again when there are more to do."""
        self._total, self._before, self._done, self._start = total, done, done, self._clock()
        if self._log is None and self._task is None:
            self._task = self._bars.add("all runs", total, done)
        elif self._log is not None:
            self._log.info("%d of %d runs are done", done, total)

    def watch(self, name: str, report: RunProgress) -> None:
        """Take a run's report. Raises: KeyboardInterrupt: if a signal arrived where it could not be raised."""
        end_if_interrupted()
        if report.ended and name not in self._ended:
            self._ended.add(name)
            self._done += 1
        if self._task is not None:
            self._bars.watch(name, report)
            if report.ended:
                self._bars.remove(name)
            self._bars.move(self._task, self._done, *self._pace(), self._total)
        elif self._log is not None and self._clock() - self._told >= _EVERY:
            self._told = self._clock()
            self._log.info(
                "%s", ", ".join(part for part in (f"{self._done:,} of {self._total:,} runs", *self._pace()) if part)
            )

    def _pace(self) -> tuple[str, str]:
        """Runs a minute and the time left, by all runs of this call."""
        since, seconds = self._done - self._before, self._clock() - self._start
        if since <= 0 or seconds <= 0:
            return "", ""
        left = timedelta(seconds=round((self._total - self._done) * seconds / since))
        return f"{60 * since / seconds:.3g} runs/min", f"{left} left"


def _state(report: RunProgress) -> str:
    if report.screening:
        return "screening"
    return f"valid {report.best_accuracy:.1f} %" if report.best_accuracy else ""
