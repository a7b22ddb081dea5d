"""What one line that somebody types tells: a record, several of them, or prose."""

from __future__ import annotations

import re
from typing import Any

from tasksieve.dialogs.formats.tools import results
from tasksieve.dialogs.record import Note, Pairs, Record, told

_ANSWER = re.compile(r"(?:([^\s\"{}\[\]:]+) )?([\[{].*[\]}])", re.DOTALL)


def tellings(text: str) -> tuple[Record | Note, ...]:
    """What a line tells: what a tool answered as chat messages have it (:func:`results`), after the tool's name.

    Else it is what :func:`tasksieve.dialogs.record.told` has.

    >>> [record.text for record in tellings('find_room [{"room": "Aula"}, {"room": "2B"}]')]
    ['find_room {"room": "Aula"}', 'find_room {"room": "2B"}']
    >>> [record.text for record in tellings('find_room {"found": 1, "rooms": [{"room": "Aula"}]}')]
    ['find_room {"room": "Aula"}', 'find_room {"found": "1"}']
    >>> tellings("closed on Sundays")
    (Note(text='closed on Sundays'),)
    """
    event, answer = told(text), _ANSWER.fullmatch(text)
    if answer is None:
        return (event,)
    try:
        found = results(answer[2], answer[1] or "") or []
        return tuple(_record(kind, values) for kind, values in found) or (event,)
    except (ValueError, RecursionError):
        return (event,)


def _record(kind: str, values: Any) -> Record:
    return values.record(kind) if isinstance(values, Pairs) else Record.of(kind, values)
