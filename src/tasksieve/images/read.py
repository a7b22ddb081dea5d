"""Hand-written digits: the four original IDX files of MNIST (gzipped or not), or scikit-learn's bundled set."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.errors import UserError

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
VALID = 10_000
"""How many of MNIST's 60,000 training images are kept for validation: the last ones."""
_UNSIGNED_BYTES = 8
LARGEST = 1 << 28
"""Bytes of a file, unpacked; MNIST's largest has 47 million."""
CLASSES = 10


_Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True)
class Digits:
    """The images of one split, with their labels.

    Attributes:
        pixels: images as rows of numbers in [0, 1].
        labels: what digit each shows.
    """

    pixels: Float[Tensor, "images pixels"]
    labels: Int[Tensor, " images"]

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, places: slice | Tensor) -> Digits:
        """Some of the images."""
        return Digits(self.pixels[places], self.labels[places])

    def to(self, device: torch.device | str) -> Digits:
        """These images on a device."""
        return Digits(self.pixels.to(device), self.labels.to(device))

    def labelled(self, labels: Int[Tensor, " images"]) -> Digits:
        """These images with other labels."""
        return replace(self, labels=labels)


def mnist_files(directory: Path) -> tuple[Path, ...]:
    """The four files in a directory, gzipped or not.

    Raises: UserError: if one is missing, saying how to get it.
    """
    found = []
    for name in FILES:
        path = next((p for p in (directory / f"{name}.gz", directory / name) if p.exists()), None)
        if path is None:
            raise UserError(
                f"holds no {name}.gz; get the files with `tasksieve data fetch mnist --out {directory}`, "
                "or use --embedded for the digits that scikit-learn brings along",
                directory,
            )
        found.append(path)
    return tuple(found)


def read_mnist(directory: Path) -> dict[str, Digits]:
    """Read the files as splits ``train`` (50,000), ``valid`` (10,000) and ``test`` (10,000).

    Raises: UserError: if a file is missing, damaged, or not an IDX file of the right shape.
    """
    paths = mnist_files(directory)
    arrays = [read_idx(path) for path in paths]
    train, test = (
        _digits(images, labels, path)
        for (images, labels), path in zip((arrays[:2], arrays[2:]), paths[::2], strict=True)
    )
    if train.pixels.shape[1] != test.pixels.shape[1]:
        sizes = f"{test.pixels.shape[1]} pixels an image; those to train on have {train.pixels.shape[1]}"
        raise UserError(f"has {sizes}", paths[2])
    if len(train) < 2:
        raise UserError("holds 1 image; expected one more, to validate on", paths[0])
    kept = max(1, len(train) - VALID) if len(train) > VALID else len(train) * 5 // 6
    return {"train": train.part(slice(kept)), "valid": train.part(slice(kept, None)), "test": test}


def _digits(images: _Bytes, labels: _Bytes, path: Path) -> Digits:
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels) or not images.size:
        raise UserError(f"holds an array of shape {images.shape} for labels of {labels.shape}", path)
    if labels.max() >= CLASSES:
        raise UserError(f"has the label {labels.max()}; expected 0 to {CLASSES - 1}", path)
    pixels = torch.from_numpy(images.reshape(len(images), -1)).float() / 255
    return Digits(pixels, torch.from_numpy(labels).long())


def read_idx(path: Path) -> _Bytes:
    """Read an IDX file of unsigned bytes.

    Raises: UserError: if it is damaged, cut off, too large, or of another type.
    """
    data = _unpacked(path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != _UNSIGNED_BYTES:
        raise UserError(f"starts with {data[:4].hex(' ')}; expected an IDX file of unsigned bytes (00 00 08 …)", path)
    if not 1 <= data[3] <= 3:
        raise UserError(f"has {data[3]} dimensions; expected 3 for images and 1 for labels", path)
    start = 4 + 4 * data[3]
    shape = struct.unpack(f">{data[3]}I", data[4:start]) if len(data) >= start else ()
    if len(data) - start != math.prod(shape):
        raise UserError(f"holds {len(data) - start} bytes of data; its header says {shape}; fetch it again", path)
    return np.frombuffer(bytearray(data), np.uint8, offset=start).reshape(shape)


def _unpacked(path: Path) -> bytes:
    """What a file holds; no more of it is unpacked than is allowed, whatever it claims to hold."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"cannot be unpacked ({error}); fetch it again", path) from None
    if len(data) > LARGEST:
        raise UserError(f"unpacks to more than {LARGEST:,} bytes; is this the right file?", path)
    return data


def embedded_digits() -> dict[str, Digits]:
    """scikit-learn's 1,797 digits of 8 × 8 pixels: 1,197 to train, 300 to validate, 300 to test, mixed.

    Raises: UserError: if scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise UserError("--embedded needs scikit-learn; install it with pip install scikit-learn") from None
    pixels, labels = load_digits(return_X_y=True)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    digits = Digits(torch.from_numpy(pixels).float() / 16, torch.from_numpy(labels).long()).part(order)
    return {
        "train": digits.part(slice(1197)),
        "valid": digits.part(slice(1197, 1497)),
        "test": digits.part(slice(1497, None)),
    }
