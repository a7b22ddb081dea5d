"""Method `random-changing`: weights that say nothing, other ones each time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.encoding import Examples, derived_generator
from tasksieve.training.loop.method import Method, Start, Weighing
from tasksieve.training.loop.streams import WEIGHTS_STREAM
from tasksieve.training.methods.registry import register
from tasksieve.weighting import NeedsAll, Numbers, RelatedBatch


@register
class RandomChanging(Method):
    """As multitask, with a new random weight each time a related example is seen."""

    name = "random-changing"
    paper = "Random-Changing"

    def weighing(self, start: Start) -> Weighing:
        """Uniform on (0, 1), by seed and iteration."""
        return Weighing(FreshDraws(start.config.training.seed))


class FreshDraws(NeedsAll):
    """A new random weight, uniform on (0, 1), each time an example is sampled.

    Args:
        seed: of the run.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """Weights of a batch's examples, drawn anew; they follow from seed and step alone."""
        drawn = torch.rand(sum(map(len, batch)), generator=self._generator(step))
        return drawn.to(batch[0].targets.device)

    def snapshot(
        self, tasks: Sequence[Examples], step: int, only: Sequence[Numbers] | None = None
    ) -> list[Float[Tensor, " _"]]:
        """The weights that all examples would get if they were sampled at this iteration."""
        generator = self._generator(step)
        drawn = [torch.rand(len(task), generator=generator) for task in tasks]
        return drawn if only is None else [table[n.cpu()] for table, n in zip(drawn, only, strict=True)]

    def _generator(self, step: int) -> torch.Generator:
        return derived_generator(self._seed, WEIGHTS_STREAM, step)
