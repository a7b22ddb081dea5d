"""What a run learns from, and which of its examples each update draws."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from tasksieve.contracts import ExampleBatch
from tasksieve.encoding import BatchSampler, Examples, derived_generator
from tasksieve.records.config import TrainingConfig
from tasksieve.weighting import Drawn, RelatedBatch, Weighter

Part = Callable[[Tensor], Tensor]
"""Of the numbers of a batch, those that are a process's own."""


def everything(numbers: Tensor) -> Tensor:
    """All of them."""
    return numbers


@runtime_checkable
class Tasks(Protocol):
    """What is learned from."""

    @property
    def primary(self) -> Examples:
        """Training examples of the primary task."""
        ...

    @property
    def valid(self) -> Examples:
        """Examples of the primary task that none of the model's updates learns from."""
        ...

    @property
    def related(self) -> tuple[Examples, ...]:
        """Training examples of each related task."""
        ...


def sampler(training: TrainingConfig, examples: Tensor, stream: int, size: int | None = None) -> BatchSampler:
    """A run's sampler of these examples.

    Args:
        training: batch size and seed.
        examples: numbers to draw from, wherever; what is drawn is on the CPU, where batches are cut.
        stream: keeps its draws apart from the run's others.
        size: of a batch, if another one.
    """
    return BatchSampler(examples.cpu(), size or training.batch_size, seed=training.seed, stream=stream)


class FixedBatches:
    """The same few batches of all examples again and again, so that what is known of a batch is worked out once.

    Args:
        examples: of a task.
        size: about so many examples make a batch; batches are as even as can be.
        generator: deals the examples out.
        part: of a batch's numbers, those that are cut; all by default.

    Attributes:
        size: examples in the smallest batch, all parts together.
    """

    def __init__(self, examples: Examples, size: int, generator: torch.Generator, part: Part = everything) -> None:
        numbers = examples.answerable().cpu()
        order = torch.randperm(len(numbers), generator=generator)
        self._dealt = torch.tensor_split(numbers[order], max(1, round(len(numbers) / size)))
        self.size = min(map(len, self._dealt))
        self._examples, self._part = examples, part
        self._known: OrderedDict[int, ExampleBatch] = OrderedDict()

    def batch(self, number: int) -> ExampleBatch:
        """The batch with this number, counted from 0."""
        place = number % len(self._dealt)
        if place not in self._known:
            self._known[place] = self._examples.batch(self._part(self._dealt[place]))
        if len(self._known) > KNOWN_BATCHES:
            self._known.popitem(last=False)
        return self._known[place]


class SampledBatches:
    """Batches of examples that are sampled anew each time.

    Args:
        examples: of a task.
        sampler: of their numbers.
        part: of a batch's numbers, those that are cut; all by default.

    Attributes:
        size: examples in a batch, all parts together.
    """

    def __init__(self, examples: Examples, sampler: BatchSampler, part: Part = everything) -> None:
        self.size = sampler.size
        self._examples, self._sampler, self._part = examples, sampler, part

    def batch(self, number: int) -> ExampleBatch:
        """The batch with this number, counted from 0."""
        found: ExampleBatch = self._examples.batch(self._part(self._sampler.batch(number)))
        return found


KNOWN_BATCHES = 8
"""So many of :class:`FixedBatches` are kept, with what a model has found out about them."""


@runtime_checkable
class BatchesOfRelated(Protocol):
    """The batches of related examples that updates take."""

    @property
    def size(self) -> int:
        """How many examples an update draws."""
        ...

    @property
    def least(self) -> int:
        """How many of them the task has of which it draws fewest."""
        ...

    def batch(self, number: int, needed: Callable[[int, Tensor], Tensor] | None = None) -> RelatedBatch:
        """The batches with this number, counted from 0; ``needed`` may leave some examples out."""
        ...


class RelatedSampler:
    """Draws one batch of each related task.

    Args:
        training: batch size and seed.
        tasks: the related tasks; their answerable examples are drawn.
        stream: of the first task; each further one adds a hundred.
        size: of a task's batch, if another one than configured.
        part: of each task's batch, what this process takes.
    """

    def __init__(
        self,
        training: TrainingConfig,
        tasks: Sequence[Examples],
        stream: int,
        size: int | None = None,
        part: Part = everything,
    ) -> None:
        self._tasks, self._part = tasks, part
        self._samplers = [
            sampler(training, task.answerable(), stream + 100 * number, size or training.related_batch_size)
            for number, task in enumerate(tasks)
        ]

    @property
    def size(self) -> int:
        """How many examples an update draws."""
        return sum(sampler.size for sampler in self._samplers)

    @property
    def least(self) -> int:
        """How many examples the smallest batch of a task has."""
        return min((sampler.size for sampler in self._samplers), default=0)

    def batch(self, number: int, needed: Callable[[int, Tensor], Tensor] | None = None) -> RelatedBatch:
        """The batches with this number, counted from 0.

        Args:
            number: of the update.
            needed: of the examples drawn of a task, those to take; all by default.
        """
        drawn = [sampler.batch(number) for sampler in self._samplers]
        if needed is not None:
            drawn = [needed(place, numbers) for place, numbers in enumerate(drawn)]
        return tuple(task.batch(self._part(numbers)) for task, numbers in zip(self._tasks, drawn, strict=True))


class DrawnSampler:
    """Draws batches of the one related task anew each time, by its groups.

    Args:
        training: seed.
        task: the related task.
        stream: keeps its draws apart from the run's others.
        size: of a batch.
        draw: takes a batch's number and a generator, and gives the numbers of its examples.
        part: of a batch, what this process takes.
    """

    def __init__(
        self,
        training: TrainingConfig,
        task: Examples,
        stream: int,
        size: int,
        draw: Callable[[int, torch.Generator], Tensor],
        part: Part = everything,
    ) -> None:
        self._task, self._seed, self._stream, self._draw = task, training.seed, stream, draw
        self.size, self._part = size, part

    @property
    def least(self) -> int:
        """How many examples a batch has."""
        return self.size

    def batch(self, number: int, needed: Callable[[int, Tensor], Tensor] | None = None) -> RelatedBatch:
        """The batch with this number, counted from 0."""
        drawn = self._draw(number, derived_generator(self._seed, self._stream, number))
        return (self._task.batch(self._part(drawn)),)


def related_sampler(
    training: TrainingConfig,
    tasks: Sequence[Examples],
    stream: int,
    weighter: Weighter,
    size: int | None = None,
    part: Part = everything,
) -> BatchesOfRelated:
    """What draws the related examples of real updates; ``size`` and ``part`` as for :class:`RelatedSampler`."""
    if isinstance(weighter, Drawn):
        drawn = training.related_batch_size or training.batch_size
        return DrawnSampler(
            training, tasks[0], stream, drawn, lambda n, random: weighter.draw(n, drawn, random), part
        )
    return RelatedSampler(training, tasks, stream, size, part)


def simulated_sampler(
    training: TrainingConfig, tasks: Sequence[Examples], stream: int, weighter: Weighter, part: Part = everything
) -> BatchesOfRelated:
    """What draws the related examples of simulated updates; where these have groups, as many of each."""
    if isinstance(weighter, Drawn):
        groups = len(weighter.groups.own)
        each = max(1, math.ceil((training.related_batch_size or training.batch_size) / groups))
        size = each * groups
        return DrawnSampler(training, tasks[0], stream, size, lambda _, random: weighter.flat(each, random), part)
    return RelatedSampler(training, tasks, stream, part=part)
