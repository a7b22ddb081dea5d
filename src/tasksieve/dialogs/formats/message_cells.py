"""Tables of text with a dialog a row: a column of messages, as JSON or as Python prints it, or of marked text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.chat import sources_of
from tasksieve.dialogs.formats.chat_rows import LISTS
from tasksieve.dialogs.formats.column_names import SEPARATORS, names_in
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.marked_text import dialog_in
from tasksieve.dialogs.formats.row_order import Row

_TEXT = "text"


def separator_of_messages(header: str) -> str | None:
    """What stands between the columns of a table with one of messages; None if it has none."""
    return next((mark for mark in SEPARATORS if any(name in LISTS for name in names_in(header, mark))), None)


def separator_of_texts(header: str) -> str | None:
    """What stands between the columns of a table with one of whole dialogs as text; None if it has none."""
    return next((mark for mark in SEPARATORS if _TEXT in names_in(header, mark)), None)


def has_marks(names: Sequence[str], row: Sequence[str]) -> bool:
    """Whether the text in a row of such a table has marks of who speaks."""
    place = names.index(_TEXT)
    return place < len(row) and dialog_in(row[place]) is not None


def read_messages(names: Sequence[str], rows: Iterable[Row], journal: Journal) -> Iterator[Dialog]:
    """Yield the dialog of each row; columns are what keys are in JSON lines of chat messages."""
    values = ((number, _object(names, row, journal)) for number, row in rows)
    yield from (source.dialog for source in sources_of(values, journal) if source.dialog is not None)


def _object(names: Sequence[str], row: Sequence[str], journal: Journal) -> dict[str, Any]:
    journal.lose("cell beyond the columns", sum(1 for cell in row[len(names) :] if cell.strip()))
    return {name: cell for name, cell in zip(names, row, strict=False) if cell.strip()}
