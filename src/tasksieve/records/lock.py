"""One process at a time in a folder."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType

from tasksieve.errors import UserError

if sys.platform != "win32":
    import fcntl

LOCK = ".lock"
PATIENCE = 1.0
"""Seconds to wait for a process that is just ending."""
_PAUSE = 0.02


class FolderLock:
    """Holds a folder for this process; a context manager.

    The lock belongs to the open file ``.lock`` in the folder, not to its existence: a process that is killed leaves
    none behind. Where the file system knows no locks there is none.

    Args:
        folder: is made if it is not there.
    Raises: UserError: on entering, if another process holds it, or it cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = -1

    def __enter__(self) -> FolderLock:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror or error}", self._folder) from None
        try:
            self._wait()
        except BaseException:
            os.close(self._file)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._taken():
            if time.monotonic() > deadline:
                raise UserError(
                    "another tasksieve is at work in this folder; wait until it is done, or choose another --out",
                    self._folder,
                )
            time.sleep(_PAUSE)

    def _taken(self) -> bool:
        if sys.platform == "win32":
            return True
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a file system without locks
        return True
