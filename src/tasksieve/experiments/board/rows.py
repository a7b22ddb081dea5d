"""Rows of the board: what each method reached, and how far it is from the others, with intervals."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tasksieve.records.comparison import mean_sd, paired_interval

MEASURES = {"actions": ("accuracy",), "responses": ("R_100@1", "accuracy")}
"""What a row is about, by what is predicted: the first one that its test records have."""
SIMPLE = ("tfidf", "tfidf-all", "encoder", "encoder-all", "bm25", "cosine", "cosine-encoder")
"""Methods that others must beat to be worth anything, as far as they are there."""
AGAINST = ("minus_primary", "minus_multitask", "minus_learned", "minus_simple", "minus_best_simple_on_test")
_RESAMPLES = 2000
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a row stands, but for its method."""

    predict: str
    archive: str
    primary: str
    size: int


@dataclass(frozen=True, slots=True)
class BoardRun:
    """What one run reached.

    Attributes:
        seed: of the run and of its draw.
        test: all measures on the test dialogs, in per cent.
        valid: validation accuracy, in per cent.
        seconds: of the training.
        dialogs: of the primary task that it learned from.
        by_dialog: of each test dialog the turns, and by measure how many of them are right, as far as is known.
        weights: mean weight at the end by related service, if the method gives weights.
    """

    seed: int
    test: Mapping[str, float]
    valid: float
    seconds: float
    dialogs: int
    by_dialog: Mapping[str, Sequence[int]] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)


Board = Mapping[Cell, Mapping[str, Sequence[BoardRun]]]
"""Runs by cell and method."""


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Differences of two methods in one cell, paired by seed."""

    points: tuple[float, ...]
    right: tuple[tuple[int, ...], ...]
    """By seed and test dialog, how many more turns are right; empty if that is not known."""
    turns: tuple[int, ...]


def board_rows(board: Board) -> list[dict[str, Any]]:
    """A row for every cell and method, in the order of the board."""
    rows = []
    for cell, methods in board.items():
        measure = _measure(cell, methods)
        against = _rivals(methods, measure)
        for method, runs in methods.items():
            pairs = {name: _paired(runs, methods.get(other, ()), measure) for name, other in against.items()}
            rows.append(
                {
                    "primary": cell.primary,
                    "size": cell.size,
                    "dialogs": runs[0].dialogs,
                    "archive": cell.archive,
                    "predict": cell.predict,
                    "method": method,
                    "measure": measure,
                    "seeds": [_seed(run) for run in runs],
                    **_mean([[run.test[measure] for run in runs]]),
                    "best_simple": against.get("minus_simple"),
                    "best_simple_on_test": against.get("minus_best_simple_on_test"),
                    **_differences({name: [one] for name, one in pairs.items()}),
                }
            )
    return rows


def board_means(board: Board) -> list[dict[str, Any]]:
    """The means over primary tasks of every size, archive and method, of the tasks that all of its rows have.

    Differences are taken within a primary task and seed, against that task's own best simple method. ``ci95`` is
    Student's interval with primary tasks as fixed strata: the variance is that of seeds within each task, its degrees
    of freedom are Welch's. ``ci95_bootstrap`` draws seeds and test dialogs of every task anew.
    """
    groups: dict[tuple[str, str, int], dict[Cell, Mapping[str, Sequence[BoardRun]]]] = {}
    for cell, methods in board.items():
        groups.setdefault((cell.predict, cell.archive, cell.size), {})[cell] = methods
    return [
        {"size": size, "archive": archive, "predict": predict, **mean}
        for (predict, archive, size), cells in groups.items()
        for mean in _means(cells)
    ]


def _means(cells: Mapping[Cell, Mapping[str, Sequence[BoardRun]]]) -> Iterable[dict[str, Any]]:
    for method in dict.fromkeys(name for methods in cells.values() for name in methods):
        having = {cell: methods for cell, methods in cells.items() if method in methods}
        measures = {_measure(cell, methods) for cell, methods in having.items()}
        pairs: dict[str, list[_Pairs]] = {}
        for cell, methods in having.items():
            measure = _measure(cell, methods)
            for name, other in _rivals(methods, measure).items():
                found = _paired(methods[method], methods.get(other, ()), measure)
                pairs.setdefault(name, []).append(found)
        complete = {name: found for name, found in pairs.items() if all(one.points for one in found)}
        yield {
            "method": method,
            "measure": " and ".join(sorted(measures)),
            "primaries": [cell.primary for cell in having],
            "runs": sum(len(methods[method]) for methods in having.values()),
            **_mean(
                [[run.test[_measure(cell, each)] for run in each[method]] for cell, each in having.items()],
            ),
            "valid": statistics.fmean(_valid(methods[method]) for methods in having.values()),
            "seconds": statistics.fmean(run.seconds for methods in having.values() for run in methods[method]),
            **_differences(complete),
        }


def _measure(cell: Cell, methods: Mapping[str, Sequence[BoardRun]]) -> str:
    every = [run.test for runs in methods.values() for run in runs]
    return next((m for m in MEASURES[cell.predict] if all(m in test for test in every)), "accuracy")


def _rivals(methods: Mapping[str, Sequence[BoardRun]], measure: str) -> dict[str, str]:
    """Whom each difference is to; the best simple method by validation, and the best one by the test itself."""
    simple = [name for name in SIMPLE if name in methods]
    rivals = {f"minus_{name}": name for name in ("primary", "multitask", "learned")}
    if simple:
        rivals["minus_simple"] = max(simple, key=lambda name: _valid(methods[name]))
        rivals["minus_best_simple_on_test"] = max(simple, key=_tested(methods, measure))
    return rivals


def _tested(methods: Mapping[str, Sequence[BoardRun]], measure: str) -> Callable[[str], float]:
    return lambda name: statistics.fmean(run.test[measure] for run in methods[name])


def _valid(runs: Sequence[BoardRun]) -> float:
    return statistics.fmean(run.valid for run in runs)


def _paired(runs: Sequence[BoardRun], others: Sequence[BoardRun], measure: str) -> _Pairs:
    theirs = {run.seed: run for run in others}
    both = [(run, theirs[run.seed]) for run in runs if run.seed in theirs]
    points = tuple(run.test[measure] - other.test[measure] for run, other in both)
    counted = [(one.by_dialog, other.by_dialog) for one, other in both]
    if not counted or any(
        measure not in side or side["turns"] != counted[0][0].get("turns") for pair in counted for side in pair
    ):
        return _Pairs(points, (), ())
    right = tuple(tuple(a - b for a, b in zip(one[measure], other[measure], strict=True)) for one, other in counted)
    return _Pairs(points, right, tuple(counted[0][0]["turns"]))


def _seed(run: BoardRun) -> dict[str, Any]:
    found = {"seed": run.seed, "test": dict(run.test), "valid": run.valid, "seconds": run.seconds}
    return {**found, "weights": dict(run.weights)} if run.weights else found


def _mean(reached: Sequence[Sequence[float]]) -> dict[str, float | None]:
    """Mean over primary tasks of the means over seeds; sd of a seed's mean over tasks, of the seeds all have."""
    seeds = list(zip(*reached, strict=False))
    mean = statistics.fmean(statistics.fmean(one) for one in reached)
    return {"mean": mean, "sd": mean_sd([statistics.fmean(one) for one in seeds])[1]}


