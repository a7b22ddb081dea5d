"""The responses a head chooses among."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Int
from torch import Tensor

from tasksieve.dialogs import Dialog
from tasksieve.encoding.choices import Choices
from tasksieve.encoding.entities import has_gap
from tasksieve.encoding.memories import MemoryLines
from tasksieve.encoding.sentences import SentenceTable
from tasksieve.encoding.vocabulary import Vocabulary


class Candidates:
    """Distinct responses in a fixed order, as texts and as bags of words.

    Args:
        texts: distinct responses.
        vocabulary: numbers their words.
        device: where the table lives.
        naming: relations whose values are names, if responses are templates.

    Attributes:
        gaps: the numbers of those that are templates with gaps.
    """

    def __init__(
        self,
        texts: Iterable[str],
        vocabulary: Vocabulary,
        device: torch.device | str = "cpu",
        naming: frozenset[str] | None = None,
    ) -> None:
        self.texts = tuple(texts)
        gaps = [n for n, text in enumerate(self.texts) if naming is not None and has_gap(text, naming)]
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


def responses_of(*tasks: Iterable[Dialog], naming: frozenset[str] | None = None) -> list[str]:
    """The distinct system responses of several tasks' dialogs, sorted; as templates if names are known."""
    return sorted({text for dialogs in tasks for dialog in dialogs for text in templates(dialog, naming)})


def templates(dialog: Dialog, naming: frozenset[str] | None) -> Iterator[str]:
    """The response of each turn, with gaps for what it names; as it is if no names are known."""
    if naming is None:
        yield from (turn.system for turn in dialog.turns)
        return
    memory = MemoryLines(dialog, "none", naming)
    for turn in memory.turns():
        yield memory.entities.template(turn.system)[0]
