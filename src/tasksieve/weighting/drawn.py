"""Learned weights of groups, by which related examples are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.encoding import Examples
from tasksieve.models.group_weights import GroupWeights
from tasksieve.weighting.learned import Learned
from tasksieve.weighting.weighter import SNAPSHOT_CHUNK, Numbers, RelatedBatch


class Drawn(Learned):
    r"""Weights :math:`w_g = σ(P_η)` of groups (Eq. 3), in proportion to which examples are drawn.

    An example of group g makes up the share :math:`w_g / \sum_h n_h w_h` of what is learned from, with :math:`n_g`
    the size of the group; but of a part of the examples, set by the module's ``common``, without what is the group's
    own, so that no service is forgotten on the word of a few dialogs. To draw an example so often and to learn from
    it with weight 1 is, in the mean, the same as to draw all alike and to weight their losses; but every example of a
    batch counts in full, however small its group is.

    Args:
        module: gives each group a logit.
        learnable: numbers of the examples of the one related task that can be learned from.
        warm_up: iterations in which all examples are drawn alike.
    Attributes:
        total, add: sum a number over the parts of a batch, where each is another process's, without a derivative and
            with one; a batch is one part by default.
    """

    total: Callable[[Tensor], Tensor]
    add: Callable[[Tensor], Tensor]

    def __init__(self, module: GroupWeights, learnable: Numbers, *, warm_up: int = 0) -> None:
        super().__init__(module, warm_up=warm_up)
        self.groups = module
        groups = module.of_example[learnable]
        self._sizes = torch.bincount(groups, minlength=len(module.own))
        self._counts = self._sizes.cpu()
        self._numbers = learnable[torch.argsort(groups, stable=True)].cpu()
        self._firsts = self._counts.cumsum(0) - self._counts
        self.total = self.add = _itself

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """Ones, as many as the batch has examples: they were drawn by their weights."""
        return torch.ones(sum(map(len, batch)), device=batch[0].targets.device)

    def snapshot(
        self, tasks: Sequence[Examples], step: int, only: Sequence[Numbers] | None = None
    ) -> list[Float[Tensor, " _"]]:
        """The weights of the examples' groups, for which no batch is needed."""
        (task,) = tasks
        (numbers,) = (torch.arange(len(task), device=task.device),) if only is None else only
        logits = self.groups.by_group()
        parts = torch.split(self.groups.of_example[numbers], SNAPSHOT_CHUNK)
        return [torch.cat([torch.sigmoid(logits[groups]) for groups in parts])]

    @torch.no_grad()
    def shares(self, step: int) -> Float[Tensor, " groups"]:
        """Which share of what is learned from at an iteration each group makes up."""
        sizes = self._sizes.to(self.groups.own.dtype)
        if step < self.warm_up:
            return sizes / sizes.sum()
        common = self.groups.config.common
        return common * _shares(sizes, self.groups.common()) + (1 - common) * _shares(sizes, self.groups.by_group())

    def draw(self, step: int, size: int, generator: torch.Generator) -> Numbers:
        """Numbers of so many examples, with replacement, for an iteration; they are on the CPU.

        Whatever device learns the weights is waited for here.
        """
        shares = self.shares(step).cpu()
        return self._of(torch.multinomial(shares, size, replacement=True, generator=generator), generator)

    def flat(self, each: int, generator: torch.Generator) -> Numbers:
        """Numbers of so many examples of each group, with replacement; none of a group without examples."""
        there = torch.nonzero(self._counts > 0).flatten()
        return self._of(torch.repeat_interleave(there, each), generator)

    def _of(self, groups: Int[Tensor, " drawn"], generator: torch.Generator) -> Numbers:
        """For each of these groups one of its examples."""
        places = torch.rand(len(groups), generator=generator, dtype=torch.float64)
        within = (places * self._counts[groups]).long()
        return self._numbers[self._firsts[groups] + within]

    def unrolled(self, weight_params: dict[str, Tensor], batches: Sequence[RelatedBatch]) -> list[Tensor]:
        r"""Weights of K batches that :meth:`flat` has drawn, differentiable in the geometry of shares.

        An example stands for all of its group, and the batch for the whole related task: its weight is what it has in
        a drawn batch in the mean, times the batch's size. The derivative is the natural one: that of the examples
        drawn with what is a group's own, by a logit, divided by the group's share of them and :math:`1 - w`; so a
        group which is hardly drawn can come back (the exponentiated gradient of Kivinen and Warmuth, 1997, as long
        as weights are small).
        """
        return [self._standing(weight_params, batch) for batch in batches]

    def _standing(self, weight_params: dict[str, Tensor], batch: RelatedBatch) -> Float[Tensor, " batch"]:
        (part,) = batch
        (logits,) = self.module.logits_at(weight_params, [part])
        groups = self.groups.of_example[part.examples]
        drawn = self.total(torch.zeros_like(self._sizes).index_add_(0, groups, torch.ones_like(groups)))
        each = 1 / drawn.clamp(min=1)[groups].to(logits.dtype)
        sizes = self._sizes.to(logits.dtype)
        shares = _shares(sizes, self.groups.by_group().detach())[groups] * each
        natural = logits * each - shares * self.add((logits * each).sum())
        return drawn.sum() * (self.shares(self.warm_up)[groups] * each + natural - natural.detach())


def _itself(value: Tensor) -> Tensor:
    return value


def _shares(sizes: Float[Tensor, " groups"], logits: Float[Tensor, " groups"]) -> Float[Tensor, " groups"]:
    """Which share of all each group makes up, by size and weight; by size alone if nothing has any weight."""
    counted = sizes * torch.sigmoid(logits)
    total = counted.sum()
    return torch.where(total > 0, counted / total, sizes / sizes.sum())
