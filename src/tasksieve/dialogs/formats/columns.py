"""Tables (CSV) with named columns, in one of two shapes.

An utterance a row, the rows of a dialog one after the other::

    dialog,speaker,text
    1,fact,resto_rome_1 R_rating 8
    1,user,hello
    1,system,hello what can i help you with

Or an example a row, where a row without a column of dialogs is a dialog of its own::

    context,response
    hello,hello what can i help you with

A table with a column ``messages`` or ``conversations`` has a dialog a row, its messages as JSON. All other columns
may have any of the names in :mod:`tasksieve.dialogs.formats.column_names`, in any order; commas, semicolons
or tabs separate them; quotes are those of RFC 4180. Where a column has numbers of turns or times, the rows of a
dialog are put in that order, and those that stand apart together. A speaker is known by the names in
:mod:`tasksieve.dialogs.formats.speakers`; where another responds, what a speaker ``system`` says is a prompt, a note.
Columns ``tool_calls``, ``function_call``, ``tool_call_id`` and ``name`` are read as in chat messages. What is not the
user's or the system's is a record (a triple, or JSON after a name) or a note. A column ``action`` has what the system
does, as ``request(city) goodbye``, or as a list in JSON if a name has a space or bracket in it; a column ``weight``
how much a response counts where it is learned from.
"""

from __future__ import annotations

import contextlib
import csv
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.dialog import SILENCE, Dialog
from tasksieve.dialogs.formats.annotations import UNREAD_ACT, acts_in, acts_line, weight_line
from tasksieve.dialogs.formats.assembly import Assembly, before_and_after, told_text, turns_with_context
from tasksieve.dialogs.formats.chat_messages import Messages
from tasksieve.dialogs.formats.column_names import Columns, known_columns, lacking, names_in
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.internal_notes import INTERNAL_NOTE, is_internal_row
from tasksieve.dialogs.formats.journal import Journal, JournalFull, shown
from tasksieve.dialogs.formats.lines import MAX_LINE, numbered_lines
from tasksieve.dialogs.formats.message_cells import (
    has_marks,
    read_messages,
    separator_of_messages,
    separator_of_texts,
)
from tasksieve.dialogs.formats.row_messages import NOTHING_THERE, RowMessages
from tasksieve.dialogs.formats.row_order import Row, ordered, put_together, stand_apart
from tasksieve.dialogs.formats.speakers import FACT, SYSTEM, USER, are_of_chats, has_prompts, speaker_named
from tasksieve.errors import UserError

_SEPARATOR_TOLD = re.compile(r"sep=.?", re.IGNORECASE)
csv.field_size_limit(MAX_LINE)
_LOOKED_AT = 100
"""Rows, for who speaks in a table."""


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    lines = _Lines(path, journal)
    header = _header(lines)
    columns, at = known_columns(header), max(1, lines.number)
    if not header.strip():
        return
    if columns is None and (separator := separator_of_messages(header)) is not None:
        yield from read_messages(names_in(header, separator), _rows(lines, separator, journal), journal)
        return
    if columns is None and (separator := separator_of_texts(header)) is not None:
        names, texts = names_in(header, separator), _rows(lines, separator, journal)
        first = next(texts, None)
        if first is not None and has_marks(names, first[1]):
            yield from read_messages(names, itertools.chain([first], texts), journal)
            return
    if columns is None:
        missing = lacking(header)
        found = shown(header.strip()) + (f", but none of {missing}" if missing else "")
        journal.refuse(f"found columns {found}; expected dialog, speaker, text or context, response", at)
        return
    rows = _rows(lines, columns.separator, journal)
    yield from read_rows(columns, rows, _again(path, columns), journal)


def _header(lines: Iterable[str]) -> str:
    """The first line that is not blank, nor Excel's word on what stands between columns; empty if there is none."""
    return next((line for line in lines if line.strip() and not _SEPARATOR_TOLD.fullmatch(line.strip())), "")


