"""What the loop and the weighters need to know of a task's examples: dialogs and images alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Int
from torch import Tensor


@runtime_checkable
class ExampleBatch(Protocol):
    """Examples of one task, as a model reads them."""

    @property
    def targets(self) -> Int[Tensor, " batch"]:
        """The right answers."""
        ...

    @property
    def examples(self) -> Int[Tensor, " batch"]:
        """Numbers of the examples in their task."""
        ...

    def __len__(self) -> int: ...


@runtime_checkable
class Examples(Protocol):
    """A task's examples, to be cut into batches."""

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        ...

    def __len__(self) -> int: ...

    def batch(self, examples: Int[Tensor, " batch"]) -> Any:
        """The :class:`ExampleBatch` of the examples with these numbers, in this order."""
        ...

    def answerable(self) -> Int[Tensor, " answerable"]:
        """Numbers of the examples that can be learned from."""
        ...


@runtime_checkable
class Ordered(Examples, Protocol):
    """A task that has a cheaper way to all its examples than by their numbers."""

    def in_order(self) -> Iterator[Any]:
        """All examples in their order, as batches of the size that suits them."""
        ...


def in_order(task: Examples, size: int) -> Iterator[Any]:
    """All of a task's examples in their order, as batches of at most ``size``, if the task does not know better."""
    if isinstance(task, Ordered):
        return task.in_order()
    return (task.batch(numbers) for numbers in chunks(task, size))


def chunks(task: Examples, size: int) -> tuple[Int[Tensor, " _"], ...]:
    """The numbers of all of a task's examples, in pieces of at most ``size``."""
    return torch.split(torch.arange(len(task), device=task.device), size)
