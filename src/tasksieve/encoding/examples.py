"""What the loop and the weighters need to know of a task's examples: dialogs and images alike."""

from __future__ import annotations

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


def chunks(task: Examples, size: int) -> tuple[Int[Tensor, " _"], ...]:
    """The numbers of all of a task's examples, in pieces of at most ``size``."""
    return torch.split(torch.arange(len(task), device=task.device), size)
