"""The section with all measures: of the methods of a comparison, or of one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasksieve.records.comparison import Comparison, ComparisonRow
from tasksieve.records.measures import key_of
from tasksieve.report import formatting as show
from tasksieve.report.blocks import Block, Cell, Note, Section, TableBlock
from tasksieve.report.reading import Run

_HEADINGS = {
    "accuracy": "accuracy",
    "per_dialog_accuracy": "whole dialogs right",
    "hits@5": "in first 5",
    "hits@10": "in first 10",
}
_ORDER = ("accuracy", "micro-F1", "macro-F1", "R_20@1", "R_100@1", "R_20@3", "R_100@3", "MRR_20", "MRR_100")
_LAST = ("hits@5", "hits@10", "per_dialog_accuracy")
_MEANINGS = {
    "accuracy": "accuracy is the share of test turns with everything right",
    "micro-F1": "micro-F1 counts single acts over all turns",
    "macro-F1": "macro-F1 is the mean of each act's F1, so that rare acts count as much as frequent ones",
    "R_100@1": "R_N@k is the share of turns whose right response is among the first k of N",
    "MRR_100": "MRR_N is the mean of 1 divided by the right response's rank among N",
    "per_dialog_accuracy": "whole dialogs are right if all of their turns are",
}


def measures_sections(comparison: Comparison, runs: Sequence[Run]) -> list[Section]:
    """Every measure of every method, mean over seeds; none where records have no more than one.

    Args:
        comparison: with its rows.
        runs: of it, for how many responses there were to rank.
    """
    found = [(row, _means(row)) for row in comparison.rows]
    names = _ordered({name for _, means in found for name in means}, key_of(comparison.measure))
    if len(names) < 2:
        return []
    several = len({row.size for row in comparison.rows}) > 1
    best = {
        (row.size, name): max(means.get(name, 0.0) for r, means in found if r.size == row.size)
        for row in comparison.rows
        for name in names
    }
    rows = tuple(
        (
            Cell(row.method),
            *((Cell(show.whole(row.size)),) if several else ()),
            *(_cell(means.get(name), best[row.size, name]) for name in names),
        )
        for row, means in found
    )
    groups = frozenset(n for n, (row, _) in enumerate(found) if n and row.size != found[n - 1][0].size)
    head = ("method", *(("dialogs",) if several else ()), *map(_heading, names))
    table = TableBlock(head, rows, groups=groups)
    reading = f"On the test dialogs, in per cent, mean over seeds; the best of each size is bold. {_meanings(names)}"
    tests = [run.test for run in runs if run.test is not None]
    return [Section("measures", "All measures", reading, (table, *_few_ranked(tests)))]


def run_measures_sections(test: dict[str, Any] | None, measure: str) -> list[Section]:
    """Every measure of one run; none where its record has no more than one.

    Args:
        test: its ``test.json``.
        measure: that speaks for the run.
    """
    means: dict[str, float] = (test or {}).get("measures") or {}
    names = _ordered(set(means), key_of(measure))
    if test is None or len(names) < 2:
        return []
    rows = tuple((Cell(_heading(name), place == 0), _cell(means[name], 0.0)) for place, name in enumerate(names))
    reading = f"On the test dialogs, in per cent. {_meanings(names)}"
    blocks: tuple[Block, ...] = (TableBlock(("measure", "%"), rows), *_few_ranked([test]))
    return [Section("measures", "All measures", reading, blocks)]


def _means(row: ComparisonRow) -> dict[str, float]:
    names = {name for seed in row.seeds for name in seed.measures}
    means = {name: show.mean(seed.measures.get(name) for seed in row.seeds) for name in names}
    return {name: mean for name, mean in means.items() if mean is not None}


def _ordered(names: set[str], first: str) -> list[str]:
    """The comparison's measure, those of its kind, others, then what says least."""
    others = sorted(names - {first, *_ORDER, *_LAST})
    return [name for name in dict.fromkeys((first, *_ORDER, *others, *_LAST)) if name in names]


def _heading(name: str) -> str:
    return _HEADINGS.get(name, name)


def _cell(value: float | None, best: float) -> Cell:
    return Cell(show.percent(value), strong=value is not None and value == best)


def _meanings(names: Sequence[str]) -> str:
    told = [_MEANINGS[name] for name in names if name in _MEANINGS]
    text = "; ".join(told)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _few_ranked(tests: Sequence[Mapping[str, Any]]) -> list[Note]:
    """Said where a turn had fewer responses to rank than the measure's name says."""
    sizes = {label: found for test in tests for label, found in (test.get("selection") or {}).items()}
    short = [
        f"of {label} only {found['fewest_ranked']}"
        for label, found in sizes.items()
        if label.isdecimal() and isinstance(found.get("fewest_ranked"), int) and found["fewest_ranked"] < int(label)
    ]
    if not short:
        return []
    return [Note(f"Some turns had fewer different responses to rank: {', '.join(short)}.")]
