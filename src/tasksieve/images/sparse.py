"""Images by the pixels that are not 0: of handwriting, a fifth."""

from __future__ import annotations

import ctypes

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.kernels import RowIndices

_WHOLE = {torch.float32: torch.int32, torch.float64: torch.int64}


class SparsePixels:
    """The pixels of many images that are not 0, image after image (compressed sparse rows).

    Args:
        offsets: where the images begin, and where the last one ends.
        entries: the pixels, each its value, as the whole number of the same bits, and its place in the image.
        dtype: of the values.
        width: pixels of an image.
    """

    def __init__(
        self, offsets: Int[Tensor, " images_and_1"], entries: Int[Tensor, "ink 2"], dtype: torch.dtype, width: int
    ) -> None:
        self.offsets, self.entries, self.dtype, self.width = offsets, entries, dtype, width

    @classmethod
    def of(cls, pixels: Float[Tensor, "images pixels"]) -> SparsePixels | None:
        """Those of these images; None if nothing is gained: not on the CPU, or more than half of them are not 0."""
        images, width = pixels.shape
        whole = _WHOLE.get(pixels.dtype)
        if pixels.device.type != "cpu" or whole is None:
            return None
        inked = pixels != 0
        counts = inked.sum(dim=1)
        if 2 * int(counts.sum()) > pixels.numel():
            return None
        offsets = torch.zeros(images + 1, dtype=torch.long)
        torch.cumsum(counts, dim=0, out=offsets[1:])
        columns = torch.arange(width, dtype=whole).expand(images, width)[inked]
        return cls(offsets, torch.stack([pixels[inked].view(whole), columns], dim=1), pixels.dtype, width)

    def __len__(self) -> int:
        return len(self.offsets) - 1


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
        )
        self.pointer = ctypes.addressof(self._indices)

    def __len__(self) -> int:
        return len(self.numbers)
