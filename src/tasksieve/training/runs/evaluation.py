"""How well a model finds the right response among the candidates: ranks, accuracy, probability."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.encoding import EncodedTask, chunks
from tasksieve.models import DialogModel
from tasksieve.training.runs.in_use import in_use

UNANSWERABLE = 1 << 40
"""The rank of a right response that is no candidate."""
_CHUNK = 256


def ranks(scores: Float[Tensor, "batch candidates"], targets: Int[Tensor, " batch"]) -> Int[Tensor, " batch"]:
    """The rank of the right response, from 1; ties count against it, so candidate order changes nothing.

    So does what is not a number, of its own or another's score.

    A target of -1 (the right response is no candidate) has the rank :data:`UNANSWERABLE`.
    """
    right = scores.gather(1, targets.clamp(min=0)[:, None])
    rank = (~(scores < right)).sum(dim=1)
    return torch.where(targets >= 0, rank, UNANSWERABLE)


def task_ranks(model: DialogModel, task: EncodedTask) -> Int[Tensor, " examples"]:
    """The rank of the right response for every example of a task, on the CPU."""
    found = []
    with in_use(model):
        for numbers in chunks(task, _CHUNK):
            found.append(ranks(*model.responses(task.batch(numbers))))
    return torch.cat(found).cpu()


def mean_probability(model: DialogModel, task: EncodedTask) -> float:
    """Mean probability of the right response over the examples that have it among their candidates, in [0, 1].

    Says much the same as accuracy with less noise, and unlike the loss is not ruled by what nobody can predict.
    """
    found = []
    with in_use(model):
        for numbers in torch.split(task.answerable(), _CHUNK):
            scores, targets = model.responses(task.batch(numbers))
            found.append(torch.softmax(scores, dim=1).gather(1, targets[:, None])[:, 0])
    return float(torch.cat(found).double().mean())


def accuracy(found: Int[Tensor, " examples"]) -> float:
    """Share of examples whose right response ranks first, in per cent."""
    return 100.0 * float((found == 1).double().mean())
