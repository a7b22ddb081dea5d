"""Runs side by side in processes of their own, with their progress in one place."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any

from tasksieve.errors import UserError
from tasksieve.records.progress import RunProgress, Watch, Watcher
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.divergence import Diverged

_POLL_SECONDS = 0.2
_shared: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Job:
    """One run, to be trained and then measured once on the test set.

    Attributes:
        name: for the progress bar.
        path: the run folder.
        train: trains it, telling a watcher how far it is; to be sent to another process, so defined in a module.
        measure: gives the record ``test.json``; to be sent to another process too.
        size: number of primary training dialogs, where runs are compared at several.
    """

    name: str
    path: Path
    train: Callable[[Watcher], object]
    measure: Callable[[], dict[str, Any]]
    size: int = 0

    @property
    def done(self) -> bool:
        """Whether the run is trained and measured."""
        return RunFolder(self.path).finished and RunFolder(self.path).has_record("test")


RunJobs = Callable[[Sequence[Job], int, Watch], dict[str, Diverged]]
"""Does jobs, so many at a time: :func:`run_jobs`, or the same elsewhere (:mod:`tasksieve.experiments.runner`)."""
Do = Callable[[Job, Watch], None]
"""Does one job in the process it is called in: :func:`do_job`, or with a condition; defined in a module."""


class Stopped(Exception):
    """The user interrupted; what a run did up to its last checkpoint stays."""


def run_jobs(jobs: Sequence[Job], workers: int, watch: Watch) -> dict[str, Diverged]:
    """Run the jobs that are not done yet. One that diverges does not stop the others.

    Args:
        jobs: in the order to start them.
        workers: processes; with one, everything happens in this process.
        watch: called in this process with a job's name and how far it is.
    Returns: by their names, in the order of ``jobs``, how those that diverged did.
    Raises:
        UserError: the first other one that a job raised, after the running jobs were stopped at a checkpoint.
    """
    return do_all([job for job in jobs if not job.done], workers, watch)


def do_all(jobs: Sequence[Job], workers: int, watch: Watch, do: Do | None = None) -> dict[str, Diverged]:
    """Do jobs, done or not, by ``do``, which is by default :func:`do_job`; for the rest see :func:`run_jobs`."""
    do = do or do_job
    failed: dict[str, Diverged] = {}
    if workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            try:
                do(job, watch)
            except Diverged as error:
                failed[job.name] = error
    else:
        failed = _run_in_processes(jobs, workers, watch, do)
    return {job.name: failed[job.name] for job in jobs if job.name in failed}


def do_job(job: Job, watch: Watch) -> None:
    """Train and measure in this process, each unless it is done."""
    job.train(lambda report: watch(job.name, report))
    folder = RunFolder(job.path)
    if not folder.has_record("test"):
        folder.write_record("test", job.measure())


def _run_in_processes(jobs: Sequence[Job], workers: int, watch: Watch, do: Do) -> dict[str, Diverged]:
    context = multiprocessing.get_context("spawn")
    reports, stop = context.Queue(), context.Event()
    with ProcessPoolExecutor(workers, context, _begin, (reports, stop)) as pool:
        futures = {pool.submit(partial(_do_in_process, do), job): job.name for job in jobs}
        try:
            return _follow(futures, reports, watch)
        except BrokenProcessPool:
            raise UserError("a worker process was killed; run the same command again to go on") from None
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _follow(futures: Mapping[Future[None], str], reports: Any, watch: Watch) -> dict[str, Diverged]:
    pending = set(futures)
    failed: dict[str, Diverged] = {}
    while pending:
        done, pending = wait(pending, _POLL_SECONDS, FIRST_EXCEPTION)
        while True:
            try:
                watch(*reports.get_nowait())
            except queue.Empty:
                break
        for future in done:
            try:
                future.result()
            except Diverged as error:
                failed[futures[future]] = error
    return failed


def _begin(reports: Any, stop: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _shared.update(reports=reports, stop=stop)


def _end_with_parent() -> None:
    """A worker whose parent was killed would go on, and hold its run folder."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _do_in_process(do: Do, job: Job) -> None:
    def report(name: str, progress: RunProgress) -> None:
        _stop_if_told()
        _shared["reports"].put((name, progress))

    _stop_if_told()  # the pool hands out a run more than it has workers, and does not take it back
    do(job, report)


def _stop_if_told() -> None:
    if _shared["stop"].is_set():
        raise Stopped
