"""JSON with an utterance an object, the objects of a dialog one after the other, a line each or in one array.

``{"dialog": 1, "speaker": "user", "text": "hello"}``: keys are what columns are in a table
(:mod:`tasksieve.dialogs.formats.columns`), by the same names. Where a key has numbers of turns or times, the objects
of a dialog are put in that order, and those that stand apart together.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.column_names import columns_named, has_utterances
from tasksieve.dialogs.formats.columns import read_rows
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, JournalFull, shown
from tasksieve.dialogs.formats.json_text import json_items, json_lines
from tasksieve.dialogs.formats.parts import says
from tasksieve.dialogs.formats.row_order import Row
from tasksieve.errors import UserError

_LOOKED_AT = 100
"""Objects, for the keys that there are."""


def cells(names: Sequence[str], rows: Iterable[tuple[int, Mapping[str, Any]]]) -> Iterator[Row]:
    """The values of each row as texts, in the order of the names."""
    for number, row in rows:
        yield number, [_cell(row.get(name)) for name in names]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    names = _names(path)
    columns = columns_named(names)
    if columns is None:
        next(_objects(path, journal), None)  # says first what is no JSON, or no text at all
        journal.refuse(f"found keys {shown(sorted(names))}; expected dialog, speaker and text")
        return
    again = cells(names, _again(path))
    yield from read_rows(columns, cells(names, _known(names, _objects(path, journal), journal)), again, journal)


def _names(path: Path) -> list[str]:
    """The keys of the first objects, in their order."""
    return list(dict.fromkeys(key for _, value in itertools.islice(_again(path), _LOOKED_AT) for key in value))


def _again(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The objects, read by themselves before their dialogs are; problems are left to these."""
    journal = Journal(path, collect=True)
    with contextlib.suppress(JournalFull, UserError):
        yield from _objects(path, journal)


def _objects(path: Path, journal: Journal) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if not Start(path).line.startswith("["):
        yield from json_lines(path, journal)
        return
    for line, value in json_items(path, journal):
        if isinstance(value, dict):
            yield line, value
        else:
            journal.refuse(f"found {shown(value)}; expected an object with dialog, speaker and text", line)


def _known(
    names: Sequence[str], rows: Iterable[tuple[int, Mapping[str, Any]]], journal: Journal
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The rows; keys that the first ones do not have are counted as lost."""
    known = frozenset(names)
    for number, row in rows:
        for key in row.keys() - known:
            if says(row[key]):
                journal.lose(f"column '{key}'")
        yield number, row


def _recognises(start: Start) -> bool:
    value = start.value if start.line.startswith(("{", "[")) else None
    return isinstance(value, dict) and has_utterances(list(value), value)


OBJECT_ROWS = register(
    Format(
        name="json-rows",
        title="JSON with an utterance an object",
        suffixes=(),
        read=_read,
        write=None,
        recognises=_recognises,
        example='{"dialog": 1, "speaker": "user", "text": "hello"}',
        order=40,
    )
)
"""JSON with an utterance an object."""
