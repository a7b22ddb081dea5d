"""The services that related examples are of, whether these are tasks of their own or pooled in one."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

from tasksieve.training.loop.method import Start

_COLUMN = "task"


def services_of(start: Start) -> Int[Tensor, " examples"]:
    """The number of each related example's service, task after task; counted from 0, without gaps."""
    if _COLUMN in start.examples.columns:
        numbers = torch.tensor(start.examples[_COLUMN].to_list())
    else:
        sizes = torch.tensor([len(task) for task in start.tasks.related])
        numbers = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
    found: Tensor = torch.unique(numbers, return_inverse=True)[1]
    return found
