"""Runs shared out among commands that know no more of each other than a folder: slices, for any scheduler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tasksieve.errors import Unfinished, UserError
from tasksieve.experiments.workers import Job, RunJobs, do_all, do_job
from tasksieve.records.lock import FolderLock, claimed
from tasksieve.records.progress import Watch
from tasksieve.training.loop.divergence import Diverged

PATIENCE = 600.0
"""Seconds that a slice waits for another one that is preparing the data, or writing the table."""


@dataclass(slots=True)
class SliceJobs:
    """Does the share of one of several commands that have the same runs and the same folder.

    It takes every ``count``-th run from its own place on, and then what others have left: a run that nobody is at
    work on, as it was not begun yet, or whoever did it was killed. Each run is locked while it is done.

    Attributes:
        number: of the slice, from 1.
        count: of slices.
    """

    number: int
    count: int
    _lock: FolderLock | None = field(default=None, repr=False)

    @classmethod
    def of(cls, text: str) -> SliceJobs:
        """Read ``2/8``. Raises: UserError: if it is not a number of a slice and how many there are."""
        number, _, count = text.partition("/")
        if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
            raise UserError(f"--slice: found '{text}'; expected the number of a slice and how many, as 1/8 to 8/8")
        return cls(int(number), int(count))

    def __call__(self, jobs: Sequence[Job], workers: int, watch: Watch) -> dict[str, Diverged]:
        """Do what is left, at most ``workers`` runs at a time, until all are done or at work elsewhere.

        Raises: Unfinished: if some are at work elsewhere; and as :func:`tasksieve.experiments.workers.run_jobs`.
        """
        if self._lock is None:
            return self._share(jobs, workers, watch)
        with self._lock.lent():
            return self._share(jobs, workers, watch)

    def _share(self, jobs: Sequence[Job], workers: int, watch: Watch) -> dict[str, Diverged]:
        failed: dict[str, Diverged] = {}
        ordered = in_turn(jobs, self.number, self.count)

        def left() -> list[Job]:
            return [job for job in ordered if job.name not in failed and not job.done]

        while waiting := left():
            failed |= do_all(waiting, workers, watch, do_if_free)
            if len(left()) == len(waiting):  # all of them are held by others
                raise Unfinished(len(jobs) - len(waiting), len(jobs))
        return {job.name: failed[job.name] for job in jobs if job.name in failed}

    @property
    def holds(self) -> bool:
        """Whether the folder is held now; after an interruption among the runs it is not."""
        return self._lock is not None and self._lock.held

    @contextmanager
    def holding(self, folder: Path) -> Iterator[None]:
        """Hold a folder while its data is prepared and its table written, but not while the runs are done."""
        with FolderLock(folder, PATIENCE) as self._lock:
            try:
                yield
            finally:
                self._lock = None


def in_turn(jobs: Sequence[Job], number: int, count: int) -> list[Job]:
    """The order in which a slice goes through all jobs.

    Its own come first. Of each other slice, the next one first, those that it would do last come first, so that two
    slices meet late.
    """
    shares = [list(jobs[place::count]) for place in range(count)]
    others = [shares[(number - 1 + step) % count][::-1] for step in range(1, count)]
    return [job for share in (shares[number - 1], *others) for job in share]


def do_if_free(job: Job, watch: Watch) -> None:
    """Train and measure in this process, unless another process is at it or it is done by now."""
    with claimed(job.path) as mine:
        if mine and not job.done:
            do_job(job, watch)


@contextmanager
def holding(folder: Path, run: RunJobs) -> Iterator[None]:
    """Hold a folder for one command; several slices share it.

    Args:
        folder: of all runs.
        run: does them.
    Raises: UserError: if another command is at work in it.
    """
    with run.holding(folder) if isinstance(run, SliceJobs) else FolderLock(folder):
        yield


def holds(run: RunJobs) -> bool:
    """Whether a command may write in the folder that it took by :func:`holding`.

    A slice that is interrupted while it does its runs does not hold it: others may be writing, and a scheduler
    interrupts all slices of a job at the same time.
    """
    return run.holds if isinstance(run, SliceJobs) else True
