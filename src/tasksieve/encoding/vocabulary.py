"""Words and their numbers."""

from __future__ import annotations

from collections.abc import Iterable

from tasksieve.dialogs import Dialog
from tasksieve.encoding.memories import FACT, PROFILE, SYSTEM, USER, MemoryLines, words_of
from tasksieve.records.model_config import Facts


class Vocabulary:
    """The words of the training and validation data, numbered from 0.

    Args:
        words: distinct words in the order of their numbers.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self._numbers = {word: number for number, word in enumerate(self.words)}

    @classmethod
    def of(cls, *tasks: Iterable[Dialog], facts: Facts = "all", naming: frozenset[str] | None = None) -> Vocabulary:
        """Collect the words of several tasks' dialogs, of these facts of them and of the descriptions of entities.

        They are sorted, after the speaker words.
        """
        words: set[str] = set()
        for dialogs in tasks:
            for dialog in dialogs:
                words.update(_words_of(dialog, facts, naming))
        speakers = (USER, SYSTEM, FACT, PROFILE)
        return cls((*speakers, *sorted(words.difference(speakers))))

    def __len__(self) -> int:
        return len(self.words)

    def numbers(self, sentence: str) -> tuple[list[int], int]:
        """The numbers of a sentence's known words, and how many are unknown (these are left out)."""
        words = words_of(sentence)
        known = [self._numbers[word] for word in words if word in self._numbers]
        return known, len(words) - len(known)


def _words_of(dialog: Dialog, facts: Facts, naming: frozenset[str] | None) -> set[str]:
    words: set[str] = set()
    memory, described = MemoryLines(dialog, facts, naming), None
    for _ in memory.turns():
        descriptions = memory.entities.descriptions()
        if descriptions is not described:
            words.update(*descriptions)
            described = descriptions
    for sentence in memory.lines:
        words.update(words_of(sentence))
    return words
