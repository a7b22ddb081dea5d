"""A weight module that sees nothing of an example but its loss."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tasksieve.contracts import ExampleBatch
from tasksieve.models.model import Model, WeightModule, normal

HIDDEN = 100
"""Units, as in the reference."""


class LossWeightModule(WeightModule):
    r"""Meta-Weight-Net: from an example's present loss to its logit, by one hidden layer.

    .. math:: \text{logit}_i = v^\top \max(0, a ℓ_i + b) + c

    The loss is that of the dialog model as it is when the module is called, and is not differentiated.

    Args:
        model: whose losses; its parameters do not become this module's.
        generator: draws the initial parameters.

    Reference: Shu et al., 2019, Section 3.
    """

    def __init__(self, model: Model, generator: torch.Generator) -> None:
        super().__init__()
        self._model = (model,)  # in a tuple, so that it is no part of the module
        self.inner_weight = normal(generator, 1.0, HIDDEN)
        self.inner_bias = nn.Parameter(torch.zeros(HIDDEN))
        self.weight = normal(generator, 0.1, HIDDEN)
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, batch: ExampleBatch) -> Float[Tensor, " batch"]:
        """One logit an example, before the sigmoid."""
        (model,) = self._model
        with torch.no_grad():
            losses = model.losses(batch)
        hidden = torch.relu(losses[:, None] * self.inner_weight + self.inner_bias)
        return hidden @ self.weight + self.bias
