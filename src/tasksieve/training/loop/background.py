"""Slow work beside the training: bringing checkpoints to the disk."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType


class Background:
    """One thread that does one work at a time, so that a slow disk holds the training up and fills no memory.

    As a context it ends when all is done. What work raises is raised by a later :meth:`wait`, or at the end.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tasksieve-checkpoints")
        self._pending: Future[None] | None = None

    def __enter__(self) -> Background:
        return self

    def wait(self) -> None:
        """Until what was submitted is done. Raises: what it raised."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def submit(self, work: Callable[[], None]) -> None:
        """Have this done after what was submitted before, for which this waits. Raises: what that raised."""
        self.wait()
        self._pending = self._pool.submit(work)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True)
        if error is None:
            self.wait()
