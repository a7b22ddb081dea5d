"""Where the weights of related examples come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.encoding import ExampleBatch, Examples, in_order

RelatedBatch = tuple[ExampleBatch, ...]
"""One batch of each related task, learned from in one update."""
Numbers = Int[Tensor, " _"]
"""Of a task's examples."""
SNAPSHOT_CHUNK = 256


@runtime_checkable
class Weighter(Protocol):
    """Gives related examples their weights."""

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """The weights of a batch's examples, task after task, at an iteration."""
        ...

    def needed(self, task: int, numbers: Numbers) -> Numbers:
        """Of a related task's examples that were drawn, those to compute losses of; at least one."""
        ...

    def snapshot(
        self, tasks: Sequence[Examples], step: int, only: Sequence[Numbers] | None = None
    ) -> list[Float[Tensor, " _"]] | None:
        """The weights of related examples at an iteration, to be recorded.

        Args:
            tasks: the related tasks.
            step: the iteration.
            only: of each task the numbers of the examples that are wanted, in order; all by default.
        Returns: for each task its examples' weights; None if they are not worth recording.
        """
        ...


class NeedsAll:
    """For weighters that do not know beforehand which weights are 0."""

    def needed(self, task: int, numbers: Numbers) -> Numbers:
        """The examples to compute losses of: all that were drawn."""
        return numbers


class Ones(NeedsAll):
    """Weight 1 for every example."""

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """Ones, as many as the batch has examples."""
        return torch.ones(sum(map(len, batch)), device=batch[0].targets.device)

    def snapshot(self, tasks: Sequence[Examples], step: int, only: Sequence[Numbers] | None = None) -> None:
        """None: weights that are always 1 are not worth recording."""


class PerExample:
    """A weight for every example, fixed before training: drawn at random, given as labels, or found by trials.

    Args:
        tables: for each related task the weights of its examples, by number.
    """

    def __init__(self, tables: Sequence[Float[Tensor, " _"]]) -> None:
        self._tables = tuple(tables)
        self._all = [bool((table > 0).all()) for table in self._tables]

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """The weights of a batch's examples, task after task."""
        found = [table.index_select(0, part.examples) for table, part in zip(self._tables, batch, strict=True)]
        return found[0] if len(found) == 1 else torch.cat(found)

    def needed(self, task: int, numbers: Numbers) -> Numbers:
        """The examples of a task that have a weight above 0; the first one if none has.

        On other devices than the CPU all of them, as the program would have to wait to learn how many these are.
        """
        if self._all[task] or self._tables[task].device.type != "cpu":
            return numbers
        found = numbers[self._tables[task].index_select(0, numbers) > 0]
        return found if len(found) else numbers[:1]

    def snapshot(
        self, tasks: Sequence[Examples], step: int, only: Sequence[Numbers] | None = None
    ) -> list[Float[Tensor, " _"]]:
        """The fixed weights of related examples, whatever the iteration."""
        if only is None:
            return list(self._tables)
        return [table.index_select(0, numbers) for table, numbers in zip(self._tables, only, strict=True)]


def by_task(weights: Float[Tensor, " examples"], tasks: Sequence[Examples]) -> tuple[Float[Tensor, " _"], ...]:
    """Numbers for all related examples, cut into one table a task, where the tasks are.

    Args:
        weights: one for each example, task after task.
        tasks: the related tasks.
    """
    return torch.split(weights.to(tasks[0].device), [len(task) for task in tasks])


def batches_by_task(tasks: Sequence[Examples], only: Sequence[Numbers] | None = None) -> list[Iterator[Any]]:
    """Of each task the batches of its examples: in their own order, or of those with the numbers given, in theirs."""
    if only is None:
        return [in_order(task, SNAPSHOT_CHUNK) for task in tasks]
    return [map(task.batch, torch.split(numbers, SNAPSHOT_CHUNK)) for task, numbers in zip(tasks, only, strict=True)]
