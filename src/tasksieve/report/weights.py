"""Figures and pages see weights through these summaries: stages, histograms, kinds and dialogs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

BINS = 20
"""Intervals of equal width over [0, 1]."""

_NO_KIND = "(no kind)"


def stages(steps: Sequence[int], count: int = 6) -> list[int]:
    """Up to ``count`` of the recorded steps, evenly spaced, the first and the last among them.

    Example:
        >>> stages([0, 100, 200, 300, 400], 3)
        [0, 200, 400]
    """
    known = sorted(set(steps))
    if len(known) <= count:
        return known
    if count == 1:
        return known[-1:]
    places = [round(index * (len(known) - 1) / (count - 1)) for index in range(count)]
    return [known[place] for place in places]


def of_the_same_examples(weights: pl.DataFrame) -> pl.DataFrame:
    """What snapshots can be compared by: where some are of a sample of the examples, the rows of that sample.

    Args:
        weights: columns example, step, weight.
    """
    sizes = weights.group_by("step").len().sort("len", "step")
    if sizes["len"].n_unique() < 2:
        return weights
    sample = weights.filter(pl.col("step") == sizes["step"][0])["example"]
    return weights.filter(pl.col("example").is_in(sample.implode()))


def histogram(weights: pl.Series) -> list[int]:
    """How many weights lie in each of the :data:`BINS` intervals; what is not a number is left out."""
    return _counts(weights.to_frame("weight").select(_BIN).to_series())


_BIN = (pl.col("weight").cast(pl.Float64).fill_nan(None) * BINS).floor().clip(0, BINS - 1).cast(pl.Int64).alias("bin")


def _counts(bins: pl.Series) -> list[int]:
    found = dict(bins.drop_nulls().value_counts().iter_rows())
    return [found.get(place, 0) for place in range(BINS)]


def histograms(weights: pl.DataFrame, steps: Sequence[int]) -> list[list[int]]:
    """:func:`histogram` at each of some recorded steps.

    Args:
        weights: columns step, weight.
        steps: the steps wanted; where nothing was recorded all counts are 0.
    """
    parts = weights.select("step", _BIN).partition_by("step", as_dict=True)
    return [_counts(parts[step,]["bin"]) if (step,) in parts else [0] * BINS for step in steps]


ALL = "examples"
"""The one part of weights without labels, see :func:`split_by_label`."""


def split_by_label(weights: pl.DataFrame, examples: pl.DataFrame | None) -> dict[str, pl.DataFrame]:
    """The weights by whether their example is right, those that occur; all as one without labels."""
    if examples is None or "label" not in examples.columns:
        return {ALL: weights}
    number = pl.col("example").cast(pl.Int64)
    labels = examples.select(number, pl.col("label").cast(pl.Boolean))
    joined = weights.with_columns(number).join(labels, on="example", how="left")
    label = pl.col("label")
    parts = {"right": label, "wrong": ~label, "no label": label.is_null()}
    found = {name: joined.filter(which) for name, which in parts.items()}
    return {name: part for name, part in found.items() if not part.is_empty()}


def with_examples(weights: pl.DataFrame, examples: pl.DataFrame) -> pl.DataFrame:
    """Weights beside all columns of their examples; NaN becomes null, a missing kind ``(no kind)``."""
    measured = weights.select(
        pl.col("example").cast(pl.Int64), "step", pl.col("weight").cast(pl.Float64).fill_nan(None)
    )
    texts = examples.with_columns(
        pl.col("example").cast(pl.Int64), pl.col("kind").cast(pl.String).fill_null(_NO_KIND)
    )
    return measured.join(texts.drop("weight", "step", strict=False), on="example", how="inner")


def mean_by_kind(weights: pl.DataFrame, examples: pl.DataFrame, most: int = 10) -> pl.DataFrame:
    """Mean weight by kind of turn at every recorded step.

    Args:
        weights: columns example, step, weight.
        examples: columns example, kind.
        most: so many kinds at most; if there are more, the rarest are taken together as ``other kinds``.
    Returns: columns kind, step, weight (the mean) and examples (how many), the commonest kind first.
    """
    sizes = examples.group_by(pl.col("kind").cast(pl.String).fill_null(_NO_KIND)).len()
    common = sizes.sort(["len", "kind"], descending=[True, False])["kind"].to_list()
    kept = common if len(common) <= most else common[: most - 1]
    joined = with_examples(weights, examples.select("example", "kind"))
    named = joined.with_columns(
        kind=pl.when(pl.col("kind").is_in(kept)).then("kind").otherwise(pl.lit("other kinds"))
    )
    means = named.group_by("kind", "step").agg(pl.col("weight").mean(), examples=pl.len())
    order = {kind: place for place, kind in enumerate([*kept, "other kinds"])}
    ranked = means.with_columns(place=pl.col("kind").replace_strict(order, return_dtype=pl.Int64))
    return ranked.sort("place", "step").select("kind", "step", "weight", "examples")


@dataclass(frozen=True, slots=True)
class WeightedTurn:
    """A related turn with its weight; None if that is not a number."""

    turn: int
    kind: str
    user: str
    system: str
    weight: float | None


@dataclass(frozen=True, slots=True)
class WeightedDialog:
    """A related dialog, the mean of its turns' weights, and the turns in order."""

    task: str
    dialog: int
    weight: float
    turns: tuple[WeightedTurn, ...]


