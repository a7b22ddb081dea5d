"""A second model on the same dialogs: a small transformer encoder over the last words of the context."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from tasksieve.encoding import Batch
from tasksieve.models import Model, WeightModule

LENGTH, DIM, HEADS, LAYERS = 48, 32, 2, 2


@dataclass(frozen=True)
class Words:
    """Examples as words.

    Attributes:
        context: the last words of memories and utterance, (batch, LENGTH); 0 where there are no more.
        response: the response's likewise.
        targets: the right candidate.
        examples: their numbers in the task.
    """

    context: Tensor
    response: Tensor
    targets: Tensor
    examples: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    @classmethod
    def of(cls, batch: Batch) -> Words:
        """Those of a batch; word numbers are raised by one to make room for the padding."""
        offsets, words = batch.table.offsets.tolist(), batch.table.words
        sentences = [words[a:b] + 1 for a, b in pairwise(offsets)]

        def last(numbers: list[int]) -> Tensor:
            found = torch.cat([sentences[number] for number in numbers])[-LENGTH:]
            return nn.functional.pad(found, (LENGTH - len(found), 0))

        memories = [[number for number in row if number >= 0][::-1] for row in batch.memories.tolist()]
        contexts = [last([*row, said]) for row, said in zip(memories, batch.utterances.tolist(), strict=True)]
        responses = [last([number]) for number in batch.responses.tolist()]
        return cls(torch.stack(contexts), torch.stack(responses), batch.targets, batch.examples)


class Encoder(nn.Module):
    """Attention written out, since the fused one has no second derivative.

    Args:
        words: of the vocabulary.
    """

    def __init__(self, words: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words + 1, DIM)
        self.positions = nn.Parameter(torch.randn(LENGTH, DIM) * 0.1)
        self.layers = nn.ModuleList(_Layer() for _ in range(LAYERS))

    def forward(self, numbers: Tensor) -> Tensor:
        """Numbers (batch, LENGTH) to a mean state (batch, DIM)."""
        state = self.embedding(numbers) + self.positions
        for layer in self.layers:
            state = layer(state)
        found: Tensor = state.mean(dim=1)
        return found


class _Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention, self.end = nn.Linear(DIM, 3 * DIM), nn.Linear(DIM, DIM)
        self.before, self.after = nn.LayerNorm(DIM), nn.LayerNorm(DIM)
        self.wide = nn.Sequential(nn.Linear(DIM, 2 * DIM), nn.GELU(), nn.Linear(2 * DIM, DIM))

    def forward(self, state: Tensor) -> Tensor:
        batch = len(state)
        heads = self.attention(self.before(state)).view(batch, LENGTH, 3, HEADS, DIM // HEADS)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        share = torch.softmax(query @ key.transpose(2, 3) / (DIM // HEADS) ** 0.5, dim=-1)
        state = state + self.end((share @ value).transpose(1, 2).reshape(batch, LENGTH, DIM))
        changed: Tensor = state + self.wide(self.after(state))
        return changed


class TransformerModel(Model):
    """The dialog model: scores the candidates of context.

    Args:
        words: of the vocabulary.
        candidates: responses to choose among.
    """

    def __init__(self, words: int, candidates: int) -> None:
        super().__init__()
        self.encoder, self.output = Encoder(words), nn.Linear(DIM, candidates)

    def losses(self, batch: Words) -> Tensor:
        """Cross-entropy per example."""
        scores = self.output(self.encoder(batch.context))
        return nn.functional.cross_entropy(scores, batch.targets, reduction="none")


class TransformerWeights(WeightModule):
    """The weight module: bags of words of context and response.

    Args:
        words: of the vocabulary.
    """

    def __init__(self, words: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words + 1, DIM)
        self.output = nn.Sequential(nn.Linear(2 * DIM, DIM), nn.Tanh(), nn.Linear(DIM, 1))

    def forward(self, batch: Words) -> Tensor:
        """One logit an example."""
        parts = [self.embedding(numbers).mean(dim=1) for numbers in (batch.context, batch.response)]
        logits: Tensor = self.output(torch.cat(parts, dim=1))[:, 0]
        return logits
