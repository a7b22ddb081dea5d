"""How far runs are and how fast they go, for whoever watches, and told in the log where nobody does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

_log = logging.getLogger("tasksieve")
_SHORTEST = 2.0
"""Seconds that a rate is measured over at least."""
_EVERY = 10.0
"""Seconds between two lines on one run."""


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is.

    Attributes:
        step: iterations done, those of a screening among them.
        total: iterations at most to do.
        best_accuracy: the best validation accuracy so far, in per cent; 0 before the first validation.
        last: whether that is the last one instead, as the last model is kept.
        screening: whether it is still screening.
        ended: whether this is its last report.
    """

    step: int
    total: int
    best_accuracy: float
    screening: bool = False
    ended: bool = False
    last: bool = False


Watcher = Callable[[RunProgress], None]
"""Is told how far a run is, every few iterations."""
Watch = Callable[[str, RunProgress], None]
"""As :data:`Watcher`, with the name of the run."""


class Pace:
    """How fast one run goes: over all its reports since it screens, or trains, in this call.

    What was done in earlier calls does not count, and no rate is taken from reports that come in one burst.
    """

    def __init__(self) -> None:
        self._screening: bool | None = None
        self._first, self._since = 0, 0.0

    def rate(self, progress: RunProgress, now: float) -> float | None:
        """Iterations a second; None if it cannot be told, or the run has ended.

        Args:
            progress: the newest report.
            now: when it came, in seconds.
        """
        if progress.screening is not self._screening:
            self._screening, self._first, self._since = progress.screening, progress.step, now
        seconds, done = now - self._since, progress.step - self._first
        return None if progress.ended or done <= 0 or seconds < _SHORTEST else done / seconds


def told_rate(rate: float | None) -> str:
    """``210 it/s``; nothing for no rate."""
    if rate is None:
        return ""
    return f"{rate:,.0f} it/s" if rate >= 10 else f"{rate:.2g} it/s"


def told_left(progress: RunProgress, rate: float | None) -> str:
    """``0:03:20``, the time left if the run goes on like this to its last iteration; nothing for no rate."""
    return "" if rate is None else str(timedelta(seconds=round((progress.total - progress.step) / rate)))


class ProgressLog:
    """Tells of runs by the logger ``tasksieve``: a line in ten seconds on each at most, and one at its end.

    Args:
        clock: the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[str, float] = {}
        self._paces: dict[str, Pace] = {}

    def watch(self, name: str, progress: RunProgress) -> None:
        """Take a report, and log it if it is time to."""
        now = self._clock()
        rate = self._paces.setdefault(name, Pace()).rate(progress, now)
        if progress.ended:
            _log.info("%s", ", ".join([f"{name}: done", *_best(progress)]))
        elif now - self._told.setdefault(name, now) >= _EVERY:
            self._told[name] = now
            _log.info("%s: %s", name, _line(progress, rate))


def _line(progress: RunProgress, rate: float | None) -> str:
    parts = ["screening"] if progress.screening else []
    parts += [f"iteration {progress.step:,} of {progress.total:,}", *_best(progress)]
    return ", ".join(parts if rate is None else [*parts, told_rate(rate), f"{told_left(progress, rate)} left"])


def _best(progress: RunProgress) -> list[str]:
    if not (progress.ended or progress.best_accuracy):
        return []
    return [f"{'' if progress.last else 'best '}validation {progress.best_accuracy:.1f} %"]
