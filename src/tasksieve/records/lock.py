"""One process at a time in a folder."""

from __future__ import annotations

import errno
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from tasksieve.errors import UserError

LOCK = ".lock"
PATIENCE = 1.0
"""Seconds to wait for a process that is just ending."""
WITHOUT_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)
"""What a file system answers that knows no locks."""


class FolderLock:
    """Holds a folder for this process; a context manager.

    The lock is the operating system's, on the file ``.lock`` in the folder, and not that file's existence: a process
    that is killed leaves none behind. While the lock is held, the file says who holds it. Where the file system knows
    no locks there is none.

    Args:
        folder: is made if it is not there.
        patience: seconds to wait for who holds it.
    Raises: UserError: on entering, if another process holds it, or it cannot be written to.
    """

    def __init__(self, folder: Path, patience: float = PATIENCE) -> None:
        self._folder, self._patience = folder, patience
        self._lock = FileLock(folder / LOCK, poll_interval=0.02, fallback_to_soft=False)

    def __enter__(self) -> FolderLock:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=self._patience)
        except Timeout:
            raise UserError(
                f"another tasksieve{self._holder()} is at work in this folder; wait until it is done, or choose "
                "another --out",
                self._folder,
            ) from None
        except OSError as error:
            if error.errno not in WITHOUT_LOCKS:
                raise UserError(f"cannot be written: {error.strerror or error}", self._folder) from None
        self._say(f"process {os.getpid()} on {platform.node()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock.is_locked:
            self._say("")
        self._lock.release()

    @property
    def held(self) -> bool:
        """Whether this process holds the folder now."""
        return bool(self._lock.is_locked)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Let others have the folder meanwhile; it is taken again at the end, but not where the user interrupts."""
        self.__exit__(None, None, None)
        try:
            yield
        except Exception:
            self.__enter__()
            raise
        self.__enter__()

    def _say(self, holder: str) -> None:
        """Write who holds the lock, for the sentence that another process shows; where that fails it is not known."""
        with suppress(OSError):
            (self._folder / LOCK).write_text(holder, encoding="utf-8")

    def _holder(self) -> str:
        with suppress(OSError), (self._folder / LOCK).open(encoding="utf-8", errors="replace") as file:
            if holder := file.read(200):
                return f" ({holder})"
        return ""


@contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Hold one of many things that several processes share out among themselves, unless another process holds it.

    Args:
        path: of the thing; the lock is on the file ``.NAME.claim`` beside it, and ends with the process.
    Yields: whether it is held.
    Raises: UserError: if the folder cannot be written to, or its file system knows no locks.
    """
    file = path.with_name(f".{path.name}.claim")
    lock = FileLock(file, fallback_to_soft=False)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    except OSError as error:
        if error.errno in WITHOUT_LOCKS:
            raise UserError("its file system knows no locks, which --slice needs; use --ray", file.parent) from None
        raise UserError(f"cannot be written: {error.strerror or error}", file) from None
    try:
        yield True
    finally:
        lock.release()
