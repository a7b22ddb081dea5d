"""What the matching model reads of a batch's contexts, all of it constant."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tasksieve.contracts import brought
from tasksieve.encoding import Batch, SentenceTable
from tasksieve.encoding.vocabulary import ACTION_NUMBER, STATE_NUMBER, SYSTEM_NUMBER, USER_NUMBER
from tasksieve.models.matching.choice_words import ChoiceWords


@dataclass(frozen=True)
class Contexts:
    """The contexts of a batch.

    Attributes:
        batch: whose they are.
    """

    batch: Batch

    @cached_property
    def speakers(self) -> Int[Tensor, "batch slots"]:
        """The number of the word that leads each memory; -1 where there is none."""
        if self.batch.here is not None:
            return self._found("speakers", lambda here: here.speakers)
        table, memories = self.batch.table, self.batch.memories
        first = torch.full((len(table) + 1,), -1, dtype=torch.long, device=table.device)
        filled = torch.nonzero(table.lengths > 0).flatten()
        first[filled] = table.words[table.offsets[filled]]
        return first[memories]  # -1 takes the last place

    @cached_property
    def said(self) -> Bool[Tensor, "batch slots"]:
        """Whether each memory is an utterance of the user or the system."""
        return (self.speakers == USER_NUMBER) | (self.speakers == SYSTEM_NUMBER)

    def vectors(self, adapter: Callable[[Batch], Tensor] | None = None) -> Float[Tensor, "batch both"] | None:
        """The vector of the last utterance beside the mean of those before; None if sentences have no vectors.

        Args:
            adapter: gives the vectors of last utterances; None for those of the table.
        """
        batch, table = self.batch, self.batch.table
        if not table.has_vectors:
            return None
        here = self if batch.here is None else Contexts(batch.here)
        mean = batch.once((Contexts, "mean"), lambda: self.means("said", lambda: (here.said,)))
        last = self.last() if adapter is None else adapter(batch)
        return torch.cat([last, mean.to(last.dtype)], dim=1)

    def utterances(self) -> SentenceTable:
        """The last utterance of each context, as a bag of words."""
        if self.batch.here is not None:
            return self._found_table("utterances", lambda here: here.utterances())
        return self.batch.table.select(self.batch.utterances)

    def responses(self) -> SentenceTable:
        """The response to each context, as a bag of words."""
        if self.batch.here is not None:
            return self._found_table("responses", lambda here: here.responses())
        return self.batch.table.select(self.batch.responses)

    def states(self) -> SentenceTable:
        """The state of each context, as a bag of words; empty where there is none."""
        if self.batch.here is not None:
            return self._found_table("states", lambda here: here.states())
        table = self.batch.table
        return _lines(table, self._latest(self.speakers == STATE_NUMBER))

    def actions(self, choices: ChoiceWords) -> tuple[Bool[Tensor, "batch words"], Bool[Tensor, "batch words"]]:
        """Which of some words are in the system's last action, and which in any action so far.

        Args:
            choices: whose words.
        """
        if self.batch.here is not None:
            found = self._found(("actions", choices), lambda here: torch.stack(here.actions(choices)))
            return found[0], found[1]
        words = choices.here if self.batch.table.device.type == "cpu" else choices.words
        table, acted = self.batch.table, self.speakers == ACTION_NUMBER
        place = torch.full((table.vocabulary_size,), -1, dtype=torch.long, device=table.device)
        place[words] = torch.arange(len(words), device=table.device)
        distinct = torch.unique(self.batch.memories[acted])
        lines = _lines(table, distinct)
        found, owners = place[lines.words], lines.owners
        has = torch.zeros(len(table) + 1, len(words), dtype=torch.bool, device=table.device)
        has[distinct[owners[found >= 0]], found[found >= 0]] = True
        counts = self._counts(acted)
        every = counts @ has[:-1].to(counts.dtype) > 0
        return has[self._latest(acted)], every

    def latest_of_system(self) -> Int[Tensor, " batch"]:
        """The slot of the system's last utterance; -1 where there is none."""
        theirs = self.speakers == SYSTEM_NUMBER
        return torch.where(theirs.any(dim=1), theirs.int().argmax(dim=1), -1)

    def last(self) -> Float[Tensor, "batch dim"]:
        """The vector of each last utterance."""
        rows, places = self.batch.table.looked_up(self.batch.utterances)
        return rows.index_select(0, places)

    def means(
        self, key: str, among: Callable[[], Sequence[Bool[Tensor, "batch slots"]]], dtype: torch.dtype | None = None
    ) -> Float[Tensor, "batch means_dims"]:
        """The mean vectors of several sets of memories beside each other, kept where the task keeps rows.

        Args:
            key: tells these sets from others.
            among: gives the sets, each as :meth:`mean_of` takes it; the example alone says what is in them.
            dtype: as :meth:`mean_of` takes it.
        """

        def work(places: Int[Tensor, " some"] | None) -> Tensor:
            return torch.cat([self.mean_of(some, dtype, places) for some in among()], dim=1)

        kept = self.batch.rows
        return work(None) if kept is None else kept.rows((Contexts, key, dtype), self.batch.examples, work)

    def mean_of(
        self,
        among: Bool[Tensor, "batch slots"],
        dtype: torch.dtype | None = None,
        places: Int[Tensor, " some"] | None = None,
    ) -> Float[Tensor, "some dim"]:
        """The mean vector of some memories; zeros where there are none.

        Args:
            among: which, told where the batch was cut.
            dtype: of the mean and of its sums; by default that of the vectors.
            places: of the examples asked for, where the batch was cut; all by default.
        """
        memories, device = self.batch.cut.memories, self.batch.table.device
        if places is not None:
            memories, among = memories[places], among[places]
        lengths = among.sum(dim=1)
        starts = brought(torch.nn.functional.pad(lengths.cumsum(0), (1, 0)), device)
        rows, numbers = self.batch.table.looked_up(brought(memories[among], device))
        if dtype not in (None, rows.dtype):
            rows, numbers = rows[numbers].to(dtype), torch.arange(len(numbers), device=device)
        sums = torch.embedding_bag(rows, numbers, starts, include_last_offset=True)[0]
        return sums / brought(lengths.clamp(min=1).to(sums.dtype), device)[:, None]

    def _found(self, key: Hashable, work: Callable[[Contexts], Tensor]) -> Tensor:
        """What the contexts say on the CPU, where nobody has to wait for it, brought to where the batch is."""
        batch = self.batch
        assert batch.here is not None
        here = Contexts(batch.here)
        return batch.once((Contexts, key), lambda: brought(work(here), batch.table.device))

    def _found_table(self, key: Hashable, work: Callable[[Contexts], SentenceTable]) -> SentenceTable:
        """The same of sentences."""
        batch = self.batch
        assert batch.here is not None
        here = Contexts(batch.here)
        return batch.once((Contexts, key), lambda: work(here).brought(batch.table.device))

    def _latest(self, among: Bool[Tensor, "batch slots"]) -> Int[Tensor, " batch"]:
        """The latest memory among some; -1 where there is none."""
        slot = among.int().argmax(dim=1, keepdim=True)
        found = self.batch.memories.gather(1, slot)[:, 0]
        return torch.where(among.any(dim=1), found, -1)

    def _counts(self, among: Bool[Tensor, "batch slots"]) -> Float[Tensor, "batch sentences"]:
        """How often each sentence is among some memories of each example."""
        sentences = len(self.batch.table)
        places = self.batch.memories.masked_fill(~among, sentences)
        counts = torch.zeros(len(self.batch), sentences + 1, device=places.device)
        return counts.scatter_add_(1, places, torch.ones_like(places, dtype=counts.dtype))[:, :-1]


def _lines(table: SentenceTable, numbers: Int[Tensor, " lines"]) -> SentenceTable:
    """Some sentences without the words that lead them; an empty one for -1."""
    there = numbers >= 0
    chosen = table.select(numbers.clamp(min=0))
    owners = chosen.owners
    kept = there[owners]
    kept[chosen.offsets[:-1][chosen.lengths > 0]] = False
    return kept_words(chosen, kept)


def kept_words(
    table: SentenceTable,
    kept: Bool[Tensor, " entries"],
    words: Int[Tensor, " entries"] | None = None,
    size: int | None = None,
) -> SentenceTable:
    """A table with some of its words left out.

    Args:
        table: sentences.
        kept: which of the entries of its words stay.
        words: other numbers of the words; by default as they are.
        size: of the vocabulary that these are of.
    """
    owners = table.owners[kept]
    lengths = torch.bincount(owners, minlength=len(table))
    offsets = torch.nn.functional.pad(lengths.cumsum(0), (1, 0))
    words = table.words if words is None else words
    return SentenceTable(words[kept], offsets, size or table.vocabulary_size)
