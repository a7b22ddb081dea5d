"""A file on its way: what has arrived lies beside the final name, which it takes only once it is whole."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from tasksieve.errors import UserError

if sys.platform != "win32":
    import fcntl


class PartFile:
    """``NAME.part`` beside ``target``, open and locked; a context manager that keeps what has arrived.

    Only one program at a time may hold it: two that write the same part would spoil it for each other.

    Raises: UserError: from every method, if the disk does not play along.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        with self._disk():
            target.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+b", buffering=0)
        try:
            self._lock()
            self.size = os.fstat(self._file.fileno()).st_size
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> PartFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.size:
            self._close_before_moving()
            with suppress(OSError):
                self.path.unlink()
        self._file.close()

    def append(self, block: bytes) -> None:
        """Write what has arrived."""
        rest = memoryview(block)
        with self._disk():
            while rest:
                written = self._file.write(rest) or 0
                self.size += written
                rest = rest[written:]

    def restart(self) -> None:
        """Throw away what has arrived."""
        with self._disk():
            self._file.truncate(0)
        self.size = 0

    def sha256(self) -> str:
        """The SHA-256 of what has arrived, in hexadecimal."""
        digest = hashlib.sha256()
        with self._disk():
            self._file.seek(0)
            while block := self._file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    def finish(self) -> None:
        """Give it its final name; nothing can be written afterwards."""
        with self._disk():
            os.fsync(self._file.fileno())
            self._close_before_moving()
            self.path.replace(self.target)
            self._file.close()

    def _lock(self) -> None:
        if sys.platform != "win32":
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                ours = os.path.samestat(os.fstat(self._file.fileno()), self.path.stat())
            except (BlockingIOError, FileNotFoundError):
                ours = False  # locked by another program, or just renamed by it
            except OSError:
                return  # a file system without locks
            if not ours:
                raise UserError("another program is fetching this file; wait until it is done", self.path)

    def _close_before_moving(self) -> None:
        """Only on Windows, which does not move open files; elsewhere the lock is held to the end."""
        if sys.platform == "win32":
            self._file.close()

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror or error}", self.path) from None
