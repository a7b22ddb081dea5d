"""Records that wait until something that identifies them is mentioned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasksieve.encoding.phrases import Phrase, Phrases, Said, phrase_of

_SAY_NOTHING = frozenset(("true", "false", "null", "yes", "no", "none", "dontcare"))
"""Values that identify no record."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What identifies a record.

    Attributes:
        kind: of the record.
        named: whether ``values`` are its names; each of them identifies it then. If it has none, they are all its
            values, of which those identify it that no other record of its kind has.
        values: texts.
    """

    kind: str
    named: bool
    values: Sequence[str]

    def phrases(self) -> dict[Phrase, None]:
        """The values as they are looked for, each once."""
        phrases = (phrase_of(value) for value in self.values if value.lower() not in _SAY_NOTHING)
        return dict.fromkeys(phrase for phrase in phrases if phrase)


class Waiting:
    """The records of one dialog that are not mentioned yet, by number."""

    def __init__(self) -> None:
        self._holders: Phrases[list[int]] = Phrases()
        self._identities: dict[int, Identity] = {}
        self._said = Said()
        self._mentioned: set[int] = set()

    def add(self, number: int, identity: Identity) -> None:
        """Let a record wait, unless what identifies it was said before: it counts as mentioned then."""
        self._identities[number] = identity
        phrases = identity.phrases()
        for phrase in phrases:
            self._holders.add(phrase, [])
            self._holders[phrase].append(number)
        if any(phrase in self._said and self._identifies(phrase, number) for phrase in phrases):
            self._mentioned.add(number)

    def mentioned(self, number: int) -> bool:
        """Whether a record was mentioned."""
        return number in self._mentioned

    def hear(self, sentence: str) -> Iterator[int]:
        """The records that a sentence mentions for the first time, in the order of their mention."""
        phrase = phrase_of(sentence)
        self._said.add(phrase)
        for start, end, numbers in self._holders.find(phrase):
            for number in numbers:
                if number not in self._mentioned and self._identifies(phrase[start:end], number):
                    self._mentioned.add(number)
                    yield number

    def _identifies(self, phrase: Phrase, number: int) -> bool:
        identity = self._identities[number]
        alike = (other for other in self._holders[phrase] if self._identities[other].kind == identity.kind)
        return identity.named or sum(1 for _ in alike) == 1
