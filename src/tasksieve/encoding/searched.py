"""Sentences that are searched for words, phrases and values."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache

from tasksieve.encoding.phrases import STOP, Phrase, Said, phrase_of
from tasksieve.encoding.values import Value, canonical, same, values_in

BETWEEN = re.compile(r"[\W_]+")
"""What stands between the parts of a word."""
_NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_GERMAN = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"]
_NUMBER_WORDS = {word: str(number) for words in (_NUMBERS, _GERMAN) for number, word in enumerate(words)}
_SAY_NOTHING = frozenset(("true", "false", "null", "none", "dontcare", "unknown"))


@dataclass(slots=True)
class Sentences:
    """Texts, to be searched for words, phrases and values."""

    said: Said = field(default_factory=Said)
    words: set[str] = field(default_factory=set)
    values: dict[str, list[Value]] = field(default_factory=lambda: defaultdict(list))

    def add(self, text: str) -> None:
        """Take a sentence in."""
        phrase = phrase_of(text)
        if not phrase:
            return
        self.said.add(phrase)
        for word in phrase:
            self.words.add(word)
            self.words.update(part for part in BETWEEN.split(word) if part)
        for value in values_in(text):
            if not any(known == value for known in self.values[value.key]):
                self.values[value.key].append(value)


@lru_cache(1 << 16)
def telling(value: str) -> bool:
    """Whether a value can be looked for in sentences by itself: it is no ordinary word.

    >>> [value for value in ("Rome", "cheap", "San Jose", "4", "47", "the") if telling(value)]
    ['Rome', 'San Jose', '47']
    """
    phrase = phrase_of(value)
    if not phrase or not any(character.isalnum() for character in value):
        return False
    if any(character.isdigit() for character in value):
        return len(value.strip()) > 1
    if len(phrase) == 1:
        return len(phrase[0]) > 2 and value.strip()[:1].isupper() and phrase[0] not in STOP | _SAY_NOTHING
    return not all(word in STOP for word in phrase)


def stands_in(sentence: Sentences, value: str) -> bool:
    """Whether a value of a record that can be looked for stands in a sentence."""
    phrase, form = canonical(value)
    if not telling(value):
        return False
    known = () if form is None else sentence.values.get(form.key, ())
    return phrase in sentence.said or (form is not None and any(same(form, other) for other in known))


def says(sentences: Sentences, phrase: Phrase) -> bool:
    """Whether some words stand in sentences, one after the other; a number in digits or as a word."""
    if not phrase:
        return True
    if phrase in sentences.said:
        return True
    if len(phrase) > 1:
        return False
    word = phrase[0].removesuffix("'s").removesuffix("’s")
    spelled = [words[int(word)] for words in (_NUMBERS, _GERMAN) if word.isdecimal() and int(word) < len(words)]
    return any(other in sentences.words for other in (word, *spelled, _NUMBER_WORDS.get(word, word)))
