"""MetaLWOz (Lee et al., 2019): a file for each domain, ``dialogues/CATALOGUE_BOT.txt``; read, not written.

A dialog a line, of texts in turn, of which the bot says the first: ``{"id": "…", "user_id": "…", "bot_id": "…",
"domain": "CATALOGUE_BOT", "task_id": "…", "turns": ["Hello how may I help you?", "…", …]}``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.objects import dialogs_of_turns, names_in

_READ = ("id", "user_id", "bot_id", "turns")


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    for _, turns, assembly in dialogs_of_turns(path, journal, _READ):
        for number, text in enumerate(turns, start=1):
            add = assembly.system if number % 2 else assembly.user
            add(text, f"turn {number}")
        yield from assembly.dialog()


def _recognises(start: Start) -> bool:
    return {"turns", "bot_id", "user_id", "domain"} <= names_in(start)


METALWOZ = register(
    Format(
        name="metalwoz",
        title="MetaLWOz",
        suffixes=(),
        read=_read,
        write=None,
        recognises=_recognises,
        example='{"id": "1", "user_id": "u", "bot_id": "b", "domain": "CAT_BOT", "turns": ["hello", "hi", "yes?"]}',
        order=40,
    )
)
"""MetaLWOz."""
