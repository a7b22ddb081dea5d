"""The section on turns that look wrongly answered, where `weights --suspicious` has looked for them."""

from __future__ import annotations

from tasksieve.errors import UserError
from tasksieve.records.suspicious import NAME, SCHEMA
from tasksieve.records.tables import read_table
from tasksieve.report.blocks import Cell, Note, Section, TableBlock
from tasksieve.report.reading import Run
from tasksieve.report.terminal_suspicious import place_of

SHOWN = 10
_ANCHOR, _HEADING = "suspicious", "Turns that look wrongly answered"


def suspicious_sections(run: Run | None) -> list[Section]:
    """One section with the most suspicious turns; none if nobody looked for them."""
    if run is None or not (run.folder.path / NAME).exists():
        return []
    try:
        frame = read_table(run.folder.path / NAME, SCHEMA).head(SHOWN)
    except UserError as error:
        return [Section(_ANCHOR, _HEADING, "", (Note(f"They cannot be shown: {error.message}."),))]
    rows = tuple(
        tuple(Cell(text) for text in (place_of(row), row["user"], row["response"], row["reason"]))
        for row in frame.iter_rows(named=True)
    )
    reading = (
        "The turns whose response fits what other dialogs of their service, and the trained model, expect least. "
        "The score counts standard deviations. Look whether they are right; most of the first usually are not."
    )
    head = ("where", "user", "response", "why")
    return [Section(_ANCHOR, _HEADING, reading, (TableBlock(head, rows, words=4, texts=frozenset({0, 1, 2, 3})),))]
