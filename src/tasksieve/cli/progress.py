"""Progress bars with a rate and the time left, on standard error."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Task as ProgressTask
from rich.text import Text

from tasksieve.cli.ending import end_if_interrupted
from tasksieve.cli.messages import errors

if TYPE_CHECKING:
    from tasksieve.training.loop.run import RunProgress


class _Rate(TextColumn):
    def render(self, task: ProgressTask) -> Text:
        return Text("" if not task.speed else f"{task.speed:.0f} it/s", style="progress.data.speed")


class RunBars:
    """One bar a run, with its best validation accuracy so far; a context manager."""

    def __init__(self) -> None:
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=14),
            MofNCompleteColumn(),
            _Rate(""),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[best]}"),
            console=errors(),
        )

    def __enter__(self) -> RunBars:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def watch(self, name: str, report: RunProgress) -> None:
        """Move a run's bar. Raises: KeyboardInterrupt: if a signal arrived where it could not be raised."""
        end_if_interrupted()
        best = f"valid {report.best_accuracy:.1f} %" if report.best_accuracy else ""
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, best=best)
        self._progress.update(self._bars[name], completed=report.step, total=report.total, best=best)
