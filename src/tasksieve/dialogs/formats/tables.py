"""Parquet and Arrow tables, as the ``datasets`` library and the Hugging Face hub have them.

A row is a dialog, and its columns are what keys are in JSON lines of chat messages: ``messages``, a list of objects
with ``role`` and ``content``, or any other shape that :mod:`tasksieve.dialogs.formats.chat` reads. A table with
columns such as ``dialog``, ``speaker`` and ``text`` has an utterance a row, as
:mod:`tasksieve.dialogs.formats.columns` reads it. Null is the same as nothing there.

What is written is ``messages`` alone. All messages of a table have the same keys: ``action``, ``slots`` and
``weight`` are there if any message has them, and null in others.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.chat import sources_of
from tasksieve.dialogs.formats.column_names import UTTERANCES, known_columns
from tasksieve.dialogs.formats.columns import read_rows
from tasksieve.dialogs.formats.format import Format, register
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.table_rows import is_arrow, is_parquet, numbered_rows, opened
from tasksieve.dialogs.formats.table_writing import write_arrow, write_parquet

_EXPECTED = "a column 'messages' or 'conversations', prompt and completion, or dialog, speaker, text"


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    with opened(path, journal) as table:
        rows = numbered_rows(table, journal)
        first = next(rows, None)
        if table is None or first is None:
            return
        rows = itertools.chain([first], rows)
        if len(table.columns) == 1 and isinstance(next(iter(first[1].values()), None), str):
            found = f"has a text column '{table.columns[0]}' alone, which does not say who speaks"
            journal.refuse(f"{found}; expected {_EXPECTED}")
        elif _has_utterances(table.columns, first[1]):
            yield from read_rows(table.columns, _cells(table.columns, rows), journal)
        else:
            yield from (source.dialog for source in sources_of(rows, journal) if source.dialog is not None)


def has_messages(path: Path) -> bool:
    """Whether each row of a table is an object with messages, and no utterance."""
    journal = Journal(path, collect=True)
    with opened(path, journal) as table:
        _, row = next(numbered_rows(table, journal), (0, {}))
        return table is not None and not _has_utterances(table.columns, row)


def _has_utterances(names: list[str], row: dict[str, Any]) -> bool:
    """Whether a table has an utterance a row."""
    columns = known_columns("\t".join(names))
    if columns is None or not columns.places.keys() >= UTTERANCES.keys():
        return False
    return not any(isinstance(row.get(names[place]), (list, dict)) for place in columns.places.values())


def _cells(names: list[str], rows: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[tuple[int, list[str]]]:
    for number, row in rows:
        yield number, [_cell(row.get(name, "")) for name in names]


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


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