def _rows(lines: _Lines, separator: str, journal: Journal) -> Iterator[Row]:
    """Rows that are not empty, each with the number of its first line."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    start = lines.number + 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            journal.refuse(f"is not a row of a table: {error}; expected cells with their quotes closed", start)
            row = []
        if any(cell.strip() for cell in row):
            yield start, row
        start = lines.number + 1


def _again(path: Path, columns: Columns) -> Iterator[Row]:
    """The rows of a file, read by themselves before its dialogs are; its problems are left to these."""
    journal = Journal(path, collect=True)
    lines = _Lines(path, journal)
    _header(lines)
    with contextlib.suppress(JournalFull, UserError):
        yield from _rows(lines, columns.separator, journal)


def read_rows(columns: Columns, rows: Iterable[Row], again: Iterable[Row], journal: Journal) -> Iterator[Dialog]:
    """Yield the dialogs of a table.

    Args:
        columns: of the table.
        rows: each with its number.
        again: the same, read by themselves before, to see whether rows of different dialogs alternate; not read if
            no column tells the order of rows.
        journal: told of problems and of columns that are not read.
    """
    if stand_apart(again, columns):
        rows = put_together(rows, columns, journal)
    rows = iter(rows)
    first = list(itertools.islice(rows, _LOOKED_AT))
    table = _Rows(journal, columns, are_of_chats(_speakers(first, columns)))
    for number, row in itertools.chain(first, rows):
        if any(cell.strip() for cell in row):
            yield from table.add(row, number)
    yield from table.end()


def _speakers(rows: Iterable[Row], columns: Columns) -> Iterator[str]:
    place = columns.places.get("speaker")
    return (row[place] for _, row in rows if place is not None and place < len(row))


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

    def __init__(self, journal: Journal, columns: Columns, of_chats: bool) -> None:
        self._journal = journal
        self._columns = columns
        self._of_chats = of_chats
        self._dialog: str | None = None
        self._ended: set[int] = set()
        self._held: list[Row] = []

    def add(self, row: Sequence[str], line: int) -> Iterator[Dialog]:
        """Take the next row; yield the dialog before it, if it begins another."""
        columns = self._columns
        if len(row) < columns.width:
            self._journal.refuse(f"found {len(row)} cells; expected at least {columns.width}", line)
            return
        dialog = row[columns.places["dialog"]] if "dialog" in columns.places else str(line)
        if dialog != self._dialog:
            yield from self.end()
            self._dialog = dialog
        self._held.append((line, row))

    def end(self) -> Iterator[Dialog]:
        """Yield the dialog of the rows so far."""
        if self._held and self._dialog is not None:
            yield from self._assembled(self._dialog)
            self._ended.add(hash(self._dialog))
        self._held = []

    def _assembled(self, dialog: str) -> Iterator[Dialog]:
        columns, (first, begun) = self._columns, self._held[0]
        if "split" in columns.places and not self._journal.takes(begun[columns.places["split"]]):
            return
        assembly = Assembly(self._journal, first)
        if hash(dialog) in self._ended:
            found = f"dialog {shown(dialog)} goes on after another one began"
            assembly.refuse(f"{found}; expected its rows together, or a column of turn numbers or times", first)
        rows = ordered(self._held, columns, self._journal)
        prompts = has_prompts(_speakers(rows, columns), of_chats=self._of_chats)
        reading = RowMessages(Messages(assembly, self._journal), columns, prompts, self._journal)
        for line, row in rows:
            if is_internal_row(row, columns):
                self._journal.lose(INTERNAL_NOTE)
                continue
            self._lose(row)
            for place in columns.told:
                assembly.told(row[place], "facts", line)
            reading.add(row, line, self._acts(row, prompts))
        yield from assembly.dialog()

    def _lose(self, row: Sequence[str]) -> None:
        columns = self._columns
        last = len(columns.names) - 1
        words = {place for kind, place in columns.places.items() if kind != "text"}
        for place, cell in enumerate(row):
            if cell in NOTHING_THERE and place in words:
                self._journal.lose(f"cell '{cell}', which was taken for words")
            if cell.strip() and place > last:
                self._journal.lose("cell beyond the columns")
            elif cell.strip() and place in columns.unread:
                self._journal.lose(f"column '{columns.unread[place]}'")

    def _acts(self, row: Sequence[str], prompts: bool) -> tuple[Act, ...]:
        """The acts in a row of the system's; what is no act, or stands in a row of another, is lost."""
        place = self._columns.acts
        speaker = self._columns.places.get("speaker")
        if place is None or place >= len(row) or not row[place].strip():
            return ()
        if speaker is not None and speaker_named(row[speaker], prompts=prompts) != SYSTEM:
            self._journal.lose("acts of another than the system")
            return ()
        acts = acts_in(row[place])
        self._journal.lose(UNREAD_ACT, int(acts is None))
        return acts or ()


def _write(dialogs: Iterable[Dialog], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("dialog", "speaker", "text", "action", "weight"))
        for number, dialog in enumerate(dialogs, start=1):
            for context, turn in turns_with_context(dialog):
                before, after = before_and_after(context, turn)
                table.writerows((number, FACT, told_text(event), "", "") for event in before)
                if turn is not None:
                    if turn.user != SILENCE:
                        table.writerow((number, USER, turn.user, "", ""))
                    table.writerows((number, FACT, told_text(event), "", "") for event in after)
                    table.writerow((number, SYSTEM, turn.system, acts_line(turn.acts), weight_line(turn)))


def _recognises(start: Start) -> bool:
    header = _header(start.text.splitlines()) if _SEPARATOR_TOLD.fullmatch(start.line.strip()) else start.line
    return known_columns(header) is not None or separator_of_messages(header) is not None


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
