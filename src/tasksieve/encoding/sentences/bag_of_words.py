r"""The sentence table: distinct sentences as one sparse bag-of-words matrix.

With :math:`S` the matrix of word counts (sentences × words) and :math:`A` the embedding (words × d), the embeddings
of all sentences are :math:`SA`. The gradient is :math:`S^\top G`; both products are linear, so each is the derivative
of the other and any order of derivative is exact.

Beside the words a table may have a dense vector for each sentence, from a pretrained encoder. They are constants.
Where the encoder's last layer is tuned, it also has the word pieces of each sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tasksieve.contracts import brought
from tasksieve.kernels import batch_kernels, network_kernels


class SentenceTable:
    """Sentences as bags of words, and as dense vectors if there are any.

    Args:
        words: the numbers of all sentences' words, one sentence after the other; a word twice counts twice.
        offsets: where each sentence starts in ``words``, and at the end their number.
        vocabulary_size: number of words, the rows of an embedding.
        vectors: one row a sentence, without a gradient; None for none.
        pieces: one row a sentence, as :meth:`~tasksieve.encoding.sentences.Encoder.pieces` gives them; None for none.

    Raises: ValueError: if there is not one vector, or one row of pieces, a sentence.
    """

    def __init__(
        self,
        words: Int[Tensor, " entries"],
        offsets: Int[Tensor, " sentences_plus_1"],
        vocabulary_size: int,
        vectors: Float[Tensor, "sentences dim"] | None = None,
        pieces: Float[Tensor, "sentences width"] | None = None,
    ) -> None:
        self.words, self.offsets, self.vocabulary_size = words, offsets, vocabulary_size
        self._vectors, self._pieces = vectors, pieces
        self._of: tuple[SentenceTable, Tensor] | None = None
        self._kept: Tensor | None = None
        for name, rows in (("vectors", vectors), ("rows of pieces", pieces)):
            if rows is not None and len(rows) != len(self):
                raise ValueError(f"there are {len(rows)} {name} for {len(self)} sentences")

    @classmethod
    def of(
        cls,
        sentences: Sequence[Sequence[int]],
        vocabulary_size: int,
        device: torch.device | str = "cpu",
        vectors: Float[Tensor, "sentences dim"] | None = None,
        pieces: Float[Tensor, "sentences width"] | None = None,
    ) -> SentenceTable:
        """A table from the numbers of each sentence's words; the others, if any, live on the same device already."""
        lengths = torch.tensor([len(sentence) for sentence in sentences], device=device)
        words = [word for sentence in sentences for word in sentence]
        offsets = torch.nn.functional.pad(lengths.cumsum(0), (1, 0))
        numbers = torch.tensor(words, dtype=torch.long, device=device)
        return cls(numbers, offsets, vocabulary_size, vectors, pieces)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def vectors(self) -> Float[Tensor, "sentences dim"] | None:
        """A row a sentence; None for none. Of sentences chosen from a table they are put together when asked for."""
        if self._vectors is None and self._of is not None and self._of[0].vectors is not None:
            self._vectors = self._of[0].vectors.index_select(0, self._of[1])
        return self._vectors

    @property
    def pieces(self) -> Float[Tensor, "sentences width"] | None:
        """The same of word pieces."""
        if self._pieces is None and self._of is not None and self._of[0].pieces is not None:
            self._pieces = self._of[0].pieces.index_select(0, self._of[1])
        return self._pieces

    @property
    def has_vectors(self) -> bool:
        """Whether sentences have vectors, without putting them together."""
        return self._vectors is not None or (self._of is not None and self._of[0].has_vectors)

    def looked_up(
        self, sentences: Int[Tensor, " selected"]
    ) -> tuple[Float[Tensor, "rows dim"], Int[Tensor, " selected"]]:
        """Rows with the vectors of some sentences among them, and the places of these; nothing is put together."""
        if self._vectors is None and self._of is not None:
            table, chosen = self._of
            return table.looked_up(chosen[sentences])
        assert self._vectors is not None
        return self._vectors, sentences

    @property
    def device(self) -> torch.device:
        """Where the index tensors live."""
        return self.words.device

    @cached_property
    def lengths(self) -> Int[Tensor, " sentences"]:
        """How many words each sentence has."""
        return self.offsets.diff()

    @cached_property
    def longest(self) -> int:
        """How many words the longest sentence has."""
        return int(self.lengths.max()) if len(self) else 0

    def padded(self) -> Int[Tensor, "sentences longest"]:
        """The numbers of each sentence's words in their order; -1 where it has no more."""
        places = torch.arange(len(self.words), device=self.device) - self.offsets[:-1][self.owners]
        full = self.words.new_full((len(self), self.longest), -1)
        return full.index_put((self.owners, places), self.words)

    def select(self, sentences: Int[Tensor, " selected"]) -> SentenceTable:
        """The table of some of the sentences, in the order given."""
        lengths = self.lengths[sentences]
        offsets = torch.nn.functional.pad(lengths.cumsum(0), (1, 0))
        owners = torch.repeat_interleave(lengths)
        shift = self.offsets[sentences] - offsets[:-1]
        entries = torch.arange(len(owners), device=self.device) + shift[owners]
        return self._chosen(self.words[entries], offsets, sentences)

    def select_known(self, sentences: Int[Tensor, " selected"], words: int) -> SentenceTable:
        """The table of some of the sentences, by compiled code on the CPU.

        Args:
            sentences: their numbers, in the order wanted.
            words: how many words they have together.
        """
        kernels = batch_kernels()
        assert kernels is not None
        chosen, offsets = sentences.new_empty(words), sentences.new_empty(len(sentences) + 1)
        source = sentences.data_ptr(), self.words.data_ptr(), self.offsets.data_ptr()
        kernels.select_words(len(sentences), *source, chosen.data_ptr(), offsets.data_ptr())
        return self._chosen(chosen, offsets, sentences)

    def brought(
        self,
        device: torch.device,
        vectors: Float[Tensor, "sentences dim"] | None = None,
        pieces: Float[Tensor, "sentences width"] | None = None,
    ) -> SentenceTable:
        """A table of the CPU on its way to another device, with what would have to be waited for there.

        Args:
            device: where it is to be.
            vectors, pieces: of its sentences, on that device.
        """
        words, offsets = brought(self.words, device), brought(self.offsets, device)
        there = SentenceTable(words, offsets, self.vocabulary_size, vectors, pieces)
        there.lengths, there.longest = brought(self.lengths, device), self.longest
        there.owners = brought(self.owners, device)
        return there

    def thinned(self, kept: Bool[Tensor, " entries"]) -> SentenceTable:
        """The table without some of its words, to be embedded: nobody waits to learn how many are left."""
        table = SentenceTable(self.words, self.offsets, self.vocabulary_size, self._vectors, self._pieces)
        table.owners, table._kept, table._of = self.owners, kept, self._of
        table.lengths = torch.zeros_like(self.lengths).index_add_(0, self.owners, kept.long())
        return table

    def embed(self, embedding: Float[Tensor, "words dim"]) -> Float[Tensor, "sentences dim"]:
        """Sum the embeddings of each sentence's words, :math:`SA`.

        Args:
            embedding: one row a word of the vocabulary, any floating dtype.
        Returns: one row a sentence; zeros for a sentence without known words. Differentiable to any order.
        Raises: ValueError: if the number of rows is not the vocabulary's.
        """
        self.check(embedding)
        embedded: Tensor = _Embed.apply(embedding, self)  # type: ignore[no-untyped-call]
        return embedded

    def check(self, embedding: Float[Tensor, "words dim"]) -> None:
        """Raise ValueError if an embedding has another number of rows than the vocabulary has words."""
        if embedding.shape[0] != self.vocabulary_size:
            raise ValueError(f"embedding has {embedding.shape[0]} rows; the vocabulary has {self.vocabulary_size}")

    def spread(self, rows: Float[Tensor, "sentences dim"]) -> Float[Tensor, "words dim"]:
        """Add each sentence's row to all its words, :math:`S^\\top G`: the transpose of :meth:`embed`."""
        added: Tensor = _Spread.apply(rows, self)  # type: ignore[no-untyped-call]
        return added

    def sum_words(self, embedding: Float[Tensor, "words dim"]) -> Float[Tensor, "sentences dim"]:
        """:meth:`embed` by itself, without a graph."""
        kernels = None if self._kept is not None else network_kernels(embedding)
        if kernels is None:
            return torch.nn.functional.embedding_bag(
                self.words,
                embedding.contiguous(),
                self.offsets,
                mode="sum",
                per_sample_weights=None if self._kept is None else self._kept.to(embedding.dtype),
                include_last_offset=True,
            )
        embedding = embedding.contiguous()
        rows = embedding.new_empty(len(self), embedding.shape[1])
        kernels.sum_words(len(self), *self._pointers, embedding.data_ptr(), rows.data_ptr())
        return rows

    def add_rows(self, rows: Float[Tensor, "sentences dim"]) -> Float[Tensor, "words dim"]:
        """:meth:`spread` by itself, without a graph."""
        total = rows.new_zeros(self.vocabulary_size, rows.shape[1])
        kernels = None if self._kept is not None else network_kernels(rows)
        if kernels is None:
            each = rows.index_select(0, self.owners)
            return total.index_add_(0, self.words, each if self._kept is None else each * self._kept[:, None])
        rows = rows.contiguous()
        kernels.add_rows(len(self), *self._pointers, rows.data_ptr(), total.data_ptr())
        return total

    def _chosen(self, words: Tensor, offsets: Tensor, sentences: Int[Tensor, " selected"]) -> SentenceTable:
        table = SentenceTable(words, offsets, self.vocabulary_size)
        if self.has_vectors or self._pieces is not None or self._of is not None:
            table._of = self, sentences
        return table

    @cached_property
    def owners(self) -> Tensor:
        """For each of the words the number of its sentence."""
        return torch.repeat_interleave(self.lengths)

    @property
    def _pointers(self) -> tuple[int, int]:
        return self.words.data_ptr(), self.offsets.data_ptr()


class _Embed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, embedding: Tensor, table: SentenceTable) -> Tensor:
        ctx.table = table
        return table.sum_words(embedding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.table.spread(gradient), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: None) -> Tensor:
        embedded: Tensor = ctx.table.sum_words(tangent)
        return embedded


class _Spread(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, table: SentenceTable) -> Tensor:
        ctx.table = table
        return table.add_rows(rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.table.embed(gradient), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: None) -> Tensor:
        added: Tensor = ctx.table.add_rows(tangent)
        return added
