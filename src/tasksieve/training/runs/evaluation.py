"""How well a model finds the right response: per turn, per dialog, by kind of turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.encoding import EncodedTask, chunks
from tasksieve.models import DialogModel

HITS = (1, 5, 10)
UNANSWERABLE = 1 << 40
"""The rank of a right response that is no candidate."""
_CHUNK = 256


def ranks(scores: Float[Tensor, "batch candidates"], targets: Int[Tensor, " batch"]) -> Int[Tensor, " batch"]:
    """The rank of the right response, from 1; ties count against it, so candidate order changes nothing.

    A target of -1 (the right response is no candidate) has the rank :data:`UNANSWERABLE`.
    """
    right = scores.gather(1, targets.clamp(min=0)[:, None])
    rank = (scores >= right).sum(dim=1)
    return torch.where(targets >= 0, rank, UNANSWERABLE)


@contextmanager
def _in_use(model: DialogModel) -> Iterator[None]:
    """Have a model in its mode for use, without dropout and the like, and leave it in the one it had."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)


def task_ranks(model: DialogModel, task: EncodedTask) -> Int[Tensor, " examples"]:
    """The rank of the right response for every example of a task, on the CPU."""
    found = []
    with _in_use(model):
        for numbers in chunks(task, _CHUNK):
            found.append(ranks(*model.responses(task.batch(numbers))))
    return torch.cat(found).cpu()


def mean_probability(model: DialogModel, task: EncodedTask) -> float:
    """Mean probability of the right response over the examples that have it among their candidates, in [0, 1].

    Says much the same as accuracy with less noise, and unlike the loss is not ruled by what nobody can predict.
    """
    found = []
    with _in_use(model):
        for numbers in torch.split(task.answerable(), _CHUNK):
            scores, targets = model.responses(task.batch(numbers))
            found.append(torch.softmax(scores, dim=1).gather(1, targets[:, None])[:, 0])
    return float(torch.cat(found).double().mean())


def accuracy(found: Int[Tensor, " examples"]) -> float:
    """Share of examples whose right response ranks first, in per cent."""
    return 100.0 * float((found == 1).double().mean())


def summary(found: Int[Tensor, " examples"], task: EncodedTask) -> dict[str, Any]:
    """All accuracies of a task, in per cent: the record ``test.json`` without its source.

    Args:
        found: from :func:`task_ranks`. With fewer than k candidates, hits@k counts every answerable turn.
        task: the same task.
    """
    answerable = found < UNANSWERABLE
    dialogs = torch.tensor([example.dialog for example in task.examples])
    wrong = torch.zeros(int(dialogs.max()) + 1).index_add_(0, dialogs, (found != 1).float())
    kinds: dict[str, list[int]] = {}
    for number, example in enumerate(task.examples):
        kinds.setdefault(example.kind, []).append(number)
    coverage = task.coverage
    return {
        "turns": len(task),
        "dialogs": len(wrong),
        "accuracy": accuracy(found),
        "per_dialog_accuracy": 100.0 * float((wrong == 0).double().mean()),
        "hits": _hits(found, answerable),
        "by_kind": {
            kind: {"turns": len(numbers), "hits": _hits(found[numbers], answerable[numbers])}
            for kind, numbers in sorted(kinds.items())
        },
        "coverage": {
            "candidate_ceiling": coverage.ceiling,
            "unseen_responses": coverage.unseen_responses,
            "unknown_words": 100.0 * coverage.unknown_words / max(1, coverage.words),
        },
    }


def _hits(found: Tensor, answerable: Tensor) -> dict[str, float]:
    return {str(k): 100.0 * float(((found <= k) & answerable).double().mean()) for k in HITS}
