"""Fixed weights of any size, which are known once a preparation has found them."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from tasksieve.contracts import Examples
from tasksieve.weighting.weighter import Numbers, PerExample, RelatedBatch


class Relative:
    """A weight for every example, fixed before training; recorded as parts of the largest one.

    To be filled before it is asked.
    """

    def __init__(self) -> None:
        self._weights = self._recorded = PerExample(())

    def fill(self, tables: Sequence[Float[Tensor, " _"]]) -> None:
        """Take the weights: for each related task those of its examples, not negative."""
        self._weights = PerExample(tables)
        largest = max(float(table.max()) for table in tables)
        self._recorded = PerExample([table / largest if largest > 0 else table for table in tables])

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """The weights of a batch's examples, task after task."""
        return self._weights.weights(batch, step)

    def needed(self, task: int, numbers: Numbers) -> Numbers:
        """The examples of a task that have a weight above 0; the first one if none has."""
        return self._weights.needed(task, numbers)

    def snapshot(
        self, tasks: Sequence[Examples], step: int, only: Sequence[Numbers] | None = None
    ) -> list[Float[Tensor, " _"]]:
        """The weights as parts of the largest, whatever the iteration."""
        return self._recorded.snapshot(tasks, step, only)
