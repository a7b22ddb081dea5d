"""An audit in the terminal: the verdict, a sentence on each matter, then the numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tasksieve.report import formatting as show

_MARKS = {"stop": ("✗", "bold red"), "mend": ("✗", "bold red"), "look": ("!", "yellow"), "good": ("✓", "green")}
_LEVELS = {"whole": "whole context", "exchange": "last exchange", "utterance": "utterance"}
_OWN = ("primary", "valid")
_MANY = 4
"""More related tasks than these have a line each instead of tables."""


def audit_page(record: dict[str, Any]) -> Iterator[RenderableType]:
    """The parts of the page, in order.

    Args:
        record: of :meth:`tasksieve.audit.Audit.record`.
    """
    yield Text(record["verdict"], style="bold")
    yield Text()
    yield _findings(record["findings"])
    yield Text()
    yield Text("Fields that name what a record is about, by task", style="bold")
    yield _names(record["names"])
    for file, sentence in record.get("as_one", {}).items():
        yield Text(f"  {show.one_line(file)}: {show.one_line(sentence, 200)}")
    for title, table in _tables(record):
        if table.row_count:
            yield Text()
            yield Text(title, style="bold")
            yield table


def _tables(record: dict[str, Any]) -> Iterator[tuple[str, Table]]:
    what = record["predicting"]["what"]
    yield "Dialogs", _sizes(record)
    yield "Not read", _not_read(record)
    yield "The highest accuracy possible, by what is predicted", _ceilings(record)
    yield f"Are the {what} candidates?", _coverage(record)
    yield f"{what.capitalize()} of {record['coverage'][-1]['split']} that are no candidate", _missing(record)
    yield "In two splits", _overlaps(record)
    if len(record["conflicts"]) > _MANY:
        yield "What the primary task has in common with each related one", _related(record)
        return
    for conflicts in record["conflicts"]:
        name = conflicts["related"]
        if conflicts["strangers"]:
            continue
        yield f"Primary turns whose context is in {name} too", _shared(conflicts)
        yield f"The same for the last exchange, by kind of the primary turn, {name}", _kinds(conflicts)
        yield f"The most frequent conflicts of exchanges with {name}", _clashes(conflicts)


def _findings(found: list[dict[str, str]]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=1)
    table.add_column()
    for finding in found:
        mark, style = _MARKS[finding["level"]]
        table.add_row(Text(mark, style=style), Text(show.one_line(finding["sentence"])))
    return table


def _names(found: dict[str, str]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(max_width=24, overflow="fold")
    table.add_column()
    for task, sentence in found.items():
        table.add_row(Text(show.one_line(task)), Text(show.one_line(sentence).removeprefix("names: ")))
    return table


def _sizes(record: dict[str, Any]) -> Table:
    table = _table("split", "dialogs", "turns", "facts", "seen", "responses", "actions")
    for size in record["sizes"]:
        counts = size["dialogs"], size["turns"], size["facts"]["given"], size["facts"]["seen"], size["responses"]
        table.add_row(show.one_line(size["split"], 30), *map(show.whole, (*counts, size["actions"])))
    return table


def _not_read(record: dict[str, Any]) -> Table:
    """What is not read, by its name, over all files."""
    table = _table("what", "times", "files")
    counts, files = Counter[str](), Counter[str]()
    for lost in record["not_read"].values():
        counts.update(lost)
        files.update(lost.keys())
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(show.one_line(name, 55), show.whole(count), show.whole(files[name]))
    return table


def _ceilings(record: dict[str, Any]) -> Table:
    table = _table("split", "responses %", "actions %")
    for row in record["predicting"]["ceilings"]:
        if row["actions"] is not None:
            table.add_row(row["split"], show.percent(row["responses"]), show.percent(row["actions"]))
    return table


def _coverage(record: dict[str, Any]) -> Table:
    headings = (f"{record['predicting']['what']} of", "candidates from", "candidates", "ceiling %", "joint %")
    table = _table(*headings)
    for row in record["coverage"]:
        ceilings = show.percent(row["ceiling"]), show.percent(row["joint_ceiling"])
        table.add_row(row["split"], row["by"], show.whole(row["candidates"]), *ceilings)
    return table


def _missing(record: dict[str, Any]) -> Table:
    last = record["coverage"][-1]
    table = _table("kind", "turns", "% of all turns")
    for kind, turns in last["missing"].items():
        table.add_row(show.one_line(kind, 50), show.whole(turns), show.percent(100 * turns / last["turns"]))
    return table


def _overlaps(record: dict[str, Any]) -> Table:
    table = _table("held out", "also in", "same dialogs", "near", "same turns %")
    many = len(record["conflicts"]) > _MANY
    for row in record["overlaps"]:
        if many and not row["near"] and row["learned"] not in _OWN:
            continue
        counts = show.whole(row["same"]), show.whole(row["near"]), show.percent(row["examples"])
        table.add_row(row["held_out"], show.one_line(row["learned"], 30), *counts)
    return table


def _shared(conflicts: dict[str, Any]) -> Table:
    table = _table("by", "% of turns", "of these with another response %", "of another kind %")
    for level, name in _LEVELS.items():
        shares = (conflicts[level][share] for share in ("turns", "conflicting", "other_kind"))
        table.add_row(name, *map(show.percent, shares))
    return table


def _related(record: dict[str, Any]) -> Table:
    table = _table("related", "words %", "answers %", "same utterance %", "other answer %")
    for conflicts, words in zip(record["conflicts"], record["words"], strict=True):
        utterance = conflicts["utterance"]
        shares = words["running"], words["responses"], utterance["turns"], utterance["conflicting"]
        table.add_row(show.one_line(words["related"], 24), *map(show.percent, shares))
    return table


def _kinds(conflicts: dict[str, Any]) -> Table:
    table = _table("kind", "turns", "of these with another response %")
    for kind, (turns, clashing) in sorted(conflicts["kinds"].items(), key=lambda item: -item[1][0]):
        table.add_row(show.one_line(kind, 40), show.whole(turns), show.percent(100 * clashing / turns))
    return table


def _clashes(conflicts: dict[str, Any]) -> Table:
    table = _table("utterance", "primary", "related", "turns")
    for column in table.columns[:3]:
        column.justify, column.ratio = "left", 1
    table.expand = True
    for clash in conflicts["clashes"]:
        texts = [Text(show.one_line(clash[name], 60)) for name in ("user", "primary", "related")]
        table.add_row(*texts, show.whole(clash["turns"]))
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        header_style="bold",
        padding=(0, 1, 0, 0),
    )
    table.add_column(first)
    for heading in others:
        table.add_column(heading, justify="right")
    return table
