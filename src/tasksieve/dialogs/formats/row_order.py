"""The order of a table's rows: dialogs whose rows stand apart, and rows that do not follow their turns."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone

from tasksieve.dialogs.formats.column_names import Columns
from tasksieve.dialogs.formats.journal import Journal

Row = tuple[int, Sequence[str]]
"""A row with the number of its line."""

MAX_SIZE = 64 << 20
"""Characters that a table may have whose rows are put together: they are all held in memory."""
PUT_TOGETHER = "row apart from the others of its dialog, put together with them"
PUT_IN_ORDER = "dialog whose rows were not in the order of its turns, put in order"


def ordered(rows: list[Row], columns: Columns, journal: Journal) -> list[Row]:
    """The rows of one dialog by the column that tells their order, if each of them has a number or time in it."""
    places = _places(rows, columns)
    if places is None or places == sorted(places):
        return rows
    journal.lose(PUT_IN_ORDER)
    return [row for _, row in sorted(zip(places, rows, strict=True), key=lambda pair: pair[0])]


def stand_apart(rows: Iterable[Row], columns: Columns) -> bool:
    """Whether a dialog goes on after another one began, in a table that is small enough to put its rows together.

    Args:
        rows: all of the table.
        columns: of it.
    """
    place, order = columns.places.get("dialog"), columns.order
    if place is None or order is None:
        return False
    before: str | None = None
    ended: set[int] = set()
    apart, size = False, 0
    for _, row in rows:
        size += sum(map(len, row))
        dialog = row[place] if place < len(row) else before
        if dialog != before:
            apart = apart or hash(dialog) in ended
            ended.add(hash(before))
            before = dialog
    return apart and size <= MAX_SIZE


def put_together(rows: Iterable[Row], columns: Columns, journal: Journal) -> Iterator[Row]:
    """The rows with those of a dialog one after the other, where a column tells their order.

    A dialog without such an order stays as it is, and so does one that has the same speaker twice at one place: that
    is two dialogs of one name, as in tables that were put behind each other.

    Args:
        rows: all of the table.
        columns: of it.
        journal: told how many rows were moved.
    """
    place = columns.places["dialog"]
    groups: list[list[Row]] = []
    known: dict[str | None, list[int]] = {}
    before: str | None = None
    for row in rows:
        dialog = row[1][place] if place < len(row[1]) else before
        if dialog != before or not groups:
            known.setdefault(dialog, []).append(len(groups))
            groups.append([])
            before = dialog
        groups[-1].append(row)
    for first, *others in known.values():
        joined = [row for number in (first, *others) for row in groups[number]]
        if others and _is_one(joined, columns):
            groups[first] = joined
            for number in others:
                journal.lose(PUT_TOGETHER, len(groups[number]))
                groups[number] = []
    for group in groups:
        yield from group


def _is_one(rows: list[Row], columns: Columns) -> bool:
    places = _places(rows, columns)
    if places is None:
        return False
    speaker = columns.places.get("speaker", columns.width)
    said = [(at, row[speaker] if speaker < len(row) else "") for at, (_, row) in zip(places, rows, strict=True)]
    return len(set(said)) == len(said)


def _places(rows: list[Row], columns: Columns) -> list[float] | None:
    """Where each row belongs; None if they do not all say so."""
    if columns.order is None:
        return None
    places = [_place(row[columns.order]) if columns.order < len(row) else None for _, row in rows]
    found = [place for place in places if place is not None]
    return found if len(found) == len(places) else None


def _place(cell: str) -> float | None:
    """A number, or a time of ISO 8601 as one."""
    try:
        number = float(cell)
    except ValueError:
        return _seconds(cell.strip())
    return number if math.isfinite(number) else None


def _seconds(cell: str) -> float | None:
    try:
        time = datetime.fromisoformat(re.sub("[Zz]$", "+00:00", cell))
        return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None
