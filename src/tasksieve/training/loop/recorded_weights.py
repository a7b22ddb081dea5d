"""What a run records of its related examples' weights: of all of them, or on the way of a fixed sample."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import torch

from tasksieve.encoding import Examples, derived_generator
from tasksieve.records.config import TrainingConfig
from tasksieve.training.loop.streams import SNAPSHOT_STREAM
from tasksieve.weighting import Numbers, Weighter


class RecordedWeights:
    """Snapshots of the weights, as frames.

    Args:
        training: seed, and how many examples a snapshot has at most.
        tasks: the related tasks; there may be none.
        weighter: asked for the weights.
        examples: the related examples as records, task after task.
    """

    def __init__(
        self, training: TrainingConfig, tasks: Sequence[Examples], weighter: Weighter, examples: pl.DataFrame
    ) -> None:
        self._tasks, self._weighter = tasks, weighter
        self._columns = examples.select("example", "dialog", "turn")
        self._sample = _sample(training, [len(task) for task in tasks])

    @property
    def sampled(self) -> bool:
        """Whether there are too many examples to record all each time."""
        return self._sample is not None

    @torch.no_grad()
    def at(self, step: int, every: bool) -> pl.DataFrame | None:
        """The weights at an iteration: columns example, dialog, turn, step and weight.

        Args:
            step: the iteration.
            every: of all examples, however many there are.
        Returns: None if there is nothing to record.
        """
        sample = None if every else self._sample
        only = sample and [numbers.to(task.device) for numbers, task in zip(sample, self._tasks, strict=True)]
        tables = self._weighter.snapshot(self._tasks, step, only) if self._tasks else None
        if tables is None:
            return None
        weights = pl.Series(torch.cat([table.cpu() for table in tables]).numpy())
        return self._rows(sample).with_columns(pl.lit(step).alias("step"), weights.alias("weight"))

    def _rows(self, sample: Sequence[Numbers] | None) -> pl.DataFrame:
        if sample is None:
            return self._columns
        parts, first = [], 0
        for numbers, task in zip(sample, self._tasks, strict=True):
            parts.append(numbers + first)
            first += len(task)
        return self._columns[torch.cat(parts).numpy()]


def _sample(training: TrainingConfig, sizes: Sequence[int]) -> list[Numbers] | None:
    """Of each task the numbers of its part of the sample, in order, at least one; None if all fit."""
    total = sum(sizes)
    if total <= training.snapshot_examples:
        return None
    generator = derived_generator(training.seed, SNAPSHOT_STREAM)
    shares = [max(1, size * training.snapshot_examples // total) for size in sizes]
    return [
        torch.randperm(size, generator=generator)[:share].sort().values
        for size, share in zip(sizes, shares, strict=True)
    ]
