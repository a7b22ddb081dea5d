"""Words and their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tasksieve.encoding.actions import spelled
from tasksieve.encoding.phrases import words_of
from tasksieve.encoding.reading import ACTION, FACT, PROFILE, STATE, SYSTEM, USER, Reading

USER_NUMBER, SYSTEM_NUMBER, STATE_NUMBER, ACTION_NUMBER = 0, 1, 4, 5
"""Of the words that lead memories; the last two if actions are predicted, else they are other words'."""
SPEAKERS = (USER, SYSTEM, FACT, PROFILE)
"""The first words of every vocabulary."""


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
        return cls.of_words(WordCounts.of(*tasks).all)

    @classmethod
    def of_words(cls, words: set[str]) -> Vocabulary:
        """A vocabulary of these words and those of speakers, in order."""
        speakers = (*SPEAKERS, *((STATE, ACTION) if STATE in words else ()))
        return cls((*speakers, *sorted(words.difference(speakers))))

    def __len__(self) -> int:
        return len(self.words)

    def places(self, words: Iterable[str]) -> list[int]:
        """The numbers of words by themselves; -1 where one is not known."""
        return [self._numbers.get(word, -1) for word in words]

    def numbers(self, sentence: str) -> tuple[list[int], int]:
        """The numbers of a sentence's known words, and how many are unknown (these are left out)."""
        words = words_of(sentence)
        known = [self._numbers[word] for word in words if word in self._numbers]
        return known, len(words) - len(known)


class WordCounts:
    """Words of dialogs, and how many of the dialogs say each.

    Attributes:
        said: of each word of a memory or an utterance the number of dialogs.
        named: the words of actions and of entities' descriptions, which a vocabulary has whatever their number.
    """

    def __init__(self, said: Mapping[str, int] | None = None, named: Iterable[str] = ()) -> None:
        self.said, self.named = Counter(said), set(named)

    @classmethod
    def of(cls, *tasks: Iterable[Reading]) -> WordCounts:
        """Those of several tasks' dialogs."""
        found = cls()
        for readings in tasks:
            for reading in readings:
                found.add(reading)
        return found

    @classmethod
    def read(cls, value: Any) -> WordCounts:
        """What :meth:`plain` gave. Raises: KeyError, TypeError, ValueError: if it is not of this form."""
        return cls({str(word): int(count) for word, count in dict(value["said"]).items()}, map(str, value["named"]))

    def plain(self) -> dict[str, Any]:
        """As a record."""
        return {"said": dict(sorted(self.said.items())), "named": sorted(self.named)}

    def add(self, reading: Reading) -> None:
        """Count a dialog."""
        self.named |= _named(reading)
        self.said.update(_said(reading))

    def __len__(self) -> int:
        return len(self.all)

    @property
    def all(self) -> set[str]:
        """The distinct words."""
        return self.named.union(self.said)

    def most_said(self, most: int, beside: set[str]) -> set[str]:
        """The words of ``beside``, those that are named, and of the others those of the most dialogs.

        Args:
            most: how many words are wanted in all.
            beside: words that are there anyway.
        """
        found = beside | self.named
        others = [(-count, word) for word, count in self.said.items() if word not in found]
        if len(found) + len(others) <= most:
            return found.union(self.said)
        return found.union(word for _, word in sorted(others)[: max(0, most - len(found))])


def _named(reading: Reading) -> set[str]:
    """The words of a dialog's actions and of the descriptions of its entities."""
    words = {word for turn in reading.learned if turn.action for word in words_of(spelled(turn.action))}
    described = None
    for turn in reading.turns:
        if turn.descriptions is not described:
            words.update(*turn.descriptions)
            described = turn.descriptions
    return words


def _said(reading: Reading) -> set[str]:
    """The words of a dialog's memories and utterances."""
    fresh = (line for turn in reading.turns for line in turn.fresh)
    return {word for lines in (fresh, reading.lines) for line in lines for word in words_of(line.seen)}
