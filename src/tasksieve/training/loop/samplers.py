"""What a run learns from, and which of its examples each update draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor

from tasksieve.encoding import BatchSampler, Examples
from tasksieve.records.config import TrainingConfig
from tasksieve.weighting import RelatedBatch


@runtime_checkable
class Tasks(Protocol):
    """What is learned from."""

    @property
    def primary(self) -> Examples:
        """Training examples of the primary task."""
        ...

    @property
    def related(self) -> tuple[Examples, ...]:
        """Training examples of each related task."""
        ...


def sampler(training: TrainingConfig, examples: Tensor, stream: int, size: int | None = None) -> BatchSampler:
    """A run's sampler of these examples.

    Args:
        training: batch size and seed.
        examples: numbers to draw from.
        stream: keeps its draws apart from the run's others.
        size: of a batch, if another one.
    """
    return BatchSampler(examples, size or training.batch_size, seed=training.seed, stream=stream)


class RelatedSampler:
    """Draws one batch of each related task.

    Args:
        training: batch size and seed.
        tasks: the related tasks; their answerable examples are drawn.
        stream: of the first task; each further one adds a hundred.
        size: of a task's batch, if another one than configured.
    """

    def __init__(
        self, training: TrainingConfig, tasks: Sequence[Examples], stream: int, size: int | None = None
    ) -> None:
        self._tasks = tasks
        self._samplers = [
            sampler(training, task.answerable(), stream + 100 * number, size or training.related_batch_size)
            for number, task in enumerate(tasks)
        ]

    @property
    def size(self) -> int:
        """How many examples an update draws."""
        return sum(sampler.size for sampler in self._samplers)

    def batch(self, number: int, needed: Callable[[int, Tensor], Tensor] | None = None) -> RelatedBatch:
        """The batches with this number, counted from 0.

        Args:
            number: of the update.
            needed: of the examples drawn of a task, those to take; all by default.
        """
        drawn = [sampler.batch(number) for sampler in self._samplers]
        if needed is not None:
            drawn = [needed(place, numbers) for place, numbers in enumerate(drawn)]
        return tuple(task.batch(numbers) for task, numbers in zip(self._tasks, drawn, strict=True))
