"""Trials trained at the same time as one model: same start, same batches, each with weights of its own.

One after the other, a trial draws anew which words it drops; side by side all drop the same. Where none are dropped
they end alike, but for rounding. A batch without any weight in a trial leaves its model as it is, but for one thing:
the optimiser counts that step too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.contracts import given_weights
from tasksieve.models.matching.model import Matching
from tasksieve.models.matching.side_by_side import apart, norms, part_of, scale, stacked
from tasksieve.records.config import LoopConfig
from tasksieve.training.loop.optimizers import adam_step, set_lr
from tasksieve.training.loop.samplers import RelatedSampler, Tasks, sampler
from tasksieve.training.loop.state import start_state
from tasksieve.training.loop.streams import PRIMARY_STREAM, RELATED_STREAM

_MOMENTS = ("exp_avg", "exp_avg_sq")


class SideBySide:
    """Trains several matching models on both tasks, each with weights of the related examples that are given.

    Args:
        config: of the run.
        models: that start; changed by :meth:`settle`.
        tasks: encoded data.
        weights: for each related task the weights of its examples, a row a model.
    """

    def __init__(
        self,
        config: LoopConfig,
        models: Sequence[Matching],
        tasks: Tasks,
        weights: Sequence[Float[Tensor, "models _"]],
    ) -> None:
        self._training, self._models, self._tasks, self._weights = config.training, models, tasks, weights
        self._whole = stacked(models)
        self._state = start_state(config, self._whole, None)
        self._primary = sampler(config.training, tasks.primary.answerable(), PRIMARY_STREAM)
        self._related = RelatedSampler(config.training, tasks.related, RELATED_STREAM)

    def iterate(self, step: int) -> None:
        """Do the iteration with this number, counted from 0, for all models."""
        training = self._training
        if training.primary_updates:
            batch = self._tasks.primary.batch(self._primary.batch(step))
            ones = self._whole.bias.new_ones(len(self._models), len(batch))
            self._descend([batch], ones, len(batch), "primary", step, training.primary_lr)
        drawn = list(self._related.batch(step))
        found = [table[:, part.examples] for table, part in zip(self._weights, drawn, strict=True)]
        self._descend(drawn, torch.cat(found, dim=1), self._related.size, "related", step, training.related_lr)

    def settle(self) -> Sequence[Matching]:
        """The models, with what they have learned so far."""
        apart(self._whole, self._models)
        return self._models

    def _descend(self, batches: Sequence[Any], factors: Tensor, size: int, update: str, step: int, lr: float) -> None:
        training, parts = self._training, len(self._models)
        given = given_weights(batches)
        factors = factors if given is None else factors * given
        self._whole.zero_grad(set_to_none=True)
        losses = torch.cat([self._whole.losses_apart(batch, parts) for batch in batches], dim=1)
        total = (losses * factors).sum()
        torch.autograd.backward(total / size if training.reduction == "mean" else total)
        if training.max_grad_norm is not None:
            scale(self._whole, (training.max_grad_norm / (norms(self._whole, parts) + 1e-6)).clamp(max=1))
        share = max(0.0, 1 - step / training.iterations) if training.lr_schedule == "linear" else 1.0
        optimizer = self._state.optimizers[update]
        set_lr(optimizer, lr * share)
        idle = torch.nonzero(~factors.any(dim=1)).flatten().tolist()
        held = self._held(optimizer, idle)
        adam_step(optimizer)
        for part, before in held:
            part.copy_(before)

    @torch.no_grad()
    def _held(self, optimizer: torch.optim.Optimizer, idle: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        """What is to be as it was after a step for models that take none: what it is part of, and how it is now."""
        found: list[tuple[Tensor, Tensor]] = []
        for name, value in self._whole.named_parameters():
            moments = [optimizer.state.get(value, {}).get(moment) for moment in _MOMENTS] if idle else []
            for whole in (value.detach(), *moments):
                if whole is not None and value.numel():
                    parts = [part_of(name, whole, place, len(self._models)) for place in idle]
                    found += [(part, part.clone()) for part in parts]
        return found
