"""The responses a head chooses among."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Int
from torch import Tensor

from tasksieve.encoding.choices import Choices
from tasksieve.encoding.reading import Reading
from tasksieve.encoding.sentences import SentenceTable
from tasksieve.encoding.vocabulary import Vocabulary


class Candidates:
    """Distinct responses in a fixed order, as texts and as bags of words.

    Args:
        texts: distinct responses.
        vocabulary: numbers their words.
        device: where the table lives.
        placeholders: what stands for names in those that are templates.

    Attributes:
        gaps: the numbers of those that are templates with gaps.
    """

    def __init__(
        self,
        texts: Iterable[str],
        vocabulary: Vocabulary,
        device: torch.device | str = "cpu",
        placeholders: frozenset[str] = frozenset(),
    ) -> None:
        self.texts = tuple(texts)
        gaps = [n for n, text in enumerate(self.texts) if has_gap(text, placeholders)]
        self.gaps = torch.tensor(gaps, dtype=torch.long, device=device)
        self._numbers = {text: number for number, text in enumerate(self.texts)}
        self.table = SentenceTable.of([vocabulary.numbers(text)[0] for text in self.texts], len(vocabulary), device)

    def __len__(self) -> int:
        return len(self.texts)

    def number(self, response: str) -> int:
        """The number of a response, or -1 if it is no candidate."""
        return self._numbers.get(response, -1)

    def choices(self, right: Int[Tensor, " examples"]) -> Choices:
        """What examples choose among that have all of these as their choices.

        Args:
            right: the number of each example's right response; -1 for none.
        """
        return Choices(self.table, right, gaps=self.gaps)


def responses_of(*tasks: Iterable[Reading]) -> list[str]:
    """The distinct responses of several tasks' dialogs as they were read, sorted."""
    return sorted({turn.response for readings in tasks for reading in readings for turn in reading.turns})


def has_gap(text: str, placeholders: frozenset[str]) -> bool:
    """Whether a response is a template."""
    return "<" in text and any(gap in text for gap in placeholders)
