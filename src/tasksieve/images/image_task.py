"""Images as examples, and a related task made of the same images with wrong labels (paper, Section 4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tasksieve.contracts import brought
from tasksieve.images.read import Digits

CLASSES = 10
_STRETCH = 1024
Corruption = Literal["next", "uniform"]


class ImageBatch:
    """Some images of a split; their pixels are copied from there when they are asked for.

    Args:
        digits: the split.
        targets: the labels given, right or wrong.
        examples: the images' numbers in the split.
        indicator: two columns that tell whether the label is right; None if it is not told.
        pixels: of these images, if they are at hand.
    """

    __slots__ = ("_digits", "_pixels", "examples", "indicator", "targets")

    def __init__(
        self,
        digits: Digits,
        targets: Int[Tensor, " batch"],
        examples: Int[Tensor, " batch"],
        indicator: Float[Tensor, "batch 2"] | None,
        pixels: Float[Tensor, "batch pixels"] | None = None,
    ) -> None:
        self.targets, self.examples, self.indicator = targets, examples, indicator
        self._digits, self._pixels = digits, pixels

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def pixels(self) -> Float[Tensor, "batch pixels"]:
        """The pixels of all images, in [0, 1]."""
        if self._pixels is None:
            self._pixels = self._digits.pixels.index_select(0, self.examples)
        return self._pixels


class ImageTask:
    """All images of a split with their labels.

    Args:
        digits: images and the labels to learn.
        right: whether each label is right, for the indicator; None if it is not told.
    """

    def __init__(self, digits: Digits, right: Bool[Tensor, " images"] | None = None) -> None:
        self.digits = digits
        self._indicator = None if right is None else torch.nn.functional.one_hot(right.long(), 2).float()

    def __len__(self) -> int:
        return len(self.digits)

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.digits.labels.device

    def batch(self, examples: Int[Tensor, " batch"]) -> ImageBatch:
        """The images with these numbers, in this order."""
        if examples.device != self.device and examples.device.type == "cpu":
            examples = brought(examples, self.device)
        indicator = None if self._indicator is None else self._indicator.index_select(0, examples)
        return ImageBatch(self.digits, self.digits.labels.index_select(0, examples), examples, indicator)

    def in_order(self) -> Iterator[ImageBatch]:
        """All images, without a copy of them."""
        numbers = self.answerable()
        for first in range(0, len(self), _STRETCH):
            here = slice(first, first + _STRETCH)
            indicator = None if self._indicator is None else self._indicator[here]
            pixels, labels = self.digits.pixels[here], self.digits.labels[here]
            yield ImageBatch(self.digits, labels, numbers[here], indicator, pixels)

    def answerable(self) -> Int[Tensor, " images"]:
        """Numbers of the images that can be learned from: all of them."""
        return torch.arange(len(self), device=self.device)


def corrupt(
    labels: Int[Tensor, " images"], share: float, kind: Corruption, generator: torch.Generator
) -> tuple[Int[Tensor, " images"], Bool[Tensor, " images"]]:
    """Make a share of the labels wrong.

    Args:
        labels: the right ones.
        share: of labels to make wrong, in [0, 1]; exactly so many, rounded.
        kind: ``next`` for (y + 1) mod 10, ``uniform`` for any of the nine others.
        generator: draws which, and to what.
    Returns: the labels, and whether each is right.
    """
    chosen = torch.randperm(len(labels), generator=generator)[: round(share * len(labels))]
    right = torch.ones(len(labels), dtype=torch.bool)
    right[chosen] = False
    shift = torch.ones(len(labels), dtype=torch.long)
    if kind == "uniform":
        shift = torch.randint(1, CLASSES, (len(labels),), generator=generator)
    return torch.where(right, labels, (labels + shift) % CLASSES), right
