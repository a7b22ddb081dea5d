"""Parquet tables of a run, with a checksum over every byte.

A damaged Parquet file may bring its reader down, so it is not given one. The checksum stands in the file's own
metadata under ``tasksieve``: SHA-256 of the file with these 64 digits as zeros. Any Parquet reader takes the file.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tasksieve.errors import UserError
from tasksieve.records.files import read_bytes, write_bytes

LARGEST = 1 << 31
"""Bytes of a table that is read."""
_NAME = "tasksieve"
_ZEROS = b"0" * 64
_BEFORE = _NAME.encode() + bytes([0x18, len(_ZEROS)])
"""What stands before the digits in Parquet's footer: the name, then field, type and length of the value."""


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """Write a table whole. Raises: UserError: if the disk does not take it; the file that was there stays."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, metadata={_NAME: _ZEROS.decode()})
    data = buffer.getvalue()
    place = data.rindex(_BEFORE + _ZEROS) + len(_BEFORE)
    digest = hashlib.sha256(data).hexdigest().encode()
    write_bytes(path, data[:place] + digest + data[place + len(_ZEROS) :])


def read_table(path: Path, schema: Mapping[str, Any]) -> pl.DataFrame:
    """Read a table that :func:`write_table` wrote.

    Args:
        path: the file.
        schema: columns that it must have, with their types (integers of any width); others may stand beside them.
    Raises: UserError: if it is missing, damaged, of another making, or has other columns.
    """
    data = read_bytes(path, LARGEST, "no such table; train first")
    place = data.rfind(_BEFORE) + len(_BEFORE)
    digest = data[place : place + len(_ZEROS)]
    whole = hashlib.sha256(data[:place] + _ZEROS + data[place + len(_ZEROS) :]).hexdigest().encode()
    if digest != whole:
        raise UserError("is damaged, or no table of a run of this version: its checksum does not match", path)
    try:
        frame = pl.read_parquet(data)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        raise UserError(f"is not a readable table ({error}); train again", path) from None
    for name, kind in schema.items():
        found = frame.schema.get(name)
        if found is None or not (found == kind or (found.is_integer() and kind.is_integer())):
            raise UserError(f"has {found or 'nothing'} as column '{name}'; expected {kind}; train again", path)
    return frame


SECONDS = 120
"""To read someone else's table in; it has as many as there are related examples."""
_READ_APART = """
import sys, polars
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (1 << 33, 1 << 33))
except (ImportError, ValueError, OSError):
    pass
polars.read_parquet(sys.argv[1]).write_ndjson(sys.stdout.buffer)
"""


def read_foreign_table(path: Path) -> pl.DataFrame:
    """Read a table that someone else made: Parquet, CSV or JSON lines, told from the file's ending.

    Raises: UserError: if it has another ending or cannot be read.
    """
    if path.suffix not in _READERS:
        raise UserError(f"ends in '{path.suffix}'; expected {', '.join(_READERS)}", path)
    try:
        return _READERS[path.suffix](path)
    except (OSError, ValueError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise UserError(f"cannot be read: {reason[:200]}", path) from None


def _read_parquet(path: Path) -> pl.DataFrame:
    """Read Parquet in a process of its own, which a damaged file may abort, within bounds of time and memory."""
    read_bytes(path, LARGEST, "no such file; check the path")
    words = [sys.executable, "-c", _READ_APART, str(path)]
    try:
        done = subprocess.run(words, capture_output=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise UserError(f"cannot be read within {SECONDS} seconds; is it damaged?", path) from None
    if done.returncode:
        raise UserError("cannot be read as Parquet; is it damaged?", path)
    return pl.read_ndjson(done.stdout)


_READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    ".parquet": _read_parquet,
    ".csv": pl.read_csv,
    ".jsonl": pl.read_ndjson,
}
