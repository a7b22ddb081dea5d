"""Below which probability a model had better say that it does not know, chosen on validation dialogs."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tasksieve.encoding import EncodedTask, chunks
from tasksieve.models import DialogModel
from tasksieve.training.runs.evaluation import ranks

_CHUNK = 256


def fallback_of(model: DialogModel, task: EncodedTask) -> dict[str, Any]:
    """The threshold with the most right answers minus wrong ones; of several the lowest, which answers most.

    Args:
        model: as it is used.
        task: validation dialogs.
    Returns: ``threshold``, and how many turns it answers ``right`` and ``wrong`` and leaves ``unanswered``.
    """
    best: list[Tensor] = []
    right: list[Tensor] = []
    with torch.no_grad():
        for numbers in chunks(task, _CHUNK):
            scores, targets = model.responses(task.batch(numbers))
            best.append(torch.softmax(scores, 1).max(1).values.cpu())
            right.append((ranks(scores, targets) == 1).cpu())
    return chosen(torch.cat(best).double(), torch.cat(right))


def chosen(probabilities: Float[Tensor, " turns"], right: Bool[Tensor, " turns"]) -> dict[str, Any]:
    """The threshold, from the probability of each turn's best answer and whether it is right."""
    order = torch.argsort(probabilities, descending=True, stable=True)
    sorted_, gains = probabilities[order], torch.where(right[order], 1, -1).cumsum(0)
    last_of_its_value = torch.cat([sorted_[:-1] != sorted_[1:], torch.ones(1, dtype=torch.bool)])
    gains = torch.where(last_of_its_value, gains, -len(gains) - 1)
    most = int(gains.max())
    if most <= 0:
        threshold = 1.0
    else:
        place = int(torch.nonzero(gains == most)[-1])
        threshold = 0.0 if place == len(gains) - 1 else float(sorted_[place])
    answered = probabilities >= threshold
    return {
        "threshold": threshold,
        "right": int((answered & right).sum()),
        "wrong": int((answered & ~right).sum()),
        "unanswered": int((~answered).sum()),
    }
