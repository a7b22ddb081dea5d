"""What models of any kind share: their losses as a module, and how parameters are drawn."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tasksieve.encoding import ExampleBatch


class LossesOf(nn.Module):
    """A model's losses as a module of their own, to be called with other parameters than its own.

    Args:
        model: has ``losses(batch)``, per-example losses of shape (batch,).
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: ExampleBatch) -> Float[Tensor, " batch"]:
        """The model's losses."""
        losses: Tensor = self.model.losses(batch)  # type: ignore[operator]
        return losses


def normal(generator: torch.Generator, sd: float, *shape: int) -> nn.Parameter:
    """A parameter drawn from a normal distribution with mean 0."""
    return nn.Parameter(torch.randn(*shape, generator=generator) * sd)
