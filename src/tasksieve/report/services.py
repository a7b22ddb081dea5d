"""From whom was borrowed: weights by related task over training, and by kind of turn at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tasksieve.report.weights import mean_by_kind, stages, with_examples


@dataclass(frozen=True, slots=True)
class Service:
    """One related task.

    Attributes:
        name: of the task.
        examples: how many of it have weights.
        means: of its weights at each step; None where nothing was recorded.
        kinds: by kind of turn, the mean at the last step; None where it has no turn of the kind.
    """

    name: str
    examples: int
    means: tuple[float | None, ...]
    kinds: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Services:
    """Related tasks, the one borrowed from most at the end of training first.

    Attributes:
        steps: iterations of the means.
        kinds: the commonest kinds of turn; the rest is one.
    """

    steps: tuple[int, ...]
    kinds: tuple[str, ...]
    each: tuple[Service, ...]


def services(weights: pl.DataFrame, examples: pl.DataFrame, moments: int = 24, most: int = 6) -> Services:
    """Summarise weights by related task; none where all examples are of one.

    Args:
        weights: columns example, step, weight: all recorded snapshots.
        examples: columns example, kind, task; tasks by name.
        moments: so many steps at most.
        most: so many kinds at most.
    """
    steps = stages(weights["step"].unique().to_list(), moments)
    kept = weights.filter(pl.col("step").is_in(steps))
    joined = with_examples(kept, examples.select("example", "kind", "task")).drop_nulls("task")
    if joined["task"].n_unique() < 2:
        return Services(tuple(steps), (), ())
    last = joined.filter(pl.col("step") == steps[-1])
    common = mean_by_kind(last.select("example", "step", "weight"), last.select("example", "kind"), most)
    kinds = common["kind"].to_list()
    by_kind = last.with_columns(kind=pl.when(pl.col("kind").is_in(kinds)).then("kind").otherwise(pl.lit(kinds[-1])))
    means = _means(joined, "step")
    of_kinds = _means(by_kind, "kind")
    counts = dict(last.group_by("task").len().iter_rows())
    each = [
        Service(name, counts.get(name, 0), _row(means, name, steps), _row(of_kinds, name, kinds))
        for name in joined["task"].unique(maintain_order=True).to_list()
    ]
    each.sort(key=lambda one: (-(one.means[-1] or 0.0), one.name))
    return Services(tuple(steps), tuple(kinds), tuple(each))


def _means(frame: pl.DataFrame, column: str) -> dict[tuple[str, object], float | None]:
    found = frame.group_by("task", column).agg(pl.col("weight").mean())
    return {(task, value): mean for task, value, mean in found.iter_rows()}


def _row(
    means: dict[tuple[str, object], float | None], name: str, values: Sequence[object]
) -> tuple[float | None, ...]:
    return tuple(means.get((name, value)) for value in values)
