"""Method `meta-weight-net`: weights from a module that sees nothing of an example but its loss."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tasksieve.contracts import ExampleBatch
from tasksieve.encoding import derived_generator
from tasksieve.models import Model, WeightModule
from tasksieve.models.model import normal
from tasksieve.training.loop.method import Method, Start, Weighing
from tasksieve.training.loop.streams import WEIGHT_MODULE_STREAM
from tasksieve.training.methods.registry import register
from tasksieve.weighting import Learned

HIDDEN = 100
"""Units, as in the reference."""


@register
class MetaWeightNet(Method):
    """As learned, but the weight module sees nothing of an example but its loss; no screening."""

    name = "meta-weight-net"
    updates = ("primary", "related", "weights")
    reference = "Shu et al., 2019: Meta-Weight-Net: Learning an Explicit Mapping For Sample Weighting"

    def weighing(self, start: Start) -> Weighing:
        """A module over the losses of the model that is trained."""
        meta, generator = start.config.meta, derived_generator(start.config.training.seed, WEIGHT_MODULE_STREAM)
        module = LossWeightModule(start.model, generator).to(next(start.model.parameters()).device)
        return Weighing(Learned(module, normalize=meta.normalize_weights, warm_up=meta.warm_up), module)


class LossWeightModule(WeightModule):
    r"""From an example's present loss to its logit, by one hidden layer.

    .. math:: \text{logit}_i = v^\top \max(0, a ℓ_i + b) + c

    The loss is that of the model as it is when the module is called, and is not differentiated.

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
