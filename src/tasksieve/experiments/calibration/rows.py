"""What verdicts said of planted archives, what is true of these, and how often the one is the other."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasksieve.records.comparison import ComparisonRow, MeasuredSeed, comparison_row, paired_interval
from tasksieve.records.measures import ACTIONS
from tasksieve.records.verdict import verdict

PRIMARY = "primary"
BORROW, DO_NOT, UNDECIDED = "borrow", "do not borrow", "undecided"
"""What a verdict starts with; "equal" is another one, which tells to do nothing."""
PAYS, HARMS, LITTLE, UNCLEAR = "pays", "harms", "makes little difference", "unclear"
"""What is true of an archive."""
LITTLE_POINTS = 0.5
_RIGHT = {PAYS: BORROW, HARMS: DO_NOT}


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one draw with one archive: by method, a seed each, measured on all test dialogs."""

    archive: str
    draw: int
    seeds: Mapping[str, Sequence[MeasuredSeed]]


def cut(seed: MeasuredSeed, start: int, end: int) -> MeasuredSeed:
    """A run as it would have been measured on some of its test dialogs alone."""
    dialogs = {name: counts[start:end] for name, counts in seed.by_dialog.items()}
    accuracy = 100.0 * sum(dialogs["accuracy"]) / sum(dialogs["turns"])
    return seed.model_copy(update={"by_dialog": dialogs, "test_accuracy": accuracy, "measures": {}})


def verdict_row(runs: Runs, size: int, judging: int, first: int) -> dict[str, Any]:
    """What the verdict says, from the first test dialogs, and each method's difference on all the others.

    Args:
        runs: of a draw and an archive.
        size: number of primary training dialogs.
        judging: test dialogs that the verdict is from.
        first: how many seeds every draw has, whatever the verdict.
    Returns: ``archive``, ``draw``, ``seeds`` (how many), ``first`` (the verdict from the first ones alone),
        ``verdict``, ``sentence``, ``method`` (that validation chose), ``difference`` and ``interval`` of it as the
        verdict has them, and ``differences`` by method on the other dialogs.
    """
    shown = {name: [cut(seed, 0, judging) for seed in seeds] for name, seeds in runs.seeds.items()}
    rows = _compared(shown, size)
    sentence = verdict(rows, ACTIONS)
    early = {name: [seed for seed in seeds if seed.seed < first] for name, seeds in shown.items()}
    chosen = max((row for row in rows if row.method != PRIMARY), key=_valid, default=None)
    total = len(next(iter(runs.seeds.values()))[0].by_dialog["turns"])
    others = {name: [cut(seed, judging, total) for seed in seeds] for name, seeds in runs.seeds.items()}
    return {
        "archive": runs.archive,
        "draw": runs.draw,
        "seeds": max(map(len, shown.values())),
        "first": _said(verdict(_compared(early, size), ACTIONS)),
        "verdict": _said(sentence),
        "sentence": sentence,
        "method": None if chosen is None else chosen.method,
        "difference": None if chosen is None else _rounded(chosen.minus_primary),
        "interval": None if chosen is None or chosen.interval is None else [_rounded(end) for end in chosen.interval],
        "differences": {
            name: _rounded(comparison_row(name, size, seeds, others[PRIMARY], ACTIONS).minus_primary)
            for name, seeds in others.items()
            if name != PRIMARY
        },
    }


def _compared(seeds: Mapping[str, Sequence[MeasuredSeed]], size: int) -> list[ComparisonRow]:
    return [comparison_row(name, size, its, seeds.get(PRIMARY, []), ACTIONS) for name, its in seeds.items()]


def _said(sentence: str) -> str:
    return sentence.partition(":")[0].lower()


def with_truth(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the ``truth`` of their archive, and whether the verdict is ``right``: None where neither is wrong."""
    truths = {name: truth_of([row for row in rows if row["archive"] == name]) for name in _archives(rows)}
    return [
        {**row, "truth": truths[row["archive"]]["truth"], "right": _right(row, truths[row["archive"]]["truth"])}
        for row in rows
    ]


def truth_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What is true of an archive: the best method's mean difference to `primary` over all draws.

    The archive pays, or harms, if that is more than :data:`LITTLE_POINTS` from 0 and its 95 % interval over draws is
    on the same side of 0; it makes little difference if it is nearer. Else there are too few draws to know.

    Args:
        rows: of one archive.
    Returns: ``truth``, ``best`` (the method), ``difference``, ``interval``.
    """
    names = [name for name in rows[0]["differences"] if all(row["differences"].get(name) is not None for row in rows)]
    by_method = {name: [row["differences"][name] for row in rows] for name in names}
    if not by_method:
        return {"truth": UNCLEAR, "best": None, "difference": None, "interval": None}
    best = max(by_method, key=lambda name: statistics.fmean(by_method[name]))
    mean, interval = statistics.fmean(by_method[best]), paired_interval(by_method[best])
    return {
        "truth": _truth(mean, interval),
        "best": best,
        "difference": _rounded(mean),
        "interval": None if interval is None else [_rounded(end) for end in interval],
    }


def _truth(mean: float, interval: tuple[float, float] | None) -> str:
    if abs(mean) <= LITTLE_POINTS:
        return LITTLE
    if interval is not None and interval[0] > 0:
        return PAYS
    return HARMS if interval is not None and interval[1] < 0 else UNCLEAR


def _right(row: Mapping[str, Any], truth: str) -> bool | None:
    return row["verdict"] == _RIGHT[truth] if truth in _RIGHT else None


def calibration(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How often verdicts are right.

    Args:
        rows: with their truth.
    Returns: ``archives``, for each its truth and the shares of what was said of it, and over all: ``right``, the
        share of right verdicts where there is a right one; ``right_at_first``, that share by the first seeds alone;
        ``wrong``, that of those that say the opposite; and ``borrow_where_harmful``, that of "borrow" among verdicts
        on archives that harm. In per cent; None of none.
    """
    archives = []
    for name in _archives(rows):
        its = [row for row in rows if row["archive"] == name]
        said = list(dict.fromkeys(row["verdict"] for row in its))
        archives.append(
            {
                "archive": name,
                "draws": len(its),
                **truth_of(its),
                "said": {word: share([row["verdict"] == word for row in its]) for word in sorted(said)},
                "right": share([row["right"] for row in its if row["right"] is not None]),
            }
        )
    judged = [row for row in rows if row["right"] is not None]
    harmful = [row for row in rows if row["truth"] == HARMS]
    return {
        "archives": archives,
        "right": share([row["right"] for row in judged]),
        "right_at_first": share([row.get("first", row["verdict"]) == _RIGHT[row["truth"]] for row in judged]),
        "wrong": share([row["verdict"] == _RIGHT[_opposite(row["truth"])] for row in judged]),
        "borrow_where_harmful": share([row["verdict"] == BORROW for row in harmful]),
    }


def share(found: Sequence[bool]) -> float | None:
    """Per cent that are true; None of none."""
    return _rounded(100.0 * sum(found) / len(found)) if found else None


def _opposite(truth: str) -> str:
    return HARMS if truth == PAYS else PAYS


def _archives(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["archive"] for row in rows))


def _valid(row: ComparisonRow) -> float:
    return statistics.fmean(seed.valid_accuracy for seed in row.seeds)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
