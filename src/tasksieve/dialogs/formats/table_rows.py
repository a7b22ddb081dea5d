"""The rows of Parquet and Arrow tables as the objects that chat messages stand in, one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasksieve.dialogs.formats.chat_rows import LISTS, TURNS, is_row
from tasksieve.dialogs.formats.compressed import compression_of, open_plain
from tasksieve.dialogs.formats.format import Start
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.lines import refuse_binary, unreadable
from tasksieve.errors import UserError
from tasksieve.records.arrow_batches import STREAM_MARK
from tasksieve.records.foreign_rows import LONGEST_ROW, DamagedTable, ForeignRows
from tasksieve.records.rows_apart import ARROW_MARK, PARQUET_MARK

_OF_MESSAGES = (*LISTS, *TURNS, "prompt", "completion", "chosen", "preferred_output")
"""Columns that may hold lists of messages."""


def is_parquet(start: Start) -> bool:
    """Whether a file is a Parquet table."""
    return start.raw.startswith(PARQUET_MARK)


def is_arrow(start: Start) -> bool:
    """Whether a file is an Arrow table: a file (Feather too) or a stream."""
    return start.raw.startswith((ARROW_MARK, STREAM_MARK))


def is_table(start: Start) -> bool:
    """Whether a file is a table of either kind."""
    return is_parquet(start) or is_arrow(start)


def table_rows(path: Path, journal: Journal) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (number from 1, row) of a table, with messages as lists of objects, however the table has them.

    Raises: UserError: if the file is none or damaged, if the journal does not collect.
    """
    with opened(path, journal) as table:
        yield from numbered_rows(table, journal)


@contextmanager
def opened(path: Path, journal: Journal) -> Iterator[ForeignRows | None]:
    """Open a table; None if there is none, of which the journal is told."""
    table = None
    try:
        if not is_table(Start(path)):
            with open_plain(path) as file:
                refuse_binary(path, file)
            raise UserError("is no Parquet or Arrow table; expected one", path)
        compression = compression_of(path)
        if compression is not None:
            raise UserError(f"is a table compressed by {compression.name} once more; unpack it", path)
        table = ForeignRows(path)
    except OSError as error:
        raise unreadable(path, error) from None
    except UserError as error:
        journal.refuse(error.message)
    try:
        yield table
    finally:
        if table is not None:
            table.close()


def numbered_rows(table: ForeignRows | None, journal: Journal) -> Iterator[tuple[int, dict[str, Any]]]:
    """As :func:`table_rows`, of an open table; a row whose nulls hide what it is has them."""
    if table is None:
        return
    try:
        for number, row in enumerate(table, start=1):
            if row is None:
                journal.refuse(f"found a row of more than {LONGEST_ROW >> 20} MiB; expected shorter ones", number)
                continue
            for name in _OF_MESSAGES:
                if name in row:
                    row[name] = _as_list(row[name])
            if len(row) < len(table.columns) and not is_row(row):
                row = {**dict.fromkeys(table.columns), **row}
            yield number, row
    except DamagedTable as error:
        journal.refuse(error.message)


def _as_list(value: Any) -> Any:
    """Messages as a list: they may be a list for each key of theirs, or JSON. What is neither stays as it is."""
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    columns = value if isinstance(value, dict) else {}
    if not columns or not all(isinstance(column, list) for column in columns.values()):
        return value
    length = max(map(len, columns.values()))
    return [
        {key: column[n] for key, column in columns.items() if n < len(column) and column[n] is not None}
        for n in range(length)
    ]
