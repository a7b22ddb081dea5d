"""The responses a head chooses among."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from tasksieve.dialogs import Dialog
from tasksieve.encoding.sentences import SentenceTable
from tasksieve.encoding.vocabulary import Vocabulary


class Candidates:
    """Distinct responses in a fixed order, as texts and as bags of words.

    Args:
        texts: distinct responses.
        vocabulary: numbers their words.
        device: where the table lives.
    """

    def __init__(self, texts: Iterable[str], vocabulary: Vocabulary, device: torch.device | str = "cpu") -> None:
        self.texts = tuple(texts)
        self._numbers = {text: number for number, text in enumerate(self.texts)}
        self.table = SentenceTable.of([vocabulary.numbers(text)[0] for text in self.texts], len(vocabulary), device)

    def __len__(self) -> int:
        return len(self.texts)

    def number(self, response: str) -> int:
        """The number of a response, or -1 if it is no candidate."""
        return self._numbers.get(response, -1)


def responses_of(*tasks: Iterable[Dialog]) -> list[str]:
    """The distinct system responses of several tasks' dialogs, sorted."""
    return sorted({turn.system for dialogs in tasks for dialog in dialogs for turn in dialog.turns})
