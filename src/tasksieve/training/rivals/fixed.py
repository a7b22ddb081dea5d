"""Methods that give every related example a weight before the first iteration, and never change it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tasksieve.contracts import Examples
from tasksieve.errors import UserError
from tasksieve.records.config import LoopConfig
from tasksieve.training.loop.method import Method, Start, Weighing
from tasksieve.training.rivals.prepared import Watch, preparation
from tasksieve.weighting import Relative, by_task

_NAME = "weights"


class FixedWeights(Method, ABC):
    """As multitask, with weights found before the first iteration."""

    @abstractmethod
    def find(self, start: Start, watch: Watch) -> Float[Tensor, " examples"]:
        """How much each related example counts, task after task, on the CPU; not negative, and on any scale.

        Args:
            start: of the run.
            watch: called with the number of iterations done.
        """

    def iterations(self, config: LoopConfig) -> int:
        """How many iterations :meth:`find` takes."""
        return 0

    def mean(self, config: LoopConfig) -> float:
        """The weights' mean over the related examples that can be learned from."""
        return 1.0

    def weighing(self, start: Start) -> Weighing:
        """Weights that a preparation finds."""
        weighter, related = Relative(), start.tasks.related

        def find(watch: Watch) -> dict[str, Tensor]:
            found = self.find(start, watch) * answerable(related)
            scale = self.mean(start.config) * int(answerable(related).sum()) / found.double().sum()
            return {_NAME: (found * scale if bool(found.any()) else found).float()}

        def take(found: Mapping[str, Tensor]) -> None:
            weights = found.get(_NAME)
            if weights is None or len(weights) != sum(map(len, related)):
                raise UserError("prepared.safetensors is not of these related examples; train into a new folder")
            weighter.fill(by_task(weights.clone(), related))

        return Weighing(weighter, prepare=preparation(start, self.iterations(start.config), find, take))


class Selection(FixedWeights):
    """As multitask, with a part of the related examples, all equal.

    Updates draw so many more of all that about a batch of them is kept. Weights are 1 divided by the share kept, so
    that the related loss is the mean over those kept.
    """

    @abstractmethod
    def kept(self, start: Start, watch: Watch) -> Bool[Tensor, " examples"]:
        """Which related examples are kept; see :meth:`find`."""

    def find(self, start: Start, watch: Watch) -> Float[Tensor, " examples"]:
        """1 for those kept."""
        return self.kept(start, watch).float()

    def drawn(self, config: LoopConfig) -> int:
        """So many that about a batch of them is kept."""
        return more_drawn(config)


class TopShare(Selection):
    """As multitask, with the related examples that score highest; the share is ``rivals.share``."""

    @abstractmethod
    def scores(self, start: Start, watch: Watch) -> Float[Tensor, " examples"]:
        """A score for each related example; see :meth:`find`."""

    def kept(self, start: Start, watch: Watch) -> Bool[Tensor, " examples"]:
        """Those with the highest scores."""
        share = start.config.rivals.share
        return highest(self.scores(start, watch), answerable(start.tasks.related), share)


def more_drawn(config: LoopConfig) -> int:
    """How many examples are drawn where ``rivals.share`` of them is kept and a batch is to be left."""
    training = config.training
    return round((training.related_batch_size or training.batch_size) / config.rivals.share)


def answerable(tasks: Sequence[Examples]) -> Bool[Tensor, " examples"]:
    """Which examples of tasks, one after the other, can be learned from; on the CPU."""
    tables = []
    for task in tasks:
        table = torch.zeros(len(task), dtype=torch.bool)
        table[task.answerable().cpu()] = True
        tables.append(table)
    return torch.cat(tables)


def highest(
    scores: Float[Tensor, " examples"], among: Bool[Tensor, " examples"], share: float
) -> Bool[Tensor, " examples"]:
    """Which of some examples have the highest scores: a share of them, at least one; of equals the first."""
    numbers = torch.nonzero(among).flatten()
    order = torch.argsort(scores[numbers], descending=True, stable=True)
    kept = torch.zeros_like(among)
    kept[numbers[order[: max(1, round(share * len(numbers)))]]] = True
    return kept
