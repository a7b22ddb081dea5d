"""What one line that somebody types tells: a record, several of them, or prose."""

from __future__ import annotations

import re
from typing import Any

from tasksieve.dialogs.formats.tools import results
from tasksieve.dialogs.record import Note, Pairs, Record, told

_LISTED = re.compile(r"(?:([^\s\"{}\[\]:]+) )?(\[.*\])", re.DOTALL)


def tellings(text: str) -> tuple[Record | Note, ...]:
    """What a line tells: as :func:`tasksieve.dialogs.record.told` has it, or each record of a list after a name.

    >>> [record.text for record in tellings('find_room [{"room": "Aula"}, {"room": "2B"}]')]
    ['find_room {"room": "Aula"}', 'find_room {"room": "2B"}']
    >>> tellings("closed on Sundays")
    (Note(text='closed on Sundays'),)
    """
    event, listed = told(text), _LISTED.fullmatch(text)
    if listed is None or not isinstance(event, Note):
        return (event,)
    try:
        found = results(listed[2], listed[1] or "") or []
        return tuple(_record(kind, values) for kind, values in found) or (event,)
    except (ValueError, RecursionError):
        return (event,)


def _record(kind: str, values: Any) -> Record:
    return values.record(kind) if isinstance(values, Pairs) else Record.of(kind, values)
