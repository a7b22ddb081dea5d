"""Images by the pixels that are not 0: of handwriting, a fifth."""

from __future__ import annotations

import ctypes

import torch
from jaxtyping import Float, Int, UInt16
from torch import Tensor

from tasksieve.kernels import RowIndices

_SHORT = 1 << 16
_SAMPLE = 1 << 20


class SparsePixels:
    """The pixels of many images that are not 0, image after image (compressed sparse rows).

    Args:
        offsets: where the images begin, and where the last one ends.
        entries: the pixels, each its place in the image and its level.
        levels: the distinct values.
        width: pixels of an image.
    """

    def __init__(
        self,
        offsets: Int[Tensor, " images_and_1"],
        entries: UInt16[Tensor, "ink 2"],
        levels: Float[Tensor, " levels"],
        width: int,
    ) -> None:
        self.offsets, self.entries, self.levels, self.width = offsets, entries, levels, width

    @classmethod
    def of(cls, pixels: Float[Tensor, "images pixels"]) -> SparsePixels | None:
        """Those of these images; None if nothing is gained, or they do not fit.

        They are not on the CPU, more than half of them are not 0, or they have more values than two bytes can tell.
        """
        images, width = pixels.shape
        if pixels.device.type != "cpu" or width > _SHORT:
            return None
        inked = pixels != 0
        counts = inked.sum(dim=1)
        if 2 * int(counts.sum()) > pixels.numel():
            return None
        levels, level = _levels(pixels[inked])
        if len(levels) > _SHORT:
            return None
        offsets = torch.zeros(images + 1, dtype=torch.long)
        torch.cumsum(counts, dim=0, out=offsets[1:])
        columns = torch.arange(width).expand(images, width)[inked]
        return cls(offsets, torch.stack([columns, level], dim=1).to(torch.uint16), levels, width)

    def __len__(self) -> int:
        return len(self.offsets) - 1


def _levels(values: Float[Tensor, " ink"]) -> tuple[Float[Tensor, " levels"], Int[Tensor, " ink"]]:
    """The distinct values, and which of them each is; those of a sample are all, more often than not."""
    levels = torch.unique(values[:_SAMPLE])
    level = torch.searchsorted(levels, values).clamp_(max=len(levels) - 1)
    if torch.equal(levels[level], values):
        return levels, level
    levels, level = torch.unique(values, return_inverse=True)
    return levels, level


class SparseRows:
    """Some of many images.

    Args:
        pixels: of all.
        numbers: which, in this order.
    """

    def __init__(self, pixels: SparsePixels, numbers: Int[Tensor, " batch"]) -> None:
        self.pixels, self.numbers = pixels, numbers.long().contiguous()
        self._indices = RowIndices(
            len(numbers),
            len(pixels),
            pixels.width,
            self.numbers.data_ptr(),
            pixels.offsets.data_ptr(),
            pixels.entries.data_ptr(),
            pixels.levels.data_ptr(),
        )
        self.pointer = ctypes.addressof(self._indices)

    def __len__(self) -> int:
        return len(self.numbers)
