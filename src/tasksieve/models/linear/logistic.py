"""The models of the image experiment: logistic regression, and a perceptron over image, label and indicator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tasksieve.contracts import Linearization
from tasksieve.images import ImageBatch
from tasksieve.images.image_task import CLASSES
from tasksieve.models.linear.linearization import LogisticLinearization
from tasksieve.models.model import Model, WeightModule, normal
from tasksieve.models.several import together


class LogisticRegression(Model):
    """The classifier M_θ: one linear layer (7,850 parameters on MNIST).

    Args:
        pixels: of an image.
        generator: draws the initial parameters.
    """

    def __init__(self, pixels: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = normal(generator, 0.01, CLASSES, pixels)
        self.bias = nn.Parameter(torch.zeros(CLASSES))

    def scores(self, batch: ImageBatch) -> Float[Tensor, "batch classes"]:
        """Scores (logits) of the classes."""
        return nn.functional.linear(batch.pixels, self.weight, self.bias)

    def losses(self, batch: ImageBatch) -> Float[Tensor, " batch"]:
        """Cross-entropy of the given labels in nats, per example."""
        return self.losses_at({}, batch)

    def losses_at(self, params: Mapping[str, Tensor], batch: ImageBatch) -> Float[Tensor, " batch"]:
        """The losses at other parameters, without the detour of calling the module with them.

        Args:
            params: by name; those that are missing are the model's own.
            batch: images and labels.
        """
        weight, bias = params.get("weight", self.weight), params.get("bias", self.bias)
        scores = nn.functional.linear(batch.pixels.to(weight.dtype), weight, bias)
        return nn.functional.cross_entropy(scores, batch.targets, reduction="none")

    def linearize(self, params: Mapping[str, Tensor], batches: Sequence[ImageBatch]) -> Linearization:
        """The losses of several batches at other parameters, with derivatives in closed form.

        Args:
            params: where, by name; those that are missing are the model's own, held still.
            batches: at least one.
        """
        own = {"weight": self.weight, "bias": self.bias}
        return together([LogisticLinearization(own, params, batch) for batch in batches], params)

    def backward(
        self, batches: Sequence[ImageBatch], factors: Float[Tensor, " examples"]
    ) -> Float[Tensor, " examples"]:
        """Set the gradients of the losses times factors; returns the losses, detached."""
        return self.backward_by_linearization(batches, factors)


class PerceptronWeightModule(WeightModule):
    """The weight module P_η: a perceptron over image, label and indicator (797 parameters on MNIST).

    Args:
        pixels: of an image.
        generator: draws the initial parameters.
        centre: taken off each image, such as the mean of all. Pixels are not negative, so that without it all their
            weights together act as one bias, which a common step moves a hundred times as far as any other parameter.
    """

    centre: Tensor | None

    def __init__(
        self, pixels: int, generator: torch.Generator, centre: Float[Tensor, " pixels"] | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("centre", None if centre is None else centre.clone())
        self.weight = normal(generator, 0.01, pixels + CLASSES + 2)
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, batch: ImageBatch) -> Float[Tensor, " batch"]:
        """One logit an example, before the sigmoid: the products of the three parts, added up."""
        return self._logits({}, batch)

    def logits_at(
        self, weight_params: Mapping[str, Tensor], batches: Sequence[ImageBatch]
    ) -> list[Float[Tensor, " _"]]:
        """The logits of several batches at other parameters, without the detour of calling the module with them.

        Raises: ValueError: if the images come without an indicator.
        """
        return [self._logits(weight_params, batch) for batch in batches]

    def _logits(self, params: Mapping[str, Tensor], batch: ImageBatch) -> Float[Tensor, " batch"]:
        if batch.indicator is None:
            raise ValueError("this weight module needs the indicator")
        weight, bias = params.get("weight", self.weight), params.get("bias", self.bias)
        pixels, labels, indicator = torch.split(weight, [len(weight) - CLASSES - 2, CLASSES, 2])
        common = labels + (bias if self.centre is None else bias - self.centre.to(weight.dtype) @ pixels)
        logits = torch.addmv(common.index_select(0, batch.targets), batch.indicator.to(weight.dtype), indicator)
        return torch.addmv(logits, batch.pixels.to(weight.dtype), pixels)
