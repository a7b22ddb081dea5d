"""Which examples make up the n-th batch, as a pure function of the seed, so that a resumed run goes on alike."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor


def derived_generator(seed: int, *path: int) -> torch.Generator:
    """A CPU generator for one purpose, derived from the run's seed by a path of small numbers."""
    state = seed & 0xFFFFFFFF
    for part in path:
        state = (state * 6364136223846793005 + 1442695040888963407 + part * 0x9E3779B97F4A7C15) & (2**64 - 1)
        state ^= state >> 29
    return torch.Generator().manual_seed(state & (2**63 - 1))


class BatchSampler:
    """Batches over epochs: every epoch is a fresh permutation, and what is left over at its end is dropped.

    Args:
        examples: numbers to draw from.
        batch_size: examples in a batch; all of them if there are fewer.
        seed: of the run.
        stream: tells apart the samplers of a run.
    """

    def __init__(self, examples: Int[Tensor, " examples"], batch_size: int, *, seed: int, stream: int) -> None:
        if len(examples) == 0:
            raise ValueError("no examples to sample from")
        self._examples = examples
        self._size = min(batch_size, len(examples))
        self._seed, self._stream = seed, stream
        self._epoch = -1
        self._order = examples

    @property
    def size(self) -> int:
        """Examples in a batch."""
        return self._size

    def batch(self, number: int) -> Int[Tensor, " batch"]:
        """Numbers of the examples in the batch with this number, counted from 0."""
        epoch, position = divmod(number, len(self._examples) // self._size)
        if epoch != self._epoch:
            generator = derived_generator(self._seed, self._stream, epoch)
            order = torch.randperm(len(self._examples), generator=generator)
            self._order, self._epoch = self._examples[order.to(self._examples.device)], epoch
        return self._order[position * self._size : (position + 1) * self._size]
