"""The histogram of weights at every snapshot, as few numbers as a page with a slider needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import polars as pl

from tasksieve.report import formatting as show
from tasksieve.report.blocks import Picture, SnapshotsBlock
from tasksieve.report.weights import histograms, split_by_label, stages

MOST = 200
"""Snapshots on a page; of more, so many are chosen evenly."""


def snapshots_block(weights: pl.DataFrame, examples: pl.DataFrame, still: Picture) -> SnapshotsBlock:
    """Histograms to move through, beside the picture that stands for them on paper.

    Args:
        weights: columns example, step, weight: all recorded snapshots.
        examples: if it has a column ``label``, right and wrong examples are counted apart.
        still: what readers without script see.
    Raises: ValueError: if there is no weight to show.
    """
    steps = stages(weights["step"].unique().to_list(), MOST)
    if not steps:
        raise ValueError("weights has no rows; there is nothing to show")
    parts = split_by_label(weights.filter(pl.col("step").is_in(steps)), examples)
    data = {
        "steps": steps,
        "means": _means(weights, steps),
        "parts": [{"name": name, "counts": histograms(part, steps)} for name, part in parts.items()],
    }
    return SnapshotsBlock(json.dumps(data, separators=(",", ":")), len(steps), tuple(parts), still)


def _means(weights: pl.DataFrame, steps: Sequence[int]) -> list[str]:
    numbers = weights.select("step", pl.col("weight").cast(pl.Float64).fill_nan(None))
    means: Mapping[int, float | None] = dict(numbers.group_by("step").agg(pl.col("weight").mean()).iter_rows())
    return [show.number(means[step], 2) for step in steps]
