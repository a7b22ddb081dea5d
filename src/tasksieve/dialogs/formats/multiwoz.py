"""MultiWOZ as first published, versions 2.0 and 2.1 (Budzianowski et al., 2018): ``data.json``; read, not written.

One JSON object with a dialog under each name: ``{"PMUL4372.json": {"goal": {…}, "log": [{"text": "…", "metadata":
{}}, {"text": "…", "metadata": {"restaurant": {"book": {"booked": [{"name": "…", "reference": "…"}]}, "semi": {…}}},
"dialog_act": {"Restaurant-Inform": [["Food", "italian"]]}, "span_info": [["Restaurant-Inform", "Food", "italian", 3,
3]]}, …]}}``; the user speaks first, and then each in turn. A booking is a record of its domain, once it is made.
Goals, states (the rest of ``metadata``) and the user's acts are not read. ``valListFile`` and ``testListFile`` beside
the file say which dialogs are for validation and test; all others are for training.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.assembly import Assembly
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, shown
from tasksieve.dialogs.formats.json_text import json_entries
from tasksieve.dialogs.formats.multiwoz_acts import acts_of_turn
from tasksieve.dialogs.formats.objects import listed, lose_rest, names_in
from tasksieve.dialogs.formats.split_lists import OTHERS, splits_beside
from tasksieve.dialogs.formats.utterances import filled

_KEPT = ("text", "metadata", "dialog_act", "span_info", "turn_id")
_ENDING = ".json"
_NO_ACTS = "No Annotation"


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    splits = splits_beside(path)
    for line, name, value in json_entries(path, journal):
        assembly = Assembly(journal, line)
        log = value.get("log") if isinstance(value, dict) else None
        if not isinstance(log, list):
            assembly.refuse(f"dialog {shown(name)}: found {shown(value)}; expected an object with a list 'log'")
            continue
        if not journal.takes(splits.get(name.removesuffix(_ENDING), OTHERS) if splits else None):
            continue
        lose_rest(value, ("log",), "a dialog", journal)
        reading = _Log(assembly, journal)
        for number, turn in enumerate(log):
            reading.add(turn, f"dialog {shown(name)}, turn {number + 1}", system=bool(number % 2))
        yield from assembly.dialog()


class _Log:
    """The turns of one dialog."""

    def __init__(self, assembly: Assembly, journal: Journal) -> None:
        self._assembly = assembly
        self._journal = journal
        self._booked: list[tuple[str, Any]] = []

    def add(self, turn: Any, place: str, *, system: bool) -> None:
        if not isinstance(turn, dict):
            self._assembly.refuse(f"{place}: found {shown(turn)}; expected an object with text")
            return
        lose_rest(turn, _KEPT, "a turn", self._journal)
        self._know(turn.get("metadata"), place)
        if not system:
            acts = turn.get("dialog_act")
            self._journal.lose("'dialog_act' of a user's turn", int(filled(acts) and acts != _NO_ACTS))
            self._assembly.user(turn.get("text"), place)
            return
        found = acts_of_turn(turn, turn.get("text"))
        for lost in found.lost:
            self._journal.lose(lost)
        self._assembly.system(turn.get("text"), place, acts=found.acts, spans=found.spans)

    def _know(self, metadata: Any, place: str) -> None:
        """Bookings that were not there before, as records."""
        domains = metadata if isinstance(metadata, dict) else {}
        self._journal.lose("'metadata' of a turn", int(filled(metadata)))
        for domain, state in domains.items():
            book = state.get("book") if isinstance(state, dict) else None
            for booking in listed(book.get("booked")) if isinstance(book, dict) else ():
                if isinstance(booking, dict) and (domain, booking) not in self._booked:
                    self._booked.append((domain, booking))
                    self._assembly.record(domain, booking, place)


def _recognises(start: Start) -> bool:
    return start.line.startswith("{") and {"log", "text", "metadata"} <= names_in(start)


MULTIWOZ = register(
    Format(
        name="multiwoz",
        title="MultiWOZ 2.0 and 2.1",
        suffixes=(),
        read=_read,
        write=None,
        recognises=_recognises,
        example='{"PMUL1.json": {"log": [{"text": "hi", "metadata": {}}, {"text": "hello", "metadata": {}}]}}',
        order=40,
    )
)
"""MultiWOZ before version 2.2."""
