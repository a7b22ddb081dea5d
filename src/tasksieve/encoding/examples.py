"""All examples of a task, in pieces: dialogs and images alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from tasksieve.contracts import Examples, Ordered


def in_order(task: Examples, size: int) -> Iterator[Any]:
    """All of a task's examples in their order, as batches of at most ``size``, if the task does not know better."""
    if isinstance(task, Ordered):
        return task.in_order()
    return (task.batch(numbers) for numbers in chunks(task, size))


def chunks(task: Examples, size: int) -> tuple[Int[Tensor, " _"], ...]:
    """The numbers of all of a task's examples, in pieces of at most ``size``."""
    return torch.split(torch.arange(len(task), device=task.device), size)
