r"""Method `rho-loss`: of a larger batch, the related examples whose loss can still be reduced.

:math:`θ_H` are the parameters of a model trained on the primary task alone, from which related examples are held out.
An example's *irreducible* loss is its loss there. In an update, of a related batch :math:`1 / s` times as large,

.. math:: \text{kept} = \text{the share } s \text{ with the highest } ℓ_i(θ) - ℓ_i(θ_H)

at the present θ, all with the same weight; :math:`s` is ``rivals.share``. What is learned already has a low first
term; what the primary task's model finds strange, noise or far from the task, a high second one.

Reference: Mindermann et al., 2022, Algorithm 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.contracts import Examples
from tasksieve.errors import UserError
from tasksieve.models import Model
from tasksieve.records.config import LoopConfig
from tasksieve.training.loop.as_measured import as_measured
from tasksieve.training.loop.method import Method, Start, Weighing
from tasksieve.training.methods.registry import register
from tasksieve.training.rivals.fixed import more_drawn
from tasksieve.training.rivals.prepared import Watch, preparation
from tasksieve.training.rivals.short_training import losses_of, model_of_primary
from tasksieve.weighting import Numbers, RelatedBatch, by_task

_NAME = "irreducible"
_CHUNK = 256


@register
class RhoLoss(Method):
    """As multitask, with the half of each related batch whose loss exceeds that of your task's model most."""

    name = "rho-loss"
    reference = "Mindermann et al., 2022: Prioritized Training on Points that are Learnable, Worth Learning, ..."

    def weighing(self, start: Start) -> Weighing:
        """By the losses of the model that is trained."""
        related = start.tasks.related
        weighter = Reducible(start.model, related, start.config.rivals.share)

        def find(watch: Watch) -> dict[str, Tensor]:
            model = model_of_primary(start, watch)
            return {_NAME: torch.cat([losses_of(model, task) for task in related])}

        def take(found: Mapping[str, Tensor]) -> None:
            losses = found.get(_NAME)
            if losses is None or len(losses) != sum(map(len, related)):
                raise UserError("prepared.safetensors is not of these related examples; train into a new folder")
            weighter.irreducible = by_task(losses.clone(), related)

        return Weighing(weighter, prepare=preparation(start, start.config.rivals.iterations, find, take))

    def drawn(self, config: LoopConfig) -> int:
        """So many that a batch of them is kept."""
        return more_drawn(config)


class Reducible:
    """Keeps the share of a batch whose loss can be reduced most; those kept have the same weight.

    Args:
        model: whose losses.
        tasks: the related tasks.
        share: that is kept of the batch of each task.

    Attributes:
        irreducible: for each related task its examples' losses at another model.
    """

    def __init__(self, model: Model, tasks: Sequence[Examples], share: float) -> None:
        self._model, self._tasks, self._share = model, tuple(tasks), share
        self._drawn = [0] * len(self._tasks)
        self.irreducible: Sequence[Float[Tensor, " _"]] = ()

    def needed(self, task: int, numbers: Numbers) -> Numbers:
        """Those of the examples drawn that are kept."""
        self._drawn[task] = len(numbers)
        return numbers[self._highest(self._reducible(task, numbers)).to(numbers.device)]

    def weights(self, batch: RelatedBatch, step: int) -> Float[Tensor, " batch"]:
        """Such that the sum over a task's examples is the number of those drawn."""
        device = batch[0].targets.device
        parts = zip(batch, self._drawn, strict=True)
        return torch.cat([torch.full((len(part),), drawn / len(part), device=device) for part, drawn in parts])

    def snapshot(
        self, tasks: Sequence[Examples], step: int, only: Sequence[Numbers] | None = None
    ) -> list[Float[Tensor, " _"]]:
        """1 for those that are kept now if all are drawn at once, 0 for the others."""
        found = []
        for place, task in enumerate(tasks):
            numbers = torch.arange(len(task), device=task.device) if only is None else only[place]
            able = torch.nonzero(torch.isfinite(self.irreducible[place][numbers])).flatten()
            losses = [self._reducible(place, part) for part in torch.split(numbers[able], _CHUNK)]
            weights = torch.zeros(len(numbers), device=task.device)
            if losses:
                weights[able[self._highest(torch.cat(losses))]] = 1.0
            found.append(weights)
        return found

    @torch.no_grad()
    def _reducible(self, task: int, numbers: Numbers) -> Float[Tensor, " _"]:
        """The loss now less the irreducible one."""
        with as_measured(self._model):
            losses = self._model.losses(self._tasks[task].batch(numbers))
        return losses - self.irreducible[task][numbers]

    def _highest(self, reducible: Float[Tensor, " _"]) -> Numbers:
        """Their places, in order."""
        kept = max(1, round(self._share * len(reducible)))
        return reducible.topk(kept).indices.sort().values
