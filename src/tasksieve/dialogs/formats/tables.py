"""Parquet and Arrow tables, as the ``datasets`` library and the Hugging Face hub have them.

A row is a dialog, and its columns are what keys are in JSON lines of chat messages: ``messages``, a list of objects
with ``role`` and ``content``, or any other shape that :mod:`tasksieve.dialogs.formats.chat` reads. A table with
columns such as ``dialog``, ``speaker`` and ``text`` has an utterance a row, as
:mod:`tasksieve.dialogs.formats.columns` reads it. Null is the same as nothing there.

What is written is ``messages`` alone. All messages of a table have the same keys: ``action``, ``slots`` and
``weight`` are there if any message has them, and null in others.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.chat import sources_of
from tasksieve.dialogs.formats.chat_rows import is_row
from tasksieve.dialogs.formats.column_names import columns_named, has_utterances
from tasksieve.dialogs.formats.columns import read_rows
from tasksieve.dialogs.formats.format import Format, register
from tasksieve.dialogs.formats.journal import Journal, JournalFull
from tasksieve.dialogs.formats.object_rows import cells
from tasksieve.dialogs.formats.row_order import Row
from tasksieve.dialogs.formats.table_rows import is_arrow, is_parquet, numbered_rows, opened
from tasksieve.dialogs.formats.table_writing import write_arrow, write_parquet
from tasksieve.errors import UserError

_EXPECTED = "a column 'messages' or 'conversations', prompt and completion, text with marks, or dialog, speaker, text"


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    with opened(path, journal) as table:
        rows = numbered_rows(table, journal)
        first = next(rows, None)
        if table is None or first is None:
            return
        rows = itertools.chain([first], rows)
        alone = next(iter(first[1].values()), None) if len(table.columns) == 1 else None
        if isinstance(alone, str) and not is_row(first[1]):
            found = f"has a text column '{table.columns[0]}' alone, which does not say who speaks"
            journal.refuse(f"{found}; expected {_EXPECTED}")
        elif (columns := columns_named(table.columns)) and has_utterances(table.columns, first[1]):
            yield from read_rows(columns, cells(table.columns, rows), _again(path, table.columns), journal)
        else:
            yield from (source.dialog for source in sources_of(rows, journal) if source.dialog is not None)


def _again(path: Path, names: Sequence[str]) -> Iterator[Row]:
    """The rows of a table, read by themselves before its dialogs are; its problems are left to these."""
    journal = Journal(path, collect=True)
    with contextlib.suppress(JournalFull, UserError), opened(path, journal) as table:
        yield from cells(names, numbered_rows(table, journal))


def has_messages(path: Path) -> bool:
    """Whether each row of a table is an object with messages, and no utterance."""
    journal = Journal(path, collect=True)
    with opened(path, journal) as table:
        _, row = next(numbered_rows(table, journal), (0, {}))
        return table is not None and not has_utterances(table.columns, row)


_EXAMPLE = "messages: [{role: user, content: hi}, {role: assistant, content: hello}]"

PARQUET = register(
    Format(
        name="parquet",
        title="Parquet",
        suffixes=(".parquet",),
        read=_read,
        write=write_parquet,
        recognises=is_parquet,
        example=_EXAMPLE,
        order=10,
    )
)
"""Parquet tables."""

ARROW = register(
    Format(
        name="arrow",
        title="Arrow",
        suffixes=(".arrow", ".feather"),
        read=_read,
        write=write_arrow,
        recognises=is_arrow,
        example=_EXAMPLE,
        order=10,
    )
)
"""Arrow tables: files, also known as Feather, and streams."""
