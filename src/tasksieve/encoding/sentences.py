r"""The sentence table: distinct sentences as one sparse bag-of-words matrix.

With :math:`S` the matrix of word counts (sentences × words) and :math:`A` the embedding (words × d), the embeddings
of all sentences are :math:`SA`. The gradient is :math:`S^\top G`; both products are linear, so each is the derivative
of the other and any order of derivative is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor


class SentenceTable:
    """Sentences as bags of words.

    Args:
        words: the numbers of all sentences' words, one sentence after the other; a word twice counts twice.
        owners: for each of these the number of its sentence.
        lengths: how many words each sentence has.
        offsets: where each sentence starts in ``words``, and at the end their number.
        vocabulary_size: number of words, the rows of an embedding.
    """

    def __init__(
        self,
        words: Int[Tensor, " entries"],
        owners: Int[Tensor, " entries"],
        lengths: Int[Tensor, " sentences"],
        offsets: Int[Tensor, " sentences_plus_1"],
        vocabulary_size: int,
    ) -> None:
        self.vocabulary_size = vocabulary_size
        self._words, self._owners, self._lengths, self._offsets = words, owners, lengths, offsets

    @classmethod
    def of(
        cls, sentences: Sequence[Sequence[int]], vocabulary_size: int, device: torch.device | str = "cpu"
    ) -> SentenceTable:
        """A table from the numbers of each sentence's words."""
        lengths = torch.tensor([len(sentence) for sentence in sentences], device=device)
        words = [word for sentence in sentences for word in sentence]
        return cls(
            torch.tensor(words, dtype=torch.long, device=device),
            torch.repeat_interleave(lengths),
            lengths,
            torch.nn.functional.pad(lengths.cumsum(0), (1, 0)),
            vocabulary_size,
        )

    def __len__(self) -> int:
        return len(self._lengths)

    @property
    def device(self) -> torch.device:
        """Where the index tensors live."""
        return self._words.device

    def select(self, sentences: Int[Tensor, " selected"]) -> SentenceTable:
        """The table of some of the sentences, in the order given."""
        lengths = self._lengths[sentences]
        offsets = torch.nn.functional.pad(lengths.cumsum(0), (1, 0))
        owners = torch.repeat_interleave(lengths)
        shift = self._offsets[sentences] - offsets[:-1]
        entries = torch.arange(len(owners), device=self.device) + shift[owners]
        return SentenceTable(self._words[entries], owners, lengths, offsets, self.vocabulary_size)

    def embed(self, embedding: Float[Tensor, "words dim"]) -> Float[Tensor, "sentences dim"]:
        """Sum the embeddings of each sentence's words, :math:`SA`.

        Args:
            embedding: one row a word of the vocabulary, any floating dtype.
        Returns: one row a sentence; zeros for a sentence without known words. Differentiable to any order.
        Raises: ValueError: if the number of rows is not the vocabulary's.
        """
        if embedding.shape[0] != self.vocabulary_size:
            raise ValueError(f"embedding has {embedding.shape[0]} rows; the vocabulary has {self.vocabulary_size}")
        embedded: Tensor = _Embed.apply(embedding, self)  # type: ignore[no-untyped-call]
        return embedded

    def spread(self, rows: Float[Tensor, "sentences dim"]) -> Float[Tensor, "words dim"]:
        """Add each sentence's row to all its words, :math:`S^\\top G`: the transpose of :meth:`embed`."""
        added: Tensor = _Spread.apply(rows, self)  # type: ignore[no-untyped-call]
        return added

    def _sum_words(self, embedding: Tensor) -> Tensor:
        return torch.nn.functional.embedding_bag(
            self._words, embedding.contiguous(), self._offsets, mode="sum", include_last_offset=True
        )

    def _add_rows(self, rows: Tensor) -> Tensor:
        total = rows.new_zeros(self.vocabulary_size, rows.shape[1])
        return total.index_add_(0, self._words, rows.index_select(0, self._owners))


class _Embed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, embedding: Tensor, table: SentenceTable) -> Tensor:
        ctx.table = table
        return table._sum_words(embedding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.table.spread(gradient), None


class _Spread(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, table: SentenceTable) -> Tensor:
        ctx.table = table
        return table._add_rows(rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.table.embed(gradient), None
