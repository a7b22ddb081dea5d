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

from tasksieve.contracts import Examples
from tasksieve.models import WeightModule
from tasksieve.training.loop.method import Start, Weighing
from tasksieve.training.rivals.fixed import answerable
from tasksieve.weighting import Learned, Numbers, RelatedBatch

_NEAR = 1e-6
"""A proportion stays so far from 0 and 1, so that its logit is finite."""


class Proportions(WeightModule):
    """From groups to the logits of their proportions; a batch is the numbers of its examples' groups.

    Args:
        groups: the number of each related example's group, task after task; no number is left out.
        shares: q.
        floor: φ.
    """

    groups: Tensor
    shares: Tensor

    def __init__(
        self, groups: Int[Tensor, " examples"], shares: Float[Tensor, " groups"], floor: float = 0.0
    ) -> None:
        super().__init__()
        self._floor = floor
        self.register_buffer("groups", groups)
        self.register_buffer("shares", shares)
        self.of_group = nn.Parameter(shares.log())

    def forward(self, batch: Int[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """One logit an example: its sigmoid is the group's proportion."""
        mixed = self._floor * self.shares + (1 - self._floor) * torch.softmax(self.of_group, dim=0)
        return torch.logit(mixed.clamp(_NEAR, 1 - _NEAR))[batch]


class ByProportion(Learned):
    """Weights that give each group its proportion; what is recorded is the proportion.

    Args:
        module: gives the proportions.
        sizes: how many examples each related task has.
        warm_up: iterations with all weights 1 before the module is asked.
    """

    module: Proportions

    def __init__(self, module: Proportions, sizes: Sequence[int], *, warm_up: int = 0) -> None:
        super().__init__(module, warm_up=warm_up)
        self._of_task = torch.split(module.groups, list(sizes))

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """The current weights, without a graph."""
        if step < self.warm_up:
            return torch.ones(sum(map(len, batch)), device=batch[0].targets.device)
        with torch.no_grad():
            groups = self._groups(batch)
            return self._weights([self.module(part) for part in groups], groups)

    @torch.no_grad()
    def snapshot(
        self, tasks: Sequence[Examples], step: int, only: Sequence[Numbers] | None = None
    ) -> list[Float[Tensor, " _"]]:
        """The proportions of examples' groups, during warm-up too."""
        if only is None:
            return [torch.sigmoid(self.module(groups)) for groups in self._of_task]
        wanted = zip(self._of_task, only, strict=True)
        return [torch.sigmoid(self.module(groups[numbers])) for groups, numbers in wanted]

    def unrolled(self, weight_params: dict[str, Tensor], batches: Sequence[RelatedBatch]) -> list[Tensor]:
        """Differentiable weights of K batches: for each simulated step its weights, task after task."""
        flat = [groups for batch in batches for groups in self._groups(batch)]
        weights = self._weights(self.module.logits_at(weight_params, flat), flat)
        return list(torch.split(weights, [sum(map(len, batch)) for batch in batches]))

    def _groups(self, batch: RelatedBatch) -> list[Int[Tensor, " _"]]:
        """The groups of a batch's examples, task after task; a task is known by its place alone."""
        return [groups[part.examples] for groups, part in zip(self._of_task, batch, strict=True)]

    def _weights(self, logits: Sequence[Tensor], groups: Sequence[Tensor]) -> Tensor:
        return torch.sigmoid(torch.cat(list(logits))) / self.module.shares[torch.cat(list(groups))]


def by_proportion(start: Start, groups: Int[Tensor, " examples"], floor: float = 0.0) -> Weighing:
    """Weights by the proportions of groups, all 1 where there is one group.

    Args:
        start: of the run.
        groups: the number of each related example's group, task after task.
        floor: φ.
    """
    related, meta = start.tasks.related, start.config.meta
    module = Proportions(groups, _shares(start, groups), floor).to(related[0].device)
    return Weighing(ByProportion(module, list(map(len, related)), warm_up=meta.warm_up), module)


def _shares(start: Start, groups: Int[Tensor, " examples"]) -> Float[Tensor, " groups"]:
    """q: each task is drawn from alike, and each of its examples that can be learned from."""
    related, training = start.tasks.related, start.config.training
    able = torch.split(answerable(related).float(), [len(task) for task in related])
    size = training.related_batch_size or training.batch_size
    chances = torch.cat([part * min(size, float(part.sum())) / part.sum() for part in able])
    found = torch.zeros(int(groups.max()) + 1).index_add(0, groups, chances)
    return (found / found.sum()).clamp(min=_NEAR)
