"""A batch of examples as tensors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.encoding.sentences import SentenceTable


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples of one task.

    Attributes:
        table: the distinct sentences of this batch.
        utterances: the user's last utterance, by its number in the table.
        responses: the system's response likewise.
        memories: the memories likewise, latest first; -1 where there are no more. A dialog without memories has one
            empty sentence.
        log_counts: how often each sentence is a memory of each example, as a logarithm; -inf for never.
        targets: number of the right response among the head's candidates, -1 if it is none of them.
        examples: numbers of the examples in their task.
        head: which of the model's heads answers.
    """

    table: SentenceTable
    utterances: Int[Tensor, " batch"]
    responses: Int[Tensor, " batch"]
    memories: Int[Tensor, "batch slots"]
    log_counts: Float[Tensor, "batch sentences"]
    targets: Int[Tensor, " batch"]
    examples: Int[Tensor, " batch"]
    head: str

    def __len__(self) -> int:
        return len(self.targets)

    @classmethod
    def of(
        cls,
        table: SentenceTable,
        sentences: Int[Tensor, "batch columns"],
        targets: Int[Tensor, " batch"],
        examples: Int[Tensor, " batch"],
        head: str,
    ) -> Batch:
        """A batch from sentences of a whole task's table.

        Args:
            table: of the task.
            sentences: utterance, response, then memories, latest first; -1 where there are no more.
            targets, examples, head: as the batch's.
        """
        used = torch.zeros(len(table) + 1, dtype=torch.bool, device=sentences.device)
        used[sentences] = True  # -1 marks the last place, which is no sentence
        distinct = used[:-1].nonzero().flatten()
        numbers = torch.full_like(used, -1, dtype=torch.long)
        numbers[distinct] = torch.arange(len(distinct), device=sentences.device)
        local = numbers[sentences]
        memories = local[:, 2:]
        places = memories.masked_fill(memories < 0, len(distinct))
        counts = torch.zeros(len(sentences), len(distinct) + 1, device=sentences.device)
        counts = counts.scatter_add_(1, places, torch.ones_like(places, dtype=counts.dtype))[:, :-1]
        return cls(
            table=table.select(distinct),
            utterances=local[:, 0],
            responses=local[:, 1],
            memories=memories,
            log_counts=counts.clamp(min=1).log().masked_fill(counts == 0, -math.inf),
            targets=targets,
            examples=examples,
            head=head,
        )
