"""One process at a time in a folder."""

from __future__ import annotations

import errno
import os
import platform
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from tasksieve.errors import UserError

LOCK = ".lock"
PATIENCE = 1.0
"""Seconds to wait for a process that is just ending."""
_WITHOUT_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)
"""What a file system answers that knows no locks."""


class FolderLock:
    """Holds a folder for this process; a context manager.

    The lock is the operating system's, on the file ``.lock`` in the folder, and not that file's existence: a process
    that is killed leaves none behind. While the lock is held, the file says who holds it. Where the file system knows
    no locks there is none.

    Args:
        folder: is made if it is not there.
    Raises: UserError: on entering, if another process holds it, or it cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / LOCK, poll_interval=0.02, fallback_to_soft=False)

    def __enter__(self) -> FolderLock:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=PATIENCE)
        except Timeout:
            raise UserError(
                f"another tasksieve{self._holder()} is at work in this folder; wait until it is done, or choose "
                "another --out",
                self._folder,
            ) from None
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise UserError(f"cannot be written: {error.strerror or error}", self._folder) from None
        self._say(f"process {os.getpid()} on {platform.node()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._say("")
        self._lock.release()

    def _say(self, holder: str) -> None:
        """Write who holds the lock, for the sentence that another process shows; where that fails it is not known."""
        with suppress(OSError):
            (self._folder / LOCK).write_text(holder, encoding="utf-8")

    def _holder(self) -> str:
        with suppress(OSError), (self._folder / LOCK).open(encoding="utf-8", errors="replace") as file:
            if holder := file.read(200):
                return f" ({holder})"
        return ""
