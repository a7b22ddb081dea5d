"""What examples choose among, as tensors: one list for all, or a list for each example."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tasksieve.encoding.sentences import Embed, SentenceTable, dense, text_of_entity
from tasksieve.encoding.vocabulary import Vocabulary
from tasksieve.kernels import batch_kernels


@dataclass(frozen=True, slots=True)
class Choices:
    """What some examples choose among: candidate responses, or the entities that a response may name.

    An example's choices stand at places, counted from 0. Scores have a column for each place, as many as the longest
    list has, and -inf where an example has fewer.

    Attributes:
        table: the distinct choices, as sentences.
        right: the place of each example's right choice; -1 for none.
        offered: each example's choices in the order of their places, as a table that has numbers of choices for
            words; None if all examples choose among the whole table, in its order.
        gaps: numbers of the choices that are templates with a gap for an entity, which can only be said with one.
        rows: the row of ``offered`` that each example has, where several have the same; None if each has its own.
    """

    table: SentenceTable
    right: Int[Tensor, " batch"]
    offered: SentenceTable | None = None
    gaps: Int[Tensor, " gaps"] | None = None
    rows: Int[Tensor, " batch"] | None = None

    def __len__(self) -> int:
        return len(self.right)

    @property
    def most(self) -> int:
        """How many places there are."""
        if self.offered is None:
            return len(self.table)
        return self.offered.longest

    @property
    def lengths(self) -> Int[Tensor, " batch"]:
        """How many choices each example has."""
        if self.offered is None:
            return torch.full_like(self.right, len(self.table))
        return self.offered.lengths if self.rows is None else self.offered.lengths[self.rows]

    def chosen(self, examples: Int[Tensor, " selected"] | None = None) -> Int[Tensor, " selected"]:
        """The number in the table of each example's right choice; -1 for none.

        Args:
            examples: numbers of those that are asked for, in the order given; None for all.
        """
        right = self.right if examples is None else self.right[examples]
        if self.offered is None:
            return right
        rows = self.rows if examples is None else examples if self.rows is None else self.rows[examples]
        firsts = self.offered.offsets[:-1] if rows is None else self.offered.offsets[rows]
        places = (firsts + right).clamp(min=0, max=max(0, len(self.offered.words) - 1))
        return torch.where(right >= 0, self.offered.words[places], -1)

    def select(self, examples: Int[Tensor, " selected"], right: Int[Tensor, " selected"] | None = None) -> Choices:
        """The choices of some of these examples, in the order given.

        Args:
            examples: their numbers.
            right: the places of their right choices; by default looked up.
        """
        right = self.right[examples] if right is None else right
        if self.offered is None:
            return Choices(self.table, right, None, self.gaps)
        rows = examples if self.rows is None else self.rows[examples]
        if self.offered.device.type != "cpu" or batch_kernels() is None:
            return Choices(self.table, right, self.offered.select(rows), self.gaps)
        known = int(self.offered.lengths[rows].sum())
        return Choices(self.table, right, self.offered.select_known(rows, known), self.gaps)

    def scores(
        self, states: Float[Tensor, "batch dim"], rows: Float[Tensor, "choices dim"]
    ) -> Float[Tensor, "batch most"]:
        """The inner product of each example's state with each of its choices; -inf where there are no more.

        Args:
            states: a vector an example.
            rows: a vector a choice of the table.
        """
        if self.offered is None:
            return states @ rows.T
        if self.rows is not None:
            return self._whole().scores(states, rows)
        owners = self.offered.owners
        products = (rows.index_select(0, self.offered.words) * states.index_select(0, owners)).sum(dim=1)
        full = states.new_full((len(states), self.most), -math.inf)
        return full.index_put((owners, self._places(owners)), products)

    def with_gap(self) -> Bool[Tensor, "rows most"]:
        """Whether there is a template at each place, a row an example; a single row if all have the same choices."""
        is_template = torch.zeros(len(self.table) + 1, dtype=torch.bool, device=self.right.device)
        if self.gaps is not None:
            is_template[self.gaps] = True
        if self.offered is None:
            return is_template[None, :-1]
        if self.rows is not None:
            return self._whole().with_gap()
        owners = self.offered.owners
        full = is_template.new_zeros(len(self), self.most)
        return full.index_put((owners, self._places(owners)), is_template[self.offered.words])

    def _whole(self) -> Choices:
        """The same with a row for each example."""
        return self.select(torch.arange(len(self), device=self.right.device))

    def _places(self, owners: Tensor) -> Tensor:
        assert self.offered is not None
        return torch.arange(len(owners), device=owners.device) - self.offered.offsets[:-1][owners]


class ChoiceRows:
    """Collects a list of choices for each example of a task.

    Args:
        vocabulary: numbers the words of choices; those it lacks are left out.
        vectors: gives the table a dense vector for each choice; None for none.
    """

    def __init__(self, vocabulary: Vocabulary, vectors: Embed | None = None) -> None:
        self._vocabulary, self._vectors = vocabulary, vectors
        self._numbers: dict[tuple[str, ...], int] = {}
        self._offered: list[list[int]] = []
        self._right: list[int] = []
        self._last: tuple[object, list[int]] = (None, [])

    def add(self, choices: Sequence[tuple[str, ...]], right: int) -> None:
        """Take the choices of the next example.

        Args:
            choices: the words of each.
            right: the place of the right one; -1 for none.
        """
        if choices is not self._last[0]:  # often those of the turn before
            numbers = [self._numbers.setdefault(words, len(self._numbers)) for words in choices]
            self._last = choices, numbers
        self._offered.append(self._last[1])
        self._right.append(right)

    def choices(self, device: torch.device | str = "cpu") -> Choices | None:
        """What all examples that were added choose among; None if none has any choice."""
        if not self._numbers:
            return None
        bags = [self._vocabulary.numbers(" ".join(words))[0] for words in self._numbers]
        texts = [text_of_entity(words) for words in self._numbers]
        rows = None if self._vectors is None else dense(texts, self._vectors, device)
        return Choices(
            SentenceTable.of(bags, len(self._vocabulary), device, rows),
            torch.tensor(self._right, device=device),
            SentenceTable.of(self._offered, len(bags), device),
        )
