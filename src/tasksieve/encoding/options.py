"""The entities that each example may name, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from tasksieve.encoding.sentences import SentenceTable
from tasksieve.encoding.vocabulary import Vocabulary
from tasksieve.kernels import batch_kernels


@dataclass(frozen=True, slots=True)
class Options:
    """What examples choose among beside their candidates.

    Attributes:
        descriptions: distinct descriptions of entities, as bags of words.
        offered: for each example the descriptions of the entities it knows, in their order: a table with descriptions
            for words.
        right: which of them the right response names, counted from 0 in each example; -1 for none.
    """

    descriptions: SentenceTable
    offered: SentenceTable
    right: Int[Tensor, " examples"]

    def select(self, examples: Int[Tensor, " batch"]) -> Options:
        """Those of some examples, in the order given."""
        offered = self.offered
        kernels = batch_kernels() if offered.device.type == "cpu" else None
        if kernels is None:
            return Options(self.descriptions, offered.select(examples), self.right[examples])
        known = int(offered.lengths[examples].sum())
        return Options(self.descriptions, offered.select_known(examples, known), self.right[examples])


class OptionRows:
    """Collects the options of a task, example by example.

    Args:
        vocabulary: numbers the words of descriptions; those it lacks are left out.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._numbers: dict[tuple[str, ...], int] = {}
        self._offered: list[list[int]] = []
        self._right: list[int] = []
        self._last: tuple[object, list[int]] = (None, [])

    def add(self, descriptions: Sequence[tuple[str, ...]], right: int) -> None:
        """The next example's."""
        if descriptions is not self._last[0]:  # often those of the turn before
            numbers = [self._numbers.setdefault(words, len(self._numbers)) for words in descriptions]
            self._last = descriptions, numbers
        self._offered.append(self._last[1])
        self._right.append(right)

    def options(self, device: torch.device | str) -> Options | None:
        """All of them; None if no example knows an entity."""
        if not self._numbers:
            return None
        bags = [self._vocabulary.numbers(" ".join(words))[0] for words in self._numbers]
        return Options(
            SentenceTable.of(bags, len(self._vocabulary), device),
            SentenceTable.of(self._offered, len(bags), device),
            torch.tensor(self._right, device=device),
        )
