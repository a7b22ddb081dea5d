"""Microsoft's end-to-end dialog challenge (Li et al., 2018): ``movie_all.tsv`` and the like; read, not written.

A message a row, with tabs between the cells and no quotes: ``session.ID  Message.ID  Message.Timestamp  Message.From
Message.Text``, and after the text any number of acts, ``request(city;date=tonight)``. Those of the agent's messages
are acts with a slot each; their values, of which nothing says where they stand, and the user's acts are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.annotations import UNPLACED_VALUE, UNREAD_ACT
from tasksieve.dialogs.formats.assembly import Assembly
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, shown
from tasksieve.dialogs.formats.lines import numbered_lines
from tasksieve.dialogs.formats.speakers import SYSTEM, USER, speaker_named

_COLUMNS = ("session.id", "message.id", "message.timestamp", "message.from", "message.text")
_ACT = re.compile(r"\s*\"?([\w-]+)\s*\((.*)\)\s*\"?\s*")
_SLOTS = re.compile(r"([^;={}]+)(?:=((?:\{[^{}]*\}|[^;{}])*))?")


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    lines = numbered_lines(path, journal)
    number, header = next(lines, (1, ""))
    while not header.strip():
        number, header = next(lines, (number, "session.id"))
    if not _is_header(header):
        journal.refuse(f"found {shown(header.strip())}; expected the columns {', '.join(_COLUMNS)}", number)
        return
    session, assembly, ended = "", Assembly(journal, number), set[str]()
    for number, line in lines:
        cells = line.split("\t")
        if not line.strip():
            continue
        if len(cells) < len(_COLUMNS):
            journal.refuse(f"found {len(cells)} cells; expected at least {len(_COLUMNS)}", number)
            continue
        if cells[0] != session:
            yield from _ended(assembly, session)
            ended.add(session)
            session, assembly = cells[0], Assembly(journal, number)
            if session in ended:
                assembly.refuse(f"session {shown(session)} goes on after another one began; sort the rows", number)
        _add(cells, assembly, journal, number)
    yield from _ended(assembly, session)


def _ended(assembly: Assembly, session: str) -> Iterator[Dialog]:
    return assembly.dialog() if session else iter(())


def _add(cells: Sequence[str], assembly: Assembly, journal: Journal, line: int) -> None:
    _, _, sent, sender, text, *others = cells
    journal.lose("'Message.Timestamp' of a message", int(bool(sent.strip())))
    named = [cell for cell in others if cell.strip()]
    speaker = speaker_named(sender)
    if speaker == USER:
        journal.lose("act of a user's message", len(named))
        assembly.user(text, "Message.Text", line)
    elif speaker == SYSTEM:
        acts = [act for cell in named for act in _acts(cell, journal)]
        assembly.system(text, "Message.Text", line, acts=acts)
    else:
        assembly.refuse(f"found Message.From {shown(sender)}; expected user or agent", line)


def _acts(cell: str, journal: Journal) -> Iterator[Act]:
    """An act for each slot in a cell, or one without a slot."""
    found = _ACT.fullmatch(cell)
    if found is None:
        journal.lose(UNREAD_ACT)
        return
    slots = [(name.strip(), value.strip()) for name, value in _SLOTS.findall(found[2]) if name.strip()]
    for name, value in slots or [("", "")]:
        journal.lose(UNPLACED_VALUE, int(bool(value)))
        yield Act(found[1], name)


def _is_header(line: str) -> bool:
    names = [name.strip().lower() for name in line.split("\t")]
    return tuple(names[: len(_COLUMNS)]) == _COLUMNS


def _recognises(start: Start) -> bool:
    return _is_header(start.line)


MICROSOFT_E2E = register(
    Format(
        name="microsoft-e2e",
        title="Microsoft's dialog challenge",
        suffixes=(),
        read=_read,
        write=None,
        recognises=_recognises,
        example="session.ID\tMessage.ID\tMessage.Timestamp\tMessage.From\tMessage.Text",
        order=40,
    )
)
"""Microsoft's end-to-end dialog challenge."""
