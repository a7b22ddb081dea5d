"""The rows of tables of someone else, as JSON lines: the part that runs in a process of its own.

A damaged file may bring the library that reads it down, or ask for any amount of memory and time; here it ends this
process alone. What is null is left out, since in a table all objects have all keys.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import polars as pl

from tasksieve.records.arrow_batches import STREAM_MARK, arrow_batches

PARQUET_MARK = b"PAR1"
"""How a Parquet file starts."""
ARROW_MARK = b"ARROW1"
"""How an Arrow file starts; Feather's second version is the same."""
_MEMORY = 1 << 33
"""Bytes of addresses; what is used is far less."""
_SECONDS = 120
"""Of the processor, for a batch."""
_ROWS = 256
"""In a batch: few, so that rows as large as they may be fill no memory."""


def main() -> None:
    """Write the rows of each file that is named on the standard input, a line of JSON each, to the standard output.

    Before the rows come the columns, and after them null, or the reason why there are no more. A panic of the library
    ends it without a word.
    """
    with contextlib.suppress(BrokenPipeError):
        for line in sys.stdin:
            try:
                _write(Path(json.loads(line)), sys.stdout)
                end = None
            except BrokenPipeError:
                raise
            except Exception as error:
                end = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            sys.stdout.write(json.dumps(end) + "\n")
            sys.stdout.flush()


def _write(path: Path, out: IO[str]) -> None:
    named = False
    for frame in _frames(path):
        if not named:
            out.write(json.dumps(frame.columns) + "\n")
            named = True
        for row in frame.iter_rows(named=True):
            out.write(json.dumps(_without_nulls(row) or {}, ensure_ascii=False, default=_plain) + "\n")
    if not named:
        out.write("[]\n")


def _frames(path: Path) -> Iterator[pl.DataFrame]:
    """A table without rows, for its columns, then all rows."""
    _allow(_SECONDS)
    with path.open("rb") as file:
        start = file.read(len(ARROW_MARK))
    batches: Iterator[pl.DataFrame]
    if start.startswith(STREAM_MARK):
        batches = map(pl.read_ipc_stream, arrow_batches(path))
    else:
        scan = pl.scan_parquet if start.startswith(PARQUET_MARK) else pl.scan_ipc
        rows = scan(path, glob=False, hive_partitioning=False)
        yield rows.collect_schema().to_frame()
        batches = rows.collect_batches(chunk_size=_ROWS, maintain_order=True)
    for batch in batches:
        _allow(_SECONDS)
        yield from batch.iter_slices(_ROWS)


def _without_nulls(value: Any) -> Any:
    """A value without what is null in it; an object in which all is null is null itself."""
    if isinstance(value, dict):
        kept = {key: inner for key, given in value.items() if (inner := _without_nulls(given)) is not None}
        return kept if kept or not value else None
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _plain(value: object) -> str:
    """What JSON has no form for, in words: dates as text, pictures and sound by their size."""
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)


def _allow(seconds: int) -> None:
    """Allow so much of the processor from now on, and bound the memory, on systems that know how."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        _, hardest = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds, hardest))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
