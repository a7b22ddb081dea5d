"""Where runs are done: in processes of this machine, on Ray, or in slices under any scheduler."""

from __future__ import annotations

from tasksieve.errors import UserError
from tasksieve.experiments.ray_workers import RayJobs
from tasksieve.experiments.slices import SliceJobs
from tasksieve.experiments.workers import RunJobs, run_jobs

LOCAL = "local"
"""In place of an address: Ray on this machine, for as long as the runs take."""


def runner(ray: str | None = None, part: str | None = None) -> RunJobs:
    """What does the runs of a command, as its options say.

    Args:
        ray: the address of a Ray cluster, or ``local``.
        part: which slice of how many, as ``2/8``.
    Returns: processes of this machine if neither is given.
    Raises: UserError: if both are given, or the slice is none.
    """
    if ray is not None and part is not None:
        raise UserError("--ray shares the runs out by itself; leave --slice out, or --ray")
    if part is not None:
        return SliceJobs.of(part)
    return run_jobs if ray is None else RayJobs(None if ray == LOCAL else ray)
