"""Runs side by side in processes of their own, with their progress in one place."""

from __future__ import annotations

import multiprocessing
import queue
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksieve.errors import UserError
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.run import Report, Watcher

Watch = Callable[[str, Report], None]
_POLL_SECONDS = 0.2
_shared: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Job:
    """One run, to be trained and then measured once on the test set.

    Attributes:
        name: for the progress bar.
        path: the run folder.
        train: trains it, telling a watcher how far it is; to be sent to another process, so defined in a module.
        measure: gives the record ``test.json``; likewise.
    """

    name: str
    path: Path
    train: Callable[[Watcher], object]
    measure: Callable[[], dict[str, Any]]

    @property
    def done(self) -> bool:
        """Whether the run is trained and measured."""
        return RunFolder(self.path).finished and RunFolder(self.path).has_record("test")


class Stopped(Exception):
    """The user interrupted; what a run did up to its last checkpoint stays."""


def run_jobs(jobs: Sequence[Job], workers: int, watch: Watch) -> None:
    """Run the jobs that are not done yet.

    Args:
        jobs: in the order to start them.
        workers: processes; with one, everything happens in this process.
        watch: called in this process with a job's name and how far it is.
    Raises:
        UserError: the first that a job raised, after the other running jobs were stopped at a checkpoint.
    """
    waiting = [job for job in jobs if not job.done]
    if workers <= 1 or len(waiting) <= 1:
        for job in waiting:
            _do(job, watch)
    else:
        _run_in_processes(waiting, workers, watch)


def _do(job: Job, watch: Watch) -> None:
    job.train(lambda report: watch(job.name, report))
    folder = RunFolder(job.path)
    if not folder.has_record("test"):
        folder.write_record("test", job.measure())


def _run_in_processes(jobs: Sequence[Job], workers: int, watch: Watch) -> None:
    context = multiprocessing.get_context("spawn")
    reports, stop = context.Queue(), context.Event()
    with ProcessPoolExecutor(workers, context, _begin, (reports, stop)) as pool:
        futures = [pool.submit(_do_in_process, job) for job in jobs]
        try:
            _follow(futures, reports, watch)
        except BrokenProcessPool:
            raise UserError("a worker process was killed; run the same command again to go on") from None
        finally:
            stop.set()
            for future in futures:
                future.cancel()


def _follow(futures: Sequence[Future[None]], reports: Any, watch: Watch) -> None:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, _POLL_SECONDS, FIRST_EXCEPTION)
        while True:
            try:
                watch(*reports.get_nowait())
            except queue.Empty:
                break
        for future in done:
            future.result()


def _begin(reports: Any, stop: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _shared.update(reports=reports, stop=stop)


def _do_in_process(job: Job) -> None:
    def report(name: str, progress: Report) -> None:
        if _shared["stop"].is_set():
            raise Stopped
        _shared["reports"].put((name, progress))

    _do(job, report)
