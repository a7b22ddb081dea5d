"""The rows of a Parquet or Arrow table that someone else made, one by one, whatever is in the file."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from tasksieve.errors import UserError

LONGEST_ROW = 8 << 20
"""Bytes of a row as JSON."""
_APART = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from tasksieve.records.rows_apart import main
main()
"""
_FEW_THREADS = {"POLARS_MAX_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
"""The one who takes the rows is slower than one thread."""


class DamagedTable(UserError):
    """A table cannot be read, or not any further."""


class ForeignRows:
    """The rows of a table, read in a process of its own, since a damaged file may bring its reader down.

    Args:
        path: the file.
    Attributes:
        columns: their names.
    Raises: DamagedTable: if it cannot be read at all.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: _Reader | None = _Reader.idle()
        self._reader.ask(path)
        self.columns: list[str] = []
        try:
            found = self._next(0)
            self.columns = found if isinstance(found, list) else []
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[dict[str, Any] | None]:
        """Each row, without what is null in it; None for one that is too long.

        Raises: DamagedTable: where the file is damaged.
        """
        number = 0
        while (row := self._next(number)) is not _END:
            number += 1
            yield None if row is _TOO_LONG else cast("dict[str, Any]", row)

    def close(self) -> None:
        """Read no further."""
        if self._reader is not None:
            self._reader.end()
            self._reader = None

    def _next(self, rows: int) -> object:
        """The next row, after so many."""
        if self._reader is None:
            return _END
        line = self._reader.line()
        if len(line) > LONGEST_ROW:
            while line and not line.endswith(b"\n"):
                line = self._reader.line()
            return _TOO_LONG
        value = json.loads(line) if line.endswith(b"\n") else _END
        if value is None or isinstance(value, str):
            self._reader.rest()
            self._reader = None
        if value is None:
            return _END
        if value is _END or isinstance(value, str):
            self.close()
            why = f" ({value})" if isinstance(value, str) else ""
            after = f" after {rows:,} rows" if rows else ""
            raise DamagedTable(f"cannot be read as a table{after}{why}; is it damaged?", self._path)
        return value


_END, _TOO_LONG = object(), object()


class _Reader:
    """A process that reads tables, one after the other.

    Of each it writes a line with the columns, one for each row, and null at the end, or the reason why it cannot be
    read on. If a table brings it down, nothing more comes.
    """

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _APART, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_FEW_THREADS},
            bufsize=1 << 18,
        )
        self._in = cast("IO[bytes]", self._process.stdin)
        self._out = cast("IO[bytes]", self._process.stdout)

    @classmethod
    def idle(cls) -> _Reader:
        """One that rests, if this process has one, since a start takes a while; else a new one."""
        while _RESTING:
            found = _RESTING.pop()
            if found.owner == os.getpid() and found._process.poll() is None:
                return found
            found.end()
        return cls()

    def ask(self, path: Path) -> None:
        try:
            self._in.write(json.dumps(str(path.absolute())).encode() + b"\n")
            self._in.flush()
        except OSError:  # it has ended: no line will come
            return

    def line(self) -> bytes:
        return self._out.readline(LONGEST_ROW + 1)

    def rest(self) -> None:
        _RESTING.append(self)

    def end(self) -> None:
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()
        self._out.close()
        try:
            self._in.close()
        except OSError:  # what it was to be asked waits still
            return


_RESTING: list[_Reader] = []


@atexit.register
def _end_resting() -> None:
    while _RESTING:
        _RESTING.pop().end()
