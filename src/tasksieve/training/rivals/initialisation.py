"""Methods that learn from related tasks where to start, and then from the primary task alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from tasksieve.contracts import ExampleBatch, Examples
from tasksieve.encoding import BatchSampler
from tasksieve.records.config import LoopConfig
from tasksieve.training.loop.method import Method, Start, Weighing
from tasksieve.training.loop.samplers import sampler
from tasksieve.training.loop.streams import META_TASK_STREAM
from tasksieve.training.rivals.fixed import answerable
from tasksieve.training.rivals.prepared import Watch, preparation
from tasksieve.training.rivals.services import services_of
from tasksieve.weighting import Ones


class Initialisation(Method, ABC):
    """Learn initial parameters from several related tasks, then from the primary task alone."""

    updates = ("primary",)

    @property
    def borrows(self) -> bool:
        """It learns from related data, before the first iteration."""
        return True

    @abstractmethod
    def learn(self, start: Start, watch: Watch) -> None:
        """Move the run's model to where it shall start."""

    def iterations(self, config: LoopConfig) -> int:
        """How many iterations :meth:`learn` takes."""
        return config.rivals.iterations

    def weighing(self, start: Start) -> Weighing:
        """No weights, but a preparation; checkpoints hold the model."""
        model = start.model

        def find(watch: Watch) -> Mapping[str, Tensor]:
            self.learn(start, watch)
            model.zero_grad(set_to_none=True)
            return model.state_dict()

        def take(found: Mapping[str, Tensor]) -> None:
            model.load_state_dict({name: value.clone() for name, value in found.items()})

        prepare = preparation(start, self.iterations(start.config), find, take, lasting=True)
        return Weighing(Ones(), prepare=prepare)


@dataclass(frozen=True, slots=True)
class RelatedTask:
    """The examples of one related service, to be drawn from.

    Attributes:
        examples: that have them.
        sampler: of those of the service that can be learned from.
    """

    examples: Examples
    sampler: BatchSampler

    def batch(self, number: int) -> ExampleBatch:
        """The batch with this number, counted from 0."""
        found: ExampleBatch = self.examples.batch(self.sampler.batch(number))
        return found

    def halves(self, number: int) -> tuple[ExampleBatch, ExampleBatch]:
        """The batch with this number as two that have no example in common, unless there is only one."""
        numbers = self.sampler.batch(number)
        half = (len(numbers) + 1) // 2
        first, second = numbers[:half], numbers[half:] if len(numbers) > 1 else numbers
        return self.examples.batch(first), self.examples.batch(second)


def related_tasks(start: Start, size: int) -> list[RelatedTask]:
    """One task a related service, whether these are drawn apart or together.

    Args:
        start: of the run.
        size: of a batch.
    """
    training, services, able = start.config.training, services_of(start), answerable(start.tasks.related)
    found: list[RelatedTask] = []
    first = 0
    for examples in start.tasks.related:
        here = slice(first, first + len(examples))
        own = services[here].masked_fill(~able[here], -1)
        first += len(examples)
        for service in sorted(set(own.tolist())):
            if service >= 0:
                numbers = torch.nonzero(own == service).flatten().to(examples.device)
                stream = META_TASK_STREAM + 100 * len(found)
                found.append(RelatedTask(examples, sampler(training, numbers, stream, size)))
    return found
