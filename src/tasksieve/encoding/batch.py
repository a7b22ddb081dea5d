"""A batch of examples as tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.contracts import brought
from tasksieve.encoding.choices import Choices
from tasksieve.encoding.kept_rows import KeptRows
from tasksieve.encoding.sentences import SentenceTable

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Entries:
    """The distinct memories of a batch's examples, one example after the other, without padding.

    Attributes:
        sentences: the sentence of each entry, by its number in the batch's table.
        counts: how often the sentence is a memory of its example.
        offsets: where each example's entries start, and at the end their number.
    """

    sentences: Int[Tensor, " entries"]
    counts: Int[Tensor, " entries"]
    offsets: Int[Tensor, " batch_plus_1"]


@dataclass(frozen=True)
class Batch:
    """Examples of one task.

    Attributes:
        table: the distinct sentences of this batch.
        utterances: the user's last utterance, by its number in the table.
        responses: the system's response, by its number in the table.
        memories: the memories, by their numbers in the table, latest first; -1 where there are no more. A dialog
            without memories has one empty sentence.
        choices: the responses that the examples choose among.
        examples: numbers of the examples in their task.
        head: which of the model's heads answers.
        entities: those that responses may name, if any.
        entries: :attr:`distinct`, where it is known already.
        given: by what the data say that each example's loss is multiplied; None if all count alike.
        here: the same on the CPU, where it was cut, if the batch is elsewhere; its sentences have no vectors.
    """

    table: SentenceTable
    utterances: Int[Tensor, " batch"]
    responses: Int[Tensor, " batch"]
    memories: Int[Tensor, "batch slots"]
    choices: Choices
    examples: Int[Tensor, " batch"]
    head: str
    entities: Choices | None = None
    entries: Entries | None = None
    given: Float[Tensor, " batch"] | None = None
    here: Batch | None = field(default=None, repr=False)
    _kept: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.examples)

    def once(self, key: Hashable, work: Callable[[], Found]) -> Found:
        """What a model needs of the batch, worked out the first time that it is asked for and kept with the batch.

        Args:
            key: of what is asked for: the model, and whatever else it depends on.
            work: finds it; it may depend on no parameter.
        """
        if key not in self._kept:
            self._kept[key] = work()
        found: Found = self._kept[key]
        return found

    def keep_in(self, rows: KeptRows) -> None:
        """Take :attr:`rows` from a task; a copy of the batch, which may differ from the task, does not have them."""
        self._kept[KeptRows] = rows

    @property
    def rows(self) -> KeptRows | None:
        """What is kept of the examples of the task that the batch was cut of; None where nothing is."""
        found: KeptRows | None = self._kept.get(KeptRows)
        return found

    @property
    def targets(self) -> Int[Tensor, " batch"]:
        """The place of the right response among the choices; -1 if it is none of them."""
        return self.choices.right

    @property
    def cut(self) -> Batch:
        """The batch as it was cut: on the CPU, if it was brought elsewhere."""
        return self if self.here is None else self.here

    def all_answerable(self) -> bool:
        """Whether every right response is among the choices; asked where the batch was cut."""
        return not bool((self.cut.targets < 0).any())

    def naming(self) -> Int[Tensor, " named"]:
        """The examples whose right response names an entity, counted where the batch was cut."""
        cut = self.cut
        right = cut.choices.right.new_full((len(cut),), -1) if cut.entities is None else cut.entities.right
        return brought(torch.nonzero(right >= 0).flatten(), self.table.device)

    @classmethod
    def of(
        cls,
        table: SentenceTable,
        sentences: Int[Tensor, "batch columns"],
        choices: Choices,
        examples: Int[Tensor, " batch"],
        head: str,
        entities: Choices | None = None,
    ) -> Batch:
        """A batch from sentences of a whole task's table.

        Args:
            table: of the task.
            sentences: utterance, response, then memories, latest first; -1 where there are no more.
            choices, examples, head, entities: as the batch's.
        """
        used = torch.zeros(len(table) + 1, dtype=torch.bool, device=sentences.device)
        used[sentences] = True  # -1 marks the last place, which is no sentence
        distinct = used[:-1].nonzero().flatten()
        numbers = torch.full_like(used, -1, dtype=torch.long)
        numbers[distinct] = torch.arange(len(distinct), device=sentences.device)
        local = numbers[sentences]
        spoken = local[:, 0], local[:, 1]
        return cls(table.select(distinct), *spoken, local[:, 2:], choices, examples, head, entities)

    @cached_property
    def counts(self) -> Float[Tensor, "batch sentences"]:
        """How often each sentence is a memory of each example."""
        places = self.memories.masked_fill(self.memories < 0, len(self.table))
        counts = torch.zeros(len(self), len(self.table) + 1, device=self.memories.device)
        return counts.scatter_add_(1, places, torch.ones_like(places, dtype=counts.dtype))[:, :-1]

    def log_counts(self, dtype: torch.dtype) -> Float[Tensor, "batch sentences"]:
        """The logarithm of :attr:`counts`; -inf for never."""
        return self.counts.to(dtype).clamp(min=1).log().masked_fill(self.counts == 0, -math.inf)

    @cached_property
    def distinct(self) -> Entries:
        """Each example's distinct memories with their counts."""
        if self.entries is not None:
            return self.entries
        examples, sentences = self.counts.nonzero(as_tuple=True)
        counts = self.counts[examples, sentences].long()
        offsets = torch.nn.functional.pad((self.counts > 0).sum(dim=1).cumsum(0), (1, 0))
        return Entries(sentences, counts, offsets)
