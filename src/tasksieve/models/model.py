"""What models of any kind share: their losses as a module, and how parameters are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from tasksieve.encoding import ExampleBatch
from tasksieve.models.linearization import BatchLinearization
from tasksieve.models.memory_network.linearization import SeveralLinearizations


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

    def at(self, params: dict[str, Tensor], batch: ExampleBatch) -> Float[Tensor, " batch"]:
        """The losses at other parameters, by their names in this module."""
        own = getattr(self.model, "losses_at", None)
        losses: Tensor = functional_call(self, params, (batch,)) if own is None else own(params, batch, "model.")
        return losses

    def linearize(self, params: Mapping[str, Tensor], batches: Sequence[ExampleBatch]) -> BatchLinearization | None:
        """The losses of several batches, one after the other, at other parameters, with their derivatives.

        Args:
            params: by their names in this module.
            batches: at least one.
        Returns: None where the model has no quicker way than automatic differentiation.
        """
        own = getattr(self.model, "linearize", None)
        if own is None:
            return None
        parts: list[BatchLinearization]
        parts = [part for batch in batches if (part := own(params, batch, "model.")) is not None]
        if len(parts) == len(batches) == 1:
            return parts[0]
        return SeveralLinearizations(parts, params) if len(parts) == len(batches) else None


def normal(generator: torch.Generator, sd: float, *shape: int) -> nn.Parameter:
    """A parameter drawn from a normal distribution with mean 0."""
    return nn.Parameter(torch.randn(*shape, generator=generator) * sd)
