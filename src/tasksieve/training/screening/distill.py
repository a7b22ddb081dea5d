"""Teach a weight module given weights, so that it starts from them and not from one half for all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from tasksieve.encoding import Examples
from tasksieve.models import WeightModule
from tasksieve.records.config import TrainingConfig
from tasksieve.training.loop.samplers import RelatedSampler
from tasksieve.training.loop.streams import DISTILL_STREAM

_LEARNING_RATE = 1e-2


def distill(
    module: WeightModule,
    tasks: Sequence[Examples],
    weights: Float[Tensor, " examples"],
    training: TrainingConfig,
    iterations: int,
) -> None:
    """Fit a weight module to weights by their cross-entropy, in place.

    Args:
        module: a batch to one logit an example.
        tasks: the related tasks.
        weights: wanted for their examples, task after task, in [0, 1].
        training: batch size and seed.
        iterations: of Adam, whose step size falls to 0 on the way.
    """
    tables = torch.split(weights.to(tasks[0].device), [len(task) for task in tasks])
    sampler = RelatedSampler(training, tasks, DISTILL_STREAM)
    optimizer = torch.optim.Adam(module.parameters(), lr=_LEARNING_RATE)
    for step in range(iterations):
        optimizer.param_groups[0]["lr"] = _LEARNING_RATE * (1 - step / iterations)
        batch = sampler.batch(step)
        logits = torch.cat([module(part) for part in batch])
        wanted = torch.cat([table[part.examples] for table, part in zip(tables, batch, strict=True)])
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(binary_cross_entropy_with_logits(logits, wanted))
        optimizer.step()
    module.zero_grad(set_to_none=True)
