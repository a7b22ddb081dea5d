r"""Proportions of groups of related examples, learned by meta-gradients.

With :math:`q_k` the part of the related examples that is of group :math:`k`, as they are drawn, and :math:`a` what is
learned,

.. math:: p = φ q + (1 - φ) \mathrm{softmax}(a), \qquad w_i = p_{k(i)} / q_{k(i)},

so that in expectation a part :math:`p_k` of the related loss is of group k. At first :math:`a = \ln q`: all weights
are 1. :math:`φ` is a floor, which keeps a group from being lost.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tasksieve.contracts import ExampleBatch
from tasksieve.models import WeightModule
from tasksieve.training.loop.method import Start, Weighing
from tasksieve.training.rivals.fixed import answerable
from tasksieve.weighting import Learned, RelatedBatch

_NEAR = 1e-6
"""A proportion stays so far from 0 and 1, so that its logit is finite."""


class Proportions(WeightModule):
    """From an example's group to the logit of its group's proportion.

    Args:
        groups: the number of each related example's group, task after task; no number is left out.
        shares: q.
        heads: the name of each related task's head, by which its batches are known; "" for one without.
        sizes: how many examples each related task has.
        floor: φ.
    """

    groups: Tensor
    shares: Tensor

    def __init__(
        self,
        groups: Int[Tensor, " examples"],
        shares: Float[Tensor, " groups"],
        heads: Sequence[str],
        sizes: Sequence[int],
        floor: float = 0.0,
    ) -> None:
        super().__init__()
        firsts = [sum(sizes[:place]) for place in range(len(sizes))]
        self._first, self._floor = dict(zip(heads, firsts, strict=True)), floor
        self.register_buffer("groups", groups)
        self.register_buffer("shares", shares)
        self.of_group = nn.Parameter(shares.log())

    def forward(self, batch: ExampleBatch) -> Float[Tensor, " batch"]:
        """One logit an example: its sigmoid is the group's proportion."""
        mixed = self._floor * self.shares + (1 - self._floor) * torch.softmax(self.of_group, dim=0)
        return torch.logit(mixed.clamp(_NEAR, 1 - _NEAR))[self.group_of(batch)]

    def group_of(self, batch: ExampleBatch) -> Int[Tensor, " batch"]:
        """The number of each example's group."""
        first = self._first[getattr(batch, "head", "")]
        found: Tensor = self.groups[batch.examples + first]
        return found


class ByProportion(Learned):
    """Weights that give each group its proportion; what is recorded is the proportion.

    Args:
        module: gives the proportions.
        warm_up: iterations with all weights 1 before the module is asked.
    """

    module: Proportions

    def __init__(self, module: Proportions, *, warm_up: int = 0) -> None:
        super().__init__(module, warm_up=warm_up)

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """The current weights, without a graph."""
        if step < self.warm_up:
            return torch.ones(sum(map(len, batch)), device=batch[0].targets.device)
        with torch.no_grad():
            return self._weights([self.module(part) for part in batch], batch)

    def unrolled(self, weight_params: dict[str, Tensor], batches: Sequence[RelatedBatch]) -> list[Tensor]:
        """Differentiable weights of K batches: for each simulated step its weights, task after task."""
        flat = [part for batch in batches for part in batch]
        weights = self._weights(self.module.logits_at(weight_params, flat), flat)
        return list(torch.split(weights, [sum(map(len, batch)) for batch in batches]))

    def _weights(self, logits: Sequence[Tensor], batches: Sequence[ExampleBatch]) -> Tensor:
        groups = torch.cat([self.module.group_of(batch) for batch in batches])
        return torch.sigmoid(torch.cat(list(logits))) / self.module.shares[groups]


def by_proportion(start: Start, groups: Int[Tensor, " examples"], floor: float = 0.0) -> Weighing:
    """Weights by the proportions of groups, all 1 where there is one group.

    Args:
        start: of the run.
        groups: the number of each related example's group, task after task.
        floor: φ.
    """
    related, meta = start.tasks.related, start.config.meta
    heads = [str(getattr(task, "head", "")) for task in related]
    sizes = [len(task) for task in related]
    module = Proportions(groups, _shares(start, groups), heads, sizes, floor).to(related[0].device)
    return Weighing(ByProportion(module, warm_up=meta.warm_up), module)


def _shares(start: Start, groups: Int[Tensor, " examples"]) -> Float[Tensor, " groups"]:
    """q: each task is drawn from alike, and each of its examples that can be learned from."""
    related, training = start.tasks.related, start.config.training
    able = torch.split(answerable(related).float(), [len(task) for task in related])
    size = training.related_batch_size or training.batch_size
    chances = torch.cat([part * min(size, float(part.sum())) / part.sum() for part in able])
    found = torch.zeros(int(groups.max()) + 1).index_add(0, groups, chances)
    return (found / found.sum()).clamp(min=_NEAR)
