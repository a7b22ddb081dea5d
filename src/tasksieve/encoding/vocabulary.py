"""Words and their numbers."""

from __future__ import annotations

from collections.abc import Iterable

from tasksieve.encoding.actions import spelled
from tasksieve.encoding.phrases import words_of
from tasksieve.encoding.reading import ACTION, FACT, PROFILE, STATE, SYSTEM, USER, Reading

USER_NUMBER, SYSTEM_NUMBER, STATE_NUMBER, ACTION_NUMBER = 0, 1, 4, 5
"""Of the words that lead memories; the last two if actions are predicted, else they are other words'."""


class Vocabulary:
    """The words of the training and validation data, numbered from 0.

    Args:
        words: distinct words in the order of their numbers.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self._numbers = {word: number for number, word in enumerate(self.words)}

    @classmethod
    def of(cls, *tasks: Iterable[Reading]) -> Vocabulary:
        """The words of several tasks' dialogs: of what is remembered of them and of the descriptions of entities.

        They are sorted, after the speaker words: those of user, system, facts and profile; and those of states and
        actions, where there are any.
        """
        words: set[str] = set()
        for readings in tasks:
            for reading in readings:
                collect_words(reading, words)
        return cls.of_words(words)

    @classmethod
    def of_words(cls, words: set[str]) -> Vocabulary:
        """A vocabulary of these words and those of speakers, in order."""
        speakers = (USER, SYSTEM, FACT, PROFILE, *((STATE, ACTION) if STATE in words else ()))
        return cls((*speakers, *sorted(words.difference(speakers))))

    def __len__(self) -> int:
        return len(self.words)

    def places(self, words: Iterable[str]) -> list[int]:
        """The numbers of words by themselves. Raises: KeyError: if one is not known."""
        return [self._numbers[word] for word in words]

    def numbers(self, sentence: str) -> tuple[list[int], int]:
        """The numbers of a sentence's known words, and how many are unknown (these are left out)."""
        words = words_of(sentence)
        known = [self._numbers[word] for word in words if word in self._numbers]
        return known, len(words) - len(known)


def collect_words(reading: Reading, words: set[str]) -> None:
    """Add the words that a dialog makes part of the vocabulary."""
    described = None
    words.update(word for turn in reading.learned if turn.action for word in words_of(spelled(turn.action)))
    for turn in reading.turns:
        if turn.descriptions is not described:
            words.update(*turn.descriptions)
            described = turn.descriptions
        for line in turn.fresh:
            words.update(words_of(line.seen))
    for line in reading.lines:
        words.update(words_of(line.seen))
