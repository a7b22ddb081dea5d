"""Where the weights of related examples come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.encoding import ExampleBatch, Examples, derived_generator

RelatedBatch = tuple[ExampleBatch, ...]
"""One batch of each related task, learned from in one update."""


@runtime_checkable
class Weighter(Protocol):
    """Gives related examples their weights."""

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """The weights of a batch's examples, task after task, at an iteration."""
        ...

    def needed(self, task: int, numbers: Int[Tensor, " _"]) -> Int[Tensor, " _"]:
        """Of a related task's examples that were drawn, those to compute losses of; at least one."""
        ...

    def snapshot(self, tasks: Sequence[Examples], step: int) -> list[Float[Tensor, " _"]] | None:
        """The weights of all examples of every related task at an iteration; None if not worth recording."""
        ...


class NeedsAll:
    """For weighters that do not know beforehand which weights are 0."""

    def needed(self, task: int, numbers: Int[Tensor, " _"]) -> Int[Tensor, " _"]:
        """All of them."""
        return numbers


class Constant(NeedsAll):
    """The same weight for all examples.

    Args:
        weight: in [0, 1].
    """

    def __init__(self, weight: float = 1.0) -> None:
        self._weight = weight

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """The constant, once an example."""
        return torch.full((sum(map(len, batch)),), self._weight, device=batch[0].targets.device)

    def snapshot(self, tasks: Sequence[Examples], step: int) -> None:
        """Nothing: there is nothing to see."""


class PerExample:
    """A weight for every example, fixed before training: drawn at random, or given as labels.

    Args:
        tables: for each related task the weights of its examples, by number.
    """

    def __init__(self, tables: Sequence[Float[Tensor, " _"]]) -> None:
        self._tables = tuple(tables)
        self._all = [bool((table > 0).all()) for table in self._tables]

    @classmethod
    def random(cls, tasks: Sequence[Examples], generator: torch.Generator) -> PerExample:
        """Weights drawn once, uniformly from (0, 1)."""
        return cls([torch.rand(len(task), generator=generator).to(task.device) for task in tasks])

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """Each example's own weight."""
        found = [table.index_select(0, part.examples) for table, part in zip(self._tables, batch, strict=True)]
        return found[0] if len(found) == 1 else torch.cat(found)

    def needed(self, task: int, numbers: Int[Tensor, " _"]) -> Int[Tensor, " _"]:
        """Those of a task's examples that have a weight above 0; the first of them if none has."""
        if self._all[task]:
            return numbers
        found = numbers[self._tables[task].index_select(0, numbers) > 0]
        return found if len(found) else numbers[:1]

    def snapshot(self, tasks: Sequence[Examples], step: int) -> list[Float[Tensor, " _"]]:
        """The fixed weights."""
        return list(self._tables)


class RandomChanging(NeedsAll):
    """A new random weight, uniform on (0, 1), each time an example is sampled.

    Args:
        seed: of the run.
        stream: keeps these draws apart from the run's others.
    """

    def __init__(self, seed: int, stream: int) -> None:
        self._seed, self._stream = seed, stream

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """Fresh draws, a function of seed and step alone."""
        drawn = torch.rand(sum(map(len, batch)), generator=self._generator(step))
        return drawn.to(batch[0].targets.device)

    def snapshot(self, tasks: Sequence[Examples], step: int) -> list[Float[Tensor, " _"]]:
        """What the examples would get if all were sampled now."""
        generator = self._generator(step)
        return [torch.rand(len(task), generator=generator) for task in tasks]

    def _generator(self, step: int) -> torch.Generator:
        return derived_generator(self._seed, self._stream, step)
