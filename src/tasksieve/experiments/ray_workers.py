"""Runs on a Ray cluster, or on a local one: jobs as tasks, taken up again where a worker was lost."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

from tasksieve.errors import UserError
from tasksieve.experiments.workers import Job, do_job
from tasksieve.records.lock import FolderLock
from tasksieve.records.progress import RunProgress, Watch
from tasksieve.training.loop.divergence import Diverged

_RETRIES = 20
"""How often a run is taken up again, from its last checkpoint, after the process or machine it was on was lost."""
_LOST_SECONDS = 180.0
"""Until a file server gives up the locks of a machine that was lost: NFS waits for 90 seconds by default."""
_POLL_SECONDS = 0.5
_KNOCK_SECONDS = 10.0
_REPORT_SECONDS = 0.5
"""Between two reports of a run, which waits while one is sent."""
_ENVIRONMENT = {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_DEDUP_LOGS": "0", "RAY_worker_niceness": "0"}
"""Of Ray, unless the user has set it otherwise: no advice on standard error, and no worker behind everything else."""


@dataclass(frozen=True, slots=True)
class RayJobs:
    """Does jobs on Ray: takes the place of :func:`tasksieve.experiments.workers.run_jobs`.

    Args:
        address: of the cluster, such as ``auto`` or ``ray://HOST:PORT``; None starts one on this machine for as long
            as the jobs take. All machines must see the run folders and the data under the same paths.
    """

    address: str | None = None

    def __call__(self, jobs: Sequence[Job], workers: int, watch: Watch) -> dict[str, Diverged]:
        """Run the jobs that are not done yet, at most ``workers`` at a time.

        Raises: UserError: if Ray is not installed or the cluster cannot be reached; and as ``run_jobs``.
        """
        ray = _ray()
        waiting = [job for job in jobs if not job.done]
        if not waiting:
            return {}
        _connect(ray, self.address, workers)
        try:
            return _follow(ray, waiting, workers, watch)
        finally:
            ray.shutdown()


def _ray() -> Any:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise UserError("--ray needs Ray; install it with `pip install 'tasksieve[ray]'`") from None
    return ray


def _connect(ray: Any, address: str | None, workers: int) -> None:
    if address is not None:
        _knock(address)
    options = {"num_cpus": workers, "include_dashboard": False} if address is None else {"address": address}
    try:
        ray.init(**options, log_to_driver=False, logging_level="error", configure_logging=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise UserError(f"--ray {address}: cannot be reached: {reason}") from None


def _knock(address: str) -> None:
    """Fail at once where nobody listens: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdecimal():
        return  # a word such as auto
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise UserError(f"--ray {address}: cannot be reached: {error}") from None


def _follow(ray: Any, jobs: Sequence[Job], workers: int, watch: Watch) -> dict[str, Diverged]:
    from ray.util.queue import Queue

    reports = Queue(actor_options={"num_cpus": 0})
    task = ray.remote(num_cpus=1, max_retries=_RETRIES, retry_exceptions=False)(_remote)
    waiting = list(jobs)
    running: dict[Any, Job] = {}
    failed: dict[str, Diverged] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                job = waiting.pop(0)
                running[task.remote(job, reports)] = job
            done, _ = ray.wait(list(running), timeout=_POLL_SECONDS)
            _tell(reports, watch)
            for reference in done:
                error = _outcome(ray, reference, running.pop(reference))
                failed |= error
    finally:
        for reference in running:
            ray.cancel(reference, force=False)
        reports.shutdown()
    return failed


def _tell(reports: Any, watch: Watch) -> None:
    from ray.util.queue import Empty

    with suppress(Empty):
        while True:
            watch(*reports.get_nowait())


def _outcome(ray: Any, reference: Any, job: Job) -> dict[str, Diverged]:
    try:
        ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, Diverged):
            return {job.name: error.cause}
        raise error.cause from None
    except ray.exceptions.WorkerCrashedError:
        raise UserError(
            f"the worker of {job.name} was lost {_RETRIES} times; run the same command again to go on"
        ) from None
    return {}


def _remote(job: Job, reports: Any) -> None:
    """Do a job on whatever machine this is, once the run folder is free.

    Where the machine before was lost, a file server keeps its locks for a while.
    """
    with FolderLock(job.path, _LOST_SECONDS):
        pass
    do_job(job, _reporter(reports))


def _reporter(reports: Any) -> Watch:
    """Sends the first report of a run, then one each half second, and the last."""
    sent = float("-inf")

    def tell(name: str, report: RunProgress) -> None:
        nonlocal sent
        now = monotonic()
        if report.ended or now - sent >= _REPORT_SECONDS:
            sent = now
            reports.put((name, report))

    return tell
