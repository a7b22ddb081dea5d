"""What a help desk's export holds that the customer never saw: notes among colleagues, by the columns that say so.

They are no responses: a model that learned them would tell customers what was not meant for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasksieve.dialogs.formats.column_names import Columns

INTERNAL_NOTE = "internal note, which the user never saw"
"""A loss."""
_YES, _NO = ("true", "1", "1.0", "yes", "y", "t"), ("false", "0", "0.0", "no", "n", "f")
_NOTES = ("note", "private", "privatenote", "internal", "internalnote", "internalcomment", "privatecomment")
_OF_MESSAGES = {"public": False, "is_public": False, "private": True, "is_private": True, "internal": True}


def is_internal_row(row: Sequence[str], columns: Columns) -> bool:
    """Whether a row of a table is a note among colleagues."""
    cells = {kind: row[place].strip().lower() for kind, place in columns.internal.items() if place < len(row)}
    kind = "".join(filter(str.isalpha, cells.get("kind", "")))
    return cells.get("public") in _NO or cells.get("private") in _YES or kind in _NOTES


def is_internal_message(message: Mapping[str, Any]) -> bool:
    """Whether a message says that it is a note among colleagues: ``"private": true`` or ``"public": false``."""
    return any(message.get(key) is value for key, value in _OF_MESSAGES.items())
