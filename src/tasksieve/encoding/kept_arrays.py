"""Arrays on the disk that are written piece by piece and read where they lie, however long they are."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasksieve.errors import UserError

_PIECE = 1 << 16
_WORDS = 1 << 20
"""Of sentences that are gone through at once."""
_CODES = {"int64": "q", "int32": "i", "float32": "f"}


class ArrayWriter:
    """Writes numbers to a file, in the machine's own order of bytes.

    Args:
        path: the file; made anew.
        kind: ``int64``, ``int32`` or ``float32``.
    """

    def __init__(self, path: Path, kind: str = "int64") -> None:
        self._file, self._left = path.open("wb"), array(_CODES[kind])
        self.count = 0

    def extend(self, numbers: Iterable[int] | Iterable[float]) -> None:
        """Add numbers at the end."""
        before = len(self._left)
        self._left.extend(numbers)  # type: ignore[arg-type]
        self.count += len(self._left) - before
        if len(self._left) >= _PIECE:
            self._flush()

    def close(self) -> None:
        """Bring all to the file; nothing if that was done."""
        if not self._file.closed:
            self._flush()
            self._file.close()

    def _flush(self) -> None:
        self._left.tofile(self._file)
        del self._left[:]


def mapped(path: Path, count: int, kind: str = "int64") -> NDArray[np.generic]:
    """The numbers of a file, of which only those that are looked at come into memory; changes stay in memory.

    Args:
        path: of a file that :class:`ArrayWriter` wrote.
        count: how many there must be.
        kind: as they were written.
    Raises: UserError: if the file is missing or has another length.
    """
    size = count * np.dtype(kind).itemsize
    if not path.exists() or path.stat().st_size != size:
        found = f"{path.stat().st_size:,} bytes" if path.exists() else "no file"
        raise UserError(f"is damaged: found {found}, expected {size:,} bytes; remove its folder and run again", path)
    if not count:
        return np.empty(0, kind)
    return np.memmap(path, kind, mode="c", shape=(count,))


def mapped_tensor(path: Path, count: int, kind: str = "int64") -> Tensor:
    """As :func:`mapped`, as a tensor."""
    return torch.from_numpy(mapped(path, count, kind))


def known_words(
    places: NDArray[np.int64], words: NDArray[np.generic], offsets: NDArray[np.generic]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The words of sentences without those that have no place, a piece at a time.

    Args:
        places: of each word; -1 for none.
        words: of all sentences, one after the other.
        offsets: where each sentence begins in ``words``, and their end.
    Returns: the places of the words that are left, and where each sentence begins in them.
    """
    found, begins = np.empty(len(words), np.int64), np.empty(len(offsets), np.int64)
    bounds = np.arange(0, len(words) + _WORDS, _WORDS)
    of_piece = np.searchsorted(offsets, bounds)
    count = 0
    for piece, start in enumerate(bounds[:-1]):
        here = places[words[start : start + _WORDS]]
        known = here >= 0
        before = np.concatenate([[0], np.cumsum(known)])
        first, last = of_piece[piece], of_piece[piece + 1]
        begins[first:last] = count + before[offsets[first:last] - start]
        found[count : count + before[-1]] = here[known]
        count += int(before[-1])
    begins[of_piece[-1] :] = count
    return found[:count], begins
