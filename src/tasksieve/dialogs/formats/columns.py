"""Tables (CSV) with named columns, in one of two shapes.

An utterance a row, the rows of a dialog one after the other::

    dialog,speaker,text
    1,fact,resto_rome_1 R_rating 8
    1,user,hello
    1,system,hello what can i help you with

Or an example a row, where a row without a column of dialogs is a dialog of its own::

    context,response
    hello,hello what can i help you with

Columns may have any of the names in :data:`NAMES`, in any order; commas, semicolons or tabs separate them; quotes are
those of RFC 4180. A speaker is known by the names in :mod:`tasksieve.dialogs.formats.speakers`. What is not the
user's or the system's is a record (a triple, or JSON after a name) or a note.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tasksieve.dialogs.dialog import SILENCE, Dialog
from tasksieve.dialogs.formats.assembly import Assembly, told_text, turns_with_context
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, shown
from tasksieve.dialogs.formats.lines import numbered_lines
from tasksieve.dialogs.formats.speakers import FACT, SYSTEM, USER, speaker_named

NAMES = {
    "dialog": ("dialog", "dialog_id", "dialogue", "dialogue_id", "conversation", "conversation_id", "session_id"),
    "speaker": ("speaker", "role", "author", "sender"),
    "text": ("text", "utterance", "message", "content"),
    "context": ("context", "user", "prompt", "input", "question"),
    "response": ("response", "system", "completion", "output", "answer"),
    "facts": ("facts", "knowledge"),
}
"""What a column may be called, by what it holds."""

_SEPARATORS = ",;\t"
_SHAPES = ({"dialog", "speaker", "text"}, {"context", "response"})


def known_columns(header: str) -> tuple[str, dict[str, int]] | None:
    """The separator of a table's first line, and the place of each column by what it holds; None if it is none."""
    for separator in _SEPARATORS:
        names = [name.strip().strip('"').strip().lower() for name in header.split(separator)]
        places = {kind: names.index(name) for kind, known in NAMES.items() for name in known[::-1] if name in names}
        if any(shape <= places.keys() for shape in _SHAPES):
            return separator, places
    return None


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    lines = _Lines(path, journal)
    header = next((line for line in lines if line.strip()), "")
    columns = known_columns(header)
    if columns is None:
        message = f"found columns {shown(header.strip())}; expected dialog, speaker, text or context, response"
        journal.refuse(message, max(1, lines.number))
        return
    separator, places = columns
    reader = csv.reader(lines, delimiter=separator, strict=True)
    rows = _Rows(journal, places)
    start = lines.number + 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            journal.refuse(f"is not a row of a table: {error}", start)
            row = []
        if any(cell.strip() for cell in row):
            yield from rows.add(row, start)
        start = lines.number + 1
    yield from rows.end()


class _Lines(Iterator[str]):
    """The lines of a file, with their ends, as the csv module wants them."""

    def __init__(self, path: Path, journal: Journal) -> None:
        self.number = 0
        self._lines = numbered_lines(path, journal)

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        return line + "\n"


class _Rows:
    """Dialogs from rows."""

    def __init__(self, journal: Journal, places: dict[str, int]) -> None:
        self._journal = journal
        self._places = places
        self._width = max(places.values()) + 1
        self._dialog: str | None = None
        self._ended: set[int] = set()
        self._assembly: Assembly | None = None

    def add(self, row: Sequence[str], line: int) -> Iterator[Dialog]:
        if len(row) < self._width:
            self._journal.refuse(f"found {len(row)} cells; expected at least {self._width}", line)
            return
        cells = {kind: row[place] for kind, place in self._places.items()}
        dialog = cells.get("dialog", str(line))
        if dialog != self._dialog:
            yield from self.end()
            self._begin(dialog, line)
        if self._assembly is not None:
            _add(cells, line, self._assembly)

    def end(self) -> Iterator[Dialog]:
        if self._assembly is not None and self._dialog is not None:
            self._ended.add(hash(self._dialog))
            yield from self._assembly.dialog()
        self._assembly = None

    def _begin(self, dialog: str, line: int) -> None:
        self._dialog, self._assembly = dialog, Assembly(self._journal, line)
        if hash(dialog) in self._ended:
            message = f"dialog {shown(dialog)} goes on after another one began; expected its rows together: sort them"
            self._assembly.refuse(message, line)


def _add(cells: dict[str, str], line: int, assembly: Assembly) -> None:
    assembly.told(cells.get("facts", ""), "facts", line)
    if "response" in cells and "context" in cells:
        if cells["context"].strip() != SILENCE:
            assembly.user(cells["context"], "context", line)
        assembly.system(cells["response"], "response", line)
        return
    speaker = speaker_named(cells["speaker"])
    if speaker == USER:
        assembly.user(cells["text"], "text", line)
    elif speaker == SYSTEM:
        assembly.system(cells["text"], "text", line)
    elif speaker == FACT:
        assembly.told(cells["text"], "text", line)
    else:
        assembly.refuse(f"found speaker {shown(cells['speaker'])}; expected user, system or fact", line)


def _write(dialogs: Iterable[Dialog], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("dialog", "speaker", "text"))
        for number, dialog in enumerate(dialogs, start=1):
            for context, turn in turns_with_context(dialog):
                table.writerows((number, FACT, told_text(event)) for event in context)
                if turn is not None:
                    if turn.user != SILENCE:
                        table.writerow((number, USER, turn.user))
                    table.writerow((number, SYSTEM, turn.system))


def _recognises(start: Start) -> bool:
    return known_columns(start.line) is not None


COLUMNS = register(
    Format(
        name="csv",
        title="CSV",
        suffixes=(".csv", ".tsv"),
        read=_read,
        write=_write,
        recognises=_recognises,
        example="dialog,speaker,text",
    )
)
"""Tables with named columns."""
