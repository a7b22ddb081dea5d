"""Words and their numbers."""

from __future__ import annotations

from collections.abc import Iterable

from tasksieve.dialogs import Dialog, Fact

USER, SYSTEM, FACT, PROFILE = "<user>", "<system>", "<fact>", "<profile>"
"""Words that tell who speaks; one is put before every memory."""


def words_of(sentence: str) -> list[str]:
    """Split a sentence at white space, in lower case."""
    return sentence.lower().split()


def memories_of(event: object) -> list[str]:
    """The sentences an event adds to the memory, each led by its speaker."""
    if isinstance(event, Fact):
        return [f"{FACT} {event.text}"]
    return [f"{USER} {event.user}", f"{SYSTEM} {event.system}"]  # type: ignore[attr-defined]


class Vocabulary:
    """The words of the training and validation data, numbered from 0.

    Args:
        words: distinct words in the order of their numbers.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self._numbers = {word: number for number, word in enumerate(self.words)}

    @classmethod
    def of(cls, *tasks: Iterable[Dialog]) -> Vocabulary:
        """Collect the words of several tasks' dialogs, sorted, after the speaker words."""
        words: set[str] = set()
        for dialogs in tasks:
            for dialog in dialogs:
                words.update(words_of(" ".join(dialog.profile)))
                for event in dialog.events:
                    for sentence in memories_of(event):
                        words.update(words_of(sentence))
        speakers = (USER, SYSTEM, FACT, PROFILE)
        return cls((*speakers, *sorted(words.difference(speakers))))

    def __len__(self) -> int:
        return len(self.words)

    def numbers(self, sentence: str) -> tuple[list[int], int]:
        """The numbers of a sentence's known words, and how many are unknown (these are left out)."""
        words = words_of(sentence)
        known = [self._numbers[word] for word in words if word in self._numbers]
        return known, len(words) - len(known)
