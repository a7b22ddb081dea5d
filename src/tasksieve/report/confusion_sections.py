"""The section on what was taken for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from tasksieve.errors import UserError
from tasksieve.records.counts import plural
from tasksieve.report import formatting as show
from tasksieve.report.blocks import Block, Cell, Note, Section, TableBlock
from tasksieve.report.confusions import Confusion, Mistaken, confusions, mistaken, predictions_of
from tasksieve.report.kind_sections import commonest
from tasksieve.report.reading import Run
from tasksieve.report.wording import Wording

_SILENCE = ("", "<SILENCE>")
_LONGEST = 160
_FULL_TINT = 5.0  # turns by which a method is away from the first one where the colour is deepest


def confusion_sections(runs: Sequence[Run], methods: Sequence[str], words: Wording) -> list[Section]:
    """Methods side by side at the largest size that has predictions; none if no run has any.

    Args:
        runs: of a comparison, or one run.
        methods: to show: `primary` and another, or one.
        words: for the measure.
    """
    heading = "What was taken for what"
    try:
        found = _at_the_largest(runs, methods)
    except UserError as error:
        return [Section("confusions", heading, "", (Note(f"It cannot be shown: {error}."),))]
    if not found:
        return []
    most = confusions(found)
    if not most:
        return [Section("confusions", heading, "", (Note("No test turn was wrong."),))]
    reading = (
        f"The most frequent confusions: the right {words.noun}, what was predicted instead, in how many test turns "
        "of a run (mean over seeds), and what the user had said at one of them."
    )
    if len(found) > 1:
        reading += f" Blue is fewer than {next(iter(found))}, orange is more."
    blocks: tuple[Block, ...] = (_table(found, most, words), *_rare(most), _kinds(found))
    return [Section("confusions", heading, reading, blocks)]


def _at_the_largest(runs: Sequence[Run], methods: Sequence[str]) -> dict[str, pl.DataFrame]:
    largest = max((run.size or 0 for run in runs), default=0)
    frames = {
        method: predictions_of([run for run in runs if run.method == method and (run.size or 0) == largest])
        for method in methods
    }
    return {method: frame for method, frame in frames.items() if frame is not None and not frame.is_empty()}


def _table(found: Mapping[str, pl.DataFrame], most: Sequence[Confusion], words: Wording) -> TableBlock:
    counts = [f"{method}, turns" for method in found]
    head = (f"right {words.noun}", "predicted instead", *counts, "the user had said")
    rows = tuple(
        (
            Cell(show.one_line(one.right, _LONGEST)),
            Cell(show.one_line(one.predicted, _LONGEST) or "nothing"),
            *_turns(one.turns),
            Cell(_said(one.user)),
        )
        for one in most
    )
    return TableBlock(head, rows, words=2, texts=frozenset({0, 1, 2 + len(counts)}), heading="Most frequent")


def _turns(turns: Sequence[float]) -> list[Cell]:
    cells = [Cell(_count(turns[0]))]
    for count in turns[1:]:
        away = max(-1.0, min(1.0, (turns[0] - count) / _FULL_TINT))
        cells.append(Cell(_count(count), tint=away))
    return cells


def _said(user: str) -> str:
    return "(nothing)" if user in _SILENCE else show.one_line(user, _LONGEST)


def _rare(most: Sequence[Confusion]) -> list[Note]:
    if max(max(one.turns) for one in most) > 1:
        return []
    return [Note("None of them occurs more than once in a run; these are some of them.")]


def _kinds(found: Mapping[str, pl.DataFrame]) -> TableBlock:
    last = list(found)[-1]
    sizes = dict(found[last].group_by("kind").len().drop_nulls().iter_rows())
    shown = commonest(sizes)
    rows = [_kind(one) for one in mistaken(found, shown)]
    if len(shown) < len(sizes):
        name = plural(len(sizes) - len(shown), "other kind")
        rest = {
            method: frame.with_columns(kind=pl.when(pl.col("kind").is_in(shown)).then(None).otherwise(pl.lit(name)))
            for method, frame in found.items()
        }
        rows += [_kind(one) for one in mistaken(rest, [name])]
    head = ("kind of turn", "turns", *(f"{method} predicts instead" for method in found))
    texts = frozenset(range(2, len(head)))
    return TableBlock(head, tuple(rows), texts=texts, heading="What is most often predicted instead, by kind of turn")


def _kind(one: Mistaken) -> tuple[Cell, ...]:
    return (Cell(show.one_line(one.kind, 60)), Cell(show.whole(one.turns)), *map(_instead, one.instead))


def _instead(most: tuple[str, float] | None) -> Cell:
    if most is None:
        return Cell("nothing: all are right")
    text, turns = most
    return Cell(f"{show.one_line(text, _LONGEST) or 'nothing'} ({_count(turns)})")


def _count(turns: float) -> str:
    return show.number(turns, 0 if float(turns).is_integer() else 1)