def _differences(pairs: Mapping[str, Sequence[_Pairs]]) -> dict[str, Any]:
    have = {name: strata for name, strata in pairs.items() if strata and all(one.points for one in strata)}
    return {
        **{
            name: statistics.fmean(statistics.fmean(one.points) for one in have[name]) if name in have else None
            for name in AGAINST
        },
        "ci95": {name: stratified_interval([one.points for one in have[name]]) for name in AGAINST if name in have},
        "ci95_bootstrap": {name: _bootstrap(have[name]) for name in AGAINST if name in have},
    }


def stratified_interval(strata: Sequence[Sequence[float]]) -> Interval | None:
    """95 % interval of the mean of several strata's means, each stratum fixed; None if one has a single value."""
    if len(strata) == 1:
        return paired_interval(strata[0])
    if any(len(values) < 2 for values in strata):
        return None
    from scipy import stats  # takes more than a second to import

    parts = [(statistics.variance(values) / len(values), len(values) - 1) for values in strata]
    total = sum(part for part, _ in parts)
    mean = statistics.fmean(statistics.fmean(values) for values in strata)
    if total == 0:
        return mean, mean
    freedom = total**2 / sum(part**2 / degrees for part, degrees in parts)
    half = float(stats.t.ppf(0.975, freedom)) * total**0.5 / len(strata)
    return mean - half, mean + half


def _bootstrap(strata: Sequence[_Pairs]) -> Interval | None:
    """95 % interval by drawing seeds and test dialogs of each stratum anew; None where a stratum says too little."""
    if any(len(one.right) < 2 for one in strata):
        return None
    random = np.random.default_rng(0)
    drawn = np.zeros(_RESAMPLES)
    for one in strata:
        more, turns = np.array(one.right, dtype=float), np.array(one.turns, dtype=float)
        seeds = random.multinomial(len(more), np.full(len(more), 1 / len(more)), _RESAMPLES)
        dialogs = random.multinomial(len(turns), np.full(len(turns), 1 / len(turns)), _RESAMPLES)
        found = ((seeds @ more) * dialogs).sum(axis=1) / (len(more) * (dialogs @ turns))
        drawn += 100.0 * found / len(strata)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)
