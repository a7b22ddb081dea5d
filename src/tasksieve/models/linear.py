"""The models of the image experiment: logistic regression, and weight modules over image, label and indicator."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tasksieve.images import ImageBatch
from tasksieve.images.task import CLASSES
from tasksieve.models.module import normal


class LogisticRegression(nn.Module):
    """The classifier M_θ: one linear layer (7,850 parameters on MNIST).

    Args:
        pixels: of an image.
        generator: draws the initial parameters.
    """

    def __init__(self, pixels: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = normal(generator, 0.01, CLASSES, pixels)
        self.bias = nn.Parameter(torch.zeros(CLASSES))

    def forward(self, batch: ImageBatch) -> Float[Tensor, "batch classes"]:
        """Scores (logits) of the classes."""
        return nn.functional.linear(batch.pixels, self.weight, self.bias)

    def losses(self, batch: ImageBatch) -> Float[Tensor, " batch"]:
        """Cross-entropy of the given labels in nats, per example."""
        return nn.functional.cross_entropy(self(batch), batch.targets, reduction="none")


class PerceptronWeightModule(nn.Module):
    """The weight module P_η: a perceptron over image, label and indicator (797 parameters on MNIST).

    Args:
        pixels: of an image.
        generator: draws the initial parameters.
    """

    def __init__(self, pixels: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = normal(generator, 0.01, pixels + CLASSES + 2)
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, batch: ImageBatch) -> Float[Tensor, " batch"]:
        """One logit an example, before the sigmoid."""
        if batch.indicator is None:
            raise ValueError("this weight module needs the indicator")
        labels = nn.functional.one_hot(batch.targets, CLASSES).to(batch.pixels.dtype)
        return torch.cat([batch.pixels, labels, batch.indicator], dim=1) @ self.weight + self.bias
