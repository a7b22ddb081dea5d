"""Slow work beside the training: bringing checkpoints to the disk."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType


class Background:
    """One thread, to which work can be submitted; :meth:`submit` first waits for what was submitted before it by more
    than one, so that a slow disk holds the training up instead of filling the memory.

    As a context it ends when all is done. What work raises is raised by a later :meth:`submit`, or at the end.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tasksieve-checkpoints")
        self._pending: list[Future[None]] = []

    def __enter__(self) -> Background:
        return self

    def submit(self, work: Callable[[], None]) -> None:
        """Have this done after all that was submitted before. Raises: what earlier work raised."""
        while len(self._pending) > 1 or (self._pending and self._pending[0].done()):
            self._pending.pop(0).result()
        self._pending.append(self._pool.submit(work))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True)
        for pending in self._pending:
            if error is None:
                pending.result()
