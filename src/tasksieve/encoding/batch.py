"""A batch of examples as tensors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.encoding.sentences import SentenceTable

MASKED = -1e9
"""Added to the attention score of padding, so that its probability is exactly 0."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples of one task.

    Attributes:
        table: the sentences that ``sentences`` points into; sentence 0 is empty.
        sentences: the user's utterance, the system's response, then memories, latest first, by number; a dialog
            without memories has one empty one (0), and the rest is padded with 0.
        padding: :data:`MASKED` where a memory is padding, else 0.
        targets: number of the right response among the head's candidates, -1 if it is none of them.
        examples: numbers of the examples in their task.
        head: which of the model's heads answers.
    """

    table: SentenceTable
    sentences: Int[Tensor, "batch columns"]
    padding: Float[Tensor, "batch memories"]
    targets: Int[Tensor, " batch"]
    examples: Int[Tensor, " batch"]
    head: str

    def __len__(self) -> int:
        return len(self.targets)

    def split(self, parts: int) -> list[Batch]:
        """Cut into ``parts`` batches of equal size, which share the memory of this one.

        Raises: ValueError: if the batch cannot be cut evenly.
        """
        if parts < 1 or len(self) % parts:
            raise ValueError(f"cannot cut {len(self)} examples into {parts} equal parts")
        size = len(self) // parts
        return [self._slice(slice(part * size, (part + 1) * size)) for part in range(parts)]

    def _slice(self, part: slice) -> Batch:
        return replace(
            self,
            sentences=self.sentences[part],
            padding=self.padding[part],
            targets=self.targets[part],
            examples=self.examples[part],
        )


def in_dtype(padding: Tensor, dtype: torch.dtype) -> Tensor:
    """The padding in the dtype of the scores it is added to."""
    return padding if padding.dtype == dtype else padding.to(dtype)
