"""A weight module for images that is not told which labels are right."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tasksieve.images import ImageBatch
from tasksieve.images.image_task import CLASSES
from tasksieve.models.model import WeightModule, normal


class LabelScoreModule(WeightModule):
    r"""A weight module P_η that knows image and label only: a score a label, of which the given label's counts.

    .. math:: h = \max(0, A x + a), \quad s = B h + b, \quad \text{logit} = s_y

    A perceptron over image and label adds what it sees in either, so that it cannot tell whether they belong
    together; here every label has a score of its own.

    Args:
        pixels: of an image.
        hidden: units of h.
        generator: draws the initial parameters.
    """

    def __init__(self, pixels: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.inner_weight = normal(generator, math.sqrt(2 / pixels), hidden, pixels)
        self.inner_bias = nn.Parameter(torch.zeros(hidden))
        self.weight = normal(generator, 0.1 / math.sqrt(hidden), CLASSES, hidden)
        self.bias = nn.Parameter(torch.zeros(CLASSES))

    def forward(self, batch: ImageBatch) -> Float[Tensor, " batch"]:
        """One logit an example, before the sigmoid; an indicator is not looked at."""
        hidden = torch.addmm(self.inner_bias[:, None], self.inner_weight, batch.pixels.to(self.weight.dtype).T).relu()
        scores = torch.addmm(self.bias[:, None], self.weight, hidden)
        return scores.gather(0, batch.targets[None])[0]