def named_tasks(examples: pl.DataFrame, files: Sequence[str]) -> pl.DataFrame:
    """Related tasks by their names instead of their numbers; by nothing where there is only one.

    Args:
        examples: with a column task; names in it stay.
        files: the names of the related tasks, in order; if they are not of these tasks, numbers are names.
    """
    if not examples.schema["task"].is_integer():
        return examples
    many = max(examples["task"].to_list(), default=-1) + 1
    if max(many, len(files)) < 2:
        return examples.with_columns(task=pl.lit(None, pl.String))
    if many > len(files):
        files = [f"related task {number + 1}" for number in range(many)]
    return examples.with_columns(
        task=pl.col("task").replace_strict(dict(enumerate(files)), default=None, return_dtype=pl.String)
    )


def extreme_dialogs(
    weights: pl.DataFrame, examples: pl.DataFrame, each: int = 3
) -> tuple[list[WeightedDialog], list[WeightedDialog]]:
    """The dialogs with the highest and with the lowest mean weight at the last recorded step.

    Args:
        each: so many of either; fewer where there are not enough, for no dialog is in both.
    Returns: the highest, the highest first; and the lowest, the lowest first.
    """
    last = weights.filter(pl.col("step") == pl.col("step").max())
    joined = with_examples(last, examples)
    means = joined.group_by("task", "dialog").agg(pl.col("weight").mean()).drop_nulls("weight")
    ranked = means.sort(["weight", "task", "dialog"], descending=[True, False, False])
    high = min(each, (ranked.height + 1) // 2)
    low = min(each, ranked.height - high)
    chosen = [_dialog(joined, row) for row in [*ranked.head(high).rows(), *ranked.tail(low).rows()[::-1]]]
    return chosen[:high], chosen[high:]


def _dialog(joined: pl.DataFrame, row: tuple[object, int, float]) -> WeightedDialog:
    task, dialog, weight = row
    inside = joined.filter(pl.col("task").eq_missing(pl.lit(task)) & (pl.col("dialog") == dialog))
    turns = inside.sort("turn", "example").select("turn", "kind", "user", "system", "weight")
    texts = turns.with_columns(pl.col("user", "system").cast(pl.String).fill_null(""))
    return WeightedDialog(
        task="" if task is None else str(task),
        dialog=dialog,
        weight=weight,
        turns=tuple(WeightedTurn(**values) for values in texts.iter_rows(named=True)),
    )
