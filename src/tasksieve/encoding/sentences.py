r"""The sentence table: all distinct sentences of a data set as one sparse bag-of-words matrix.

With :math:`S` the matrix of word counts (sentences × words) and :math:`A` the embedding (words × d), the embeddings
of all sentences are :math:`SA`, computed once a step and then gathered by sentence number. The gradient is
:math:`S^\top G`; both products are linear, so each is the derivative of the other and any order of derivative is
exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


class SentenceTable:
    """Sentences as bags of words.

    Args:
        sentences: for each sentence the numbers of its words; a word twice counts twice.
        vocabulary_size: number of words, the rows of an embedding.
        device: where the index tensors live.
    """

    def __init__(
        self, sentences: Sequence[Sequence[int]], vocabulary_size: int, device: torch.device | str = "cpu"
    ) -> None:
        lengths = torch.tensor([0, *map(len, sentences)])
        words = torch.tensor([word for sentence in sentences for word in sentence], dtype=torch.long)
        owners = torch.repeat_interleave(torch.arange(len(sentences)), lengths[1:])
        order = torch.sort(words, stable=True).indices
        counts = torch.bincount(words, minlength=vocabulary_size)
        self.vocabulary_size = vocabulary_size
        self.size = len(sentences)
        self._by_sentence = (words.to(device), lengths.cumsum(0).to(device))
        self._by_word = (owners[order].to(device), torch.cat([lengths[:1], counts]).cumsum(0).to(device))

    def __len__(self) -> int:
        return self.size

    @property
    def device(self) -> torch.device:
        """Where the index tensors live."""
        return self._by_word[0].device

    def embed(self, embedding: Float[Tensor, "words dim"]) -> Float[Tensor, "sentences dim"]:
        """Sum the embeddings of each sentence's words, :math:`SA`.

        Args:
            embedding: one row a word of the vocabulary, any floating dtype.
        Returns: one row a sentence; zeros for a sentence without known words. Differentiable to any order.
        Raises: ValueError: if the number of rows is not the vocabulary's.
        """
        if embedding.shape[0] != self.vocabulary_size:
            raise ValueError(f"embedding has {embedding.shape[0]} rows; the vocabulary has {self.vocabulary_size}")
        embedded: Tensor = _BagProduct.apply(embedding, self._by_sentence, self._by_word)  # type: ignore[no-untyped-call]
        return embedded


_Bags = tuple[Tensor, Tensor]
"""Members of all bags one after the other, and where each bag starts."""


class _BagProduct(torch.autograd.Function):
    """Sums of rows by bag; its derivative is the same product with the transposed bags."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, bags: _Bags, transposed: _Bags) -> Tensor:
        ctx.bags, ctx.transposed = bags, transposed
        members, offsets = bags
        return torch.nn.functional.embedding_bag(
            members, rows.contiguous(), offsets, mode="sum", include_last_offset=True
        )

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _BagProduct.apply(gradient, ctx.transposed, ctx.bags), None, None  # type: ignore[no-untyped-call]
