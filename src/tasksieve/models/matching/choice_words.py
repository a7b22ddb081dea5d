"""The words of a list of choices, worked out once for each list: lists are constants of a task."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.encoding import SentenceTable


@dataclass(frozen=True, slots=True, eq=False)
class ChoiceWords:
    """The distinct words of choices.

    Attributes:
        words: their numbers, where the choices are.
        here: the same on the CPU.
        shares: which share of each choice's words they are.
    """

    words: Int[Tensor, " words"]
    here: Int[Tensor, " words"]
    shares: Float[Tensor, "choices words"]

    @classmethod
    def of(cls, table: SentenceTable, dtype: torch.dtype) -> ChoiceWords:
        """Those of a list, which are kept as long as the list is there.

        Args:
            table: the choices.
            dtype: of the shares.
        """
        kept = _KEPT.setdefault(table, {})
        if dtype not in kept:
            kept[dtype] = _words_of(table, dtype)
        return kept[dtype]


_KEPT: WeakKeyDictionary[SentenceTable, dict[torch.dtype, ChoiceWords]] = WeakKeyDictionary()


def _words_of(table: SentenceTable, dtype: torch.dtype) -> ChoiceWords:
    words, places = torch.unique(table.words, return_inverse=True)
    has = torch.zeros(len(table), len(words), dtype=dtype, device=table.device)
    has[table.owners, places] = 1.0
    return ChoiceWords(words, words.cpu(), has / has.sum(dim=1, keepdim=True).clamp(min=1))
