"""Right turns by kind of turn: of one run, and of the methods of a comparison side by side."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from tasksieve.records.counts import plural
from tasksieve.report import formatting as show
from tasksieve.report.blocks import Block, Cell, Note, Section, TableBlock
from tasksieve.report.reading import Run, kinds_by_turns
from tasksieve.report.wording import Wording

NO_TEST = "The test set has not been read yet (there is no test.json)."
MOST = 15
"""Kinds in a table; of more, the rarest are one row."""
_HEADING = "Accuracy by kind of turn"
_FULL_TINT = 15.0  # points of difference at which a cell's colour is deepest

Entry = dict[str, Any]
"""What ``test.json`` says of a kind: ``turns``, and ``hits`` by rank in per cent."""


def commonest(turns: dict[str, int], most: int = MOST) -> list[str]:
    """The kinds to show, the commonest first; if there are more, one fewer, for the rest takes a row."""
    kinds = sorted(turns, key=lambda kind: (-turns[kind], kind))
    return kinds if len(kinds) <= most else kinds[: most - 1]


def rest_of(by_kind: dict[str, Entry], shown: Collection[str]) -> Entry:
    """All kinds that are not shown, as one."""
    others = [entry for kind, entry in by_kind.items() if kind not in shown]
    turns = sum(entry.get("turns") or 0 for entry in others)
    hits: dict[str, float] = {}
    for entry in others:
        for rank, share in (entry.get("hits") or {}).items():
            hits[rank] = hits.get(rank, 0.0) + (share or 0.0) * (entry.get("turns") or 0) / max(1, turns)
    return {"turns": turns, "hits": hits}


def run_kinds_section(test: Entry | None, words: Wording) -> Section:
    """One run by kind of turn, with the first 5 and 10 candidates."""
    reading = (
        f"The share of test turns whose right {words.noun} is ranked first, or among the first 5 or 10 candidates; "
        "the commonest kinds come first."
    )
    head = ("kind of turn", "turns", "right, %", "in first 5", "in first 10")
    if test is None:
        return Section("accuracy", _HEADING, reading, (Note(NO_TEST),))
    hits = test.get("hits") or {"1": test.get("accuracy")}
    kinds = kinds_by_turns(test)
    shown = commonest({kind: entry.get("turns") or 0 for kind, entry in kinds})
    entries = [("all turns", {"turns": test.get("turns"), "hits": hits}), *((k, e) for k, e in kinds if k in shown)]
    if len(shown) < len(kinds):
        entries.append((_others(len(kinds) - len(shown)), rest_of(dict(kinds), shown)))
    rows = tuple(_kind_row(kind, entry, strong=place == 0) for place, (kind, entry) in enumerate(entries))
    table = TableBlock(head, rows, groups=frozenset({1}))
    return Section("accuracy", _HEADING, reading, (table, *_test_notes(test)))


def _others(count: int) -> str:
    return plural(count, "other kind")


def _test_notes(test: Entry) -> list[Note]:
    notes = []
    if not show.missing(test.get("per_dialog_accuracy")):
        share = show.percent(test["per_dialog_accuracy"])
        notes.append(Note(f"In {share} % of the {show.whole(test.get('dialogs'))} test dialogs every turn is right."))
    if test.get("data"):
        notes.append(Note(f"Test data: {test['data']}, SHA-256 {test.get('sha256') or 'not recorded'}."))
    return notes


def _kind_row(kind: str, entry: Entry, strong: bool) -> tuple[Cell, ...]:
    hits = entry.get("hits") or {}
    numbers = [show.percent(hits.get(rank)) for rank in ("1", "5", "10")]
    return tuple(Cell(text, strong) for text in (kind, show.whole(entry.get("turns")), *numbers))


def kinds_section(runs: Sequence[Run], methods: Sequence[str], words: Wording) -> Section:
    """The methods of a comparison by kind of turn, at the largest size."""
    reading = (
        f"The share of test turns of each kind that got the right {words.noun}, in per cent, mean over seeds; "
        "the commonest kinds come first."
    )
    tested = [run for run in runs if run.test is not None and run.test.get("by_kind")]
    if not tested:
        return Section("accuracy", _HEADING, reading, (Note(NO_TEST),))
    size = max((run.size or 0) for run in tested)
    here = [run for run in tested if (run.size or 0) == size]
    columns = [method for method in dict.fromkeys([*methods, *(r.method for r in here)]) if _of(here, method)]
    if "primary" in columns and len(columns) > 1:
        reading += " Blue is better than primary, orange is worse; the deeper, the further."
    blocks: list[Block] = [TableBlock(("kind of turn", "turns", *columns), _rows(here, columns))]
    if len({run.size for run in runs}) > 1:
        blocks.append(Note(f"With {show.whole(size)} primary dialogs, the most compared."))
    return Section("accuracy", _HEADING, reading, tuple(blocks))


def _of(runs: Sequence[Run], method: str) -> list[dict[str, Entry]]:
    """What the runs of a method say by kind."""
    return [run.test["by_kind"] for run in runs if run.method == method and run.test is not None]


def _rows(runs: Sequence[Run], methods: Sequence[str]) -> tuple[tuple[Cell, ...], ...]:
    turns: dict[str, int] = {}
    for run in runs:
        for kind, entry in (run.test or {})["by_kind"].items():
            turns[kind] = max(turns.get(kind, 0), entry.get("turns") or 0)
    shown = commonest(turns)
    rows = []
    for kind in shown:
        entries = {method: [found.get(kind) or {} for found in _of(runs, method)] for method in methods}
        rows.append((Cell(kind), Cell(show.whole(turns[kind])), *_cells(entries)))
    if len(shown) < len(turns):
        entries = {method: [rest_of(found, shown) for found in _of(runs, method)] for method in methods}
        left = sum(count for kind, count in turns.items() if kind not in shown)
        rows.append((Cell(_others(len(turns) - len(shown))), Cell(show.whole(left)), *_cells(entries)))
    return tuple(rows)


def _cells(entries: dict[str, list[Entry]]) -> list[Cell]:
    """A method's mean each, coloured by what it is away from that of `primary`."""
    means = {
        method: show.mean((entry.get("hits") or {}).get("1") for entry in found) for method, found in entries.items()
    }
    baseline = means.get("primary")
    cells = []
    for value in means.values():
        away = 0.0 if value is None or baseline is None else (value - baseline) / _FULL_TINT
        cells.append(Cell(show.percent(value), tint=max(-1.0, min(1.0, away)) if abs(away) > 0.03 else 0.0))
    return cells
