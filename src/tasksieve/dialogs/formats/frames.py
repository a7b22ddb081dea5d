"""Frames (El Asri et al., 2017): ``frames.json``, one JSON array of dialogs about travel; read, not written.

``[{"id": "…", "user_id": "…", "turns": [{"author": "user", "text": "…", "labels": {…}, "timestamp": 1.0}, {"author":
"wizard", "text": "…", "labels": {"acts": [{"name": "offer", "args": [{"key": "price", "val": "900"}]}]}, "db":
{"result": [[{"hotel": {"name": "…"}, "price": 900}]], "search": [{…}]}}]}]``. What the wizard's database answered is
a record each, of kind ``db``. Frames, references to them, searches, ratings and the user's acts are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.annotations import UNPLACED_VALUE, UNREAD_ACT
from tasksieve.dialogs.formats.assembly import Assembly
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, shown
from tasksieve.dialogs.formats.objects import dialogs_of_turns, listed, lose_rest, names_in
from tasksieve.dialogs.formats.utterances import filled

_USER, _SYSTEM, _BASE = "user", "wizard", "db"
_IDS = ("id", "user_id", "wizard_id", "turns")
_KEPT = ("author", "text", "labels", "timestamp", _BASE)


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    for value, turns, assembly in dialogs_of_turns(path, journal, _IDS):
        for number, turn in enumerate(turns, start=1):
            _add(turn, f"dialog {shown(value.get('id'))}, turn {number}", assembly, journal)
        yield from assembly.dialog()


def _add(turn: Any, place: str, assembly: Assembly, journal: Journal) -> None:
    if not isinstance(turn, dict):
        assembly.refuse(f"{place}: found {shown(turn)}; expected an object with author and text")
        return
    lose_rest(turn, _KEPT, "a turn", journal)
    _know(turn.get(_BASE), place, assembly, journal)
    author, labels = turn.get("author"), turn.get("labels")
    held = labels if isinstance(labels, dict) else {"labels": labels}
    if author == _USER:
        lose_rest(held, (), "a user's turn", journal)
        assembly.user(turn.get("text"), place)
    elif author == _SYSTEM:
        lose_rest(held, ("acts",), "a wizard's turn", journal)
        acts = [act for one in listed(held.get("acts")) for act in _acts(one, journal)]
        assembly.system(turn.get("text"), place, acts=acts)
    else:
        assembly.refuse(f"{place}: found author {shown(author)}; expected user or wizard")


def _know(base: Any, place: str, assembly: Assembly, journal: Journal) -> None:
    """What the database answered to each search, as records; an empty one if it found nothing."""
    held = base if isinstance(base, dict) else {_BASE: base}
    lose_rest(held, ("result",), "a database", journal)
    for found in listed(held.get("result")):
        for item in listed(found) or [{}]:
            if isinstance(item, dict):
                assembly.record(_BASE, item, place)
            else:
                journal.lose("'result' of a database that could not be read")


def _acts(value: Any, journal: Journal) -> Iterator[Act]:
    """An act for each of its slots; one without slots is an act too. References to frames are lost."""
    name, slots = (value.get("name"), value.get("args")) if isinstance(value, dict) else (None, None)
    if not isinstance(name, str):
        journal.lose(UNREAD_ACT)
        return
    kept: list[str] = []
    for slot in listed(slots):
        key, said = (slot.get("key"), slot.get("val")) if isinstance(slot, dict) else (None, None)
        if isinstance(key, str) and not isinstance(said, (list, dict)):
            kept.append(key)
            journal.lose(UNPLACED_VALUE, int(filled(said)))
        else:
            journal.lose("reference or list in an act")
    yield from (Act(name, key) for key in kept or [""])


def _recognises(start: Start) -> bool:
    return {"turns", "author", "text", "labels", "user_id"} <= names_in(start)


FRAMES = register(
    Format(
        name="frames",
        title="Frames",
        suffixes=(),
        read=_read,
        write=None,
        recognises=_recognises,
        example='[{"id": "1", "user_id": "U", "turns": [{"author": "user", "text": "hi", "labels": {}}, '
        '{"author": "wizard", "text": "hello", "labels": {"acts": []}}]}]',
        order=40,
    )
)
"""Frames."""
