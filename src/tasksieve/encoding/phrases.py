"""Words of sentences, and finding known texts of several words in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Generic, TypeVar

_OPENING, _CLOSING = "\"'([{", ".,;:!?\"')]}"

Found = TypeVar("Found")
Phrase = tuple[str, ...]
"""A text as it is looked for: its words in lower case, without punctuation around them."""
SPELLED = (
    *(("zero", "no", "none", "null", "kein", "keine", "keinen"),),
    *(("one", "myself", "me", "a", "an", "eins", "ein", "eine", "einen"),),
    *(("two", "both", "couple", "zwei", "beide", "beiden"), ("three", "drei"), ("four", "vier"), ("five", "fünf")),
    *(("six", "sechs"), ("seven", "sieben"), ("eight", "acht"), ("nine", "neun")),
)
"""Words for numbers of one digit."""
_STOP = (
    "a about all also am an and any are as at be been but by can could did do does else for from get had has have "
    "he her here him his how i if in is it its just know like may me more my need new no not now of off ok okay "
    "on one only or other our out please she should so some sure thank thanks that the their them then there "
    "these they this those to too two up us very was we well were what when where which who why will with would "
    "yes you your hello hi bye "
)
STOP = frozenset(_STOP.split())
"""Words that are never values by themselves."""


def words_of(sentence: str) -> list[str]:
    """Split a sentence at white space, in lower case."""
    return sentence.lower().split()


@lru_cache(maxsize=1 << 16)
def bare(word: str) -> str:
    """A word without punctuation around it, in lower case; as it is if it has nothing else."""
    return (word.lstrip(_OPENING).rstrip(_CLOSING) or word).lower()


def phrase_of(text: str) -> Phrase:
    """A text as :class:`Phrases` looks for it.

    >>> phrase_of("71 Saint Peter.")
    ('71', 'saint', 'peter')
    """
    return tuple(map(bare, text.split()))


def bag_of(text: str) -> Phrase:
    """What a bag of words keeps of a text: its words, sorted, without punctuation; texts that share it are twins.

    >>> bag_of("Goodbye , and thanks!") == bag_of("thanks and goodbye")
    True
    """
    words = text.split()
    said = [word for word in words if word.lstrip(_OPENING).rstrip(_CLOSING)]
    return tuple(sorted(map(bare, said or words)))


class Phrases(Generic[Found]):
    """Texts of one or several words, with something that each stands for."""

    def __init__(self) -> None:
        self._known: dict[Phrase, Found] = {}
        self._lengths: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, phrase: Phrase) -> bool:
        return phrase in self._known

    def __iter__(self) -> Iterator[Phrase]:
        return iter(self._known)

    def __getitem__(self, phrase: Phrase) -> Found:
        return self._known[phrase]

    def add(self, phrase: Phrase, value: Found) -> None:
        """Know a phrase; the first meaning stays. An empty one is no phrase."""
        if not phrase or phrase in self._known:
            return
        self._known[phrase] = value
        lengths = self._lengths.setdefault(phrase[0], [])
        if len(phrase) not in lengths:
            lengths.append(len(phrase))
            lengths.sort(reverse=True)

    def find(self, words: Sequence[str]) -> Iterator[tuple[int, int, Found]]:
        """Every place where a phrase stands, from left to right, the longest at each; places do not overlap.

        Args:
            words: of a sentence, as they are written.
        Yields: first word, word after the last, and what the phrase stands for.
        """
        plain, place = list(map(bare, words)), 0
        while place < len(plain):
            for length in self._lengths.get(plain[place], ()):
                phrase = tuple(plain[place : place + length])
                if len(phrase) == length and phrase in self._known:
                    yield place, place + length, self._known[phrase]
                    place += length - 1
                    break
            place += 1


class Said:
    """What was said so far, to be searched for phrases."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._words: set[str] = set()

    def add(self, phrase: Phrase) -> None:
        """Count a sentence in."""
        self._texts.append(f" {' '.join(phrase)} ")
        self._words.update(phrase)

    def __contains__(self, phrase: Phrase) -> bool:
        text = f" {' '.join(phrase)} "
        return phrase[0] in self._words and any(text in said for said in self._texts)


def put_in_place(words: Sequence[str], start: int, end: int, value: str, placed: str) -> str:
    """What stands for a value in a sentence, with the punctuation around the value that is none of its own.

    Args:
        words: of the sentence.
        start, end: first word of the value, word after its last.
        value: as it is written by itself.
        placed: what stands for it.

    >>> put_in_place(["at", "'71", "Peter',"], 1, 3, "71 Peter", "<address>")
    "'<address>',"
    >>> put_in_place(["ask", "Lund", "(A12),"], 1, 3, "Lund (A12)", "<entity>")
    '<entity>,'
    """
    opening, closing = _around(words[start])[0], _around(words[end - 1])[1]
    written = value.split()
    return f"{opening.removesuffix(_around(written[0])[0])}{placed}{closing.removeprefix(_around(written[-1])[1])}"


def _around(word: str) -> tuple[str, str]:
    """The punctuation before and after a word; none of either if it has nothing else."""
    inner = word.lstrip(_OPENING).rstrip(_CLOSING)
    if not inner:
        return "", ""
    place = word.index(inner)
    return word[:place], word[place + len(inner) :]
