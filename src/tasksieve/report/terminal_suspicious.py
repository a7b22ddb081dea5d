"""Turns that look wrongly answered, in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from tasksieve.records.counts import plural
from tasksieve.records.suspicious import RELATED
from tasksieve.report import formatting as show

_LONGEST = 200


def suspicious_page(frame: pl.DataFrame) -> Iterator[RenderableType]:
    """The turns one after the other: where each is, what was said, what was expected, and why it is suspected.

    Args:
        frame: as :data:`tasksieve.records.suspicious.SCHEMA`, in the order to show.
    """
    if frame.is_empty():
        yield Text("No turn could be judged.")
    for number, row in enumerate(frame.iter_rows(named=True), 1):
        yield Text(f"{number}. {place_of(row)}", style="bold")
        told = [("before", row["before"]), ("user", row["user"]), ("response", row["response"])]
        lines = [Text.assemble((f"{name:<9}", "dim"), _cut(text)) for name, text in told if text]
        yield Padding(Text("\n").join(lines), (0, 0, 0, 3))
        yield Padding(Text(f"{row['reason']}."), (0, 0, 1, 3))


def place_of(row: dict[str, Any]) -> str:
    """Where a turn is: part and service, file and line, dialog and turn, from 1; and how far it stands out."""
    whose = f"{row['part']} {row['service']}" if row["part"] == RELATED else row["part"]
    line = f", line {row['line']}" if row["line"] else ""
    where = f"{Path(row['file']).name}{line}: dialog {row['dialog'] + 1}, turn {row['turn'] + 1}"
    return f"{show.one_line(whose)}, {show.one_line(where)} (score {row['score']:.1f})"


def left_out(not_borrowed: int, too_few: int, related: int) -> list[str]:
    """Sentences on the turns that were not judged, if there are any.

    Args:
        not_borrowed: related turns of kinds that the run hardly borrowed.
        too_few: turns of tasks with too few dialogs.
        related: all related turns.
    """
    found = []
    if not_borrowed:
        turns = f"{show.whole(not_borrowed)} of {plural(related, 'related turn')}"
        found.append(
            f"Not looked at: {turns}, of kinds with less than a quarter of the mean weight in this run; --every "
            "looks at them too, as does a run of multitask, which borrows all alike."
        )
    if too_few:
        turns = plural(too_few, "turn")
        found.append(f"Left out: {turns} of tasks with too few to contradict each other.")
    return found


def _cut(text: str) -> str:
    line = show.one_line(text)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
