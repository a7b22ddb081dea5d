"""Terms: what words say, however they are written, so that a value is the same in a record and in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from tasksieve.encoding.sentences import SentenceTable

_MARK = re.compile(r"<[^<>\s]+>")
_HALF_OF_DAY = re.compile(r"\b([ap])\.m\b\.?")
_DATE = re.compile(r"\b\d{4}-(\d\d)-(\d\d)(?:t|\b)")
_TERM = re.compile(r"(\d{1,2}):(\d\d)(?::\d\d)?|\d+(?:,\d{3})*(?:\.\d+)?|[^\W\d_]+(?:['’][^\W\d_]+)*")
_ENDING = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_COUNTED = {word: str(number) for number, word in enumerate(_DIGITS)}
_NUMBERS = frozenset(_MONTHS)


def terms_of(word: str) -> tuple[str, ...]:
    """The terms of a word in lower case: none of punctuation, of who speaks, and of gaps.

    Times are those of a clock with twelve hours, dates a month and a day, and numbers have digits.

    >>> terms_of("$3,900."), terms_of("18:30"), terms_of("6:00pm,"), terms_of("2019-03-08"), terms_of("8th")
    (('3900',), ('6:30',), ('6', 'pm'), ('march', '8'), ('8',))
    >>> terms_of("city=san_sebastian"), terms_of("two"), terms_of("<user>"), terms_of("?")
    (('city', 'san', 'sebastian'), ('2',), (), ())
    """
    text = _HALF_OF_DAY.sub(r"\1m", _MARK.sub(" ", word))
    text = _ENDING.sub("", _DATE.sub(_month_and_day, text))
    return tuple(_term(found) for found in _TERM.finditer(text))


def is_number(term: str) -> bool:
    """Whether a term is a number, a time or a month, which stands for a value."""
    return term in _NUMBERS or any(letter.isdigit() for letter in term)


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a vocabulary's words.

    Attributes:
        table: of each word its terms, by their numbers, as sentences.
        numbers: which terms are numbers.
    """

    table: SentenceTable
    numbers: Bool[Tensor, " terms"]

    @classmethod
    def of(cls, words: Iterable[str]) -> Terms:
        """The terms of words, numbered as they come."""
        known: dict[str, int] = {}
        rows = [[known.setdefault(term, len(known)) for term in terms_of(word)] for word in words]
        return cls(
            SentenceTable.of(rows, len(known)), torch.tensor([is_number(term) for term in known], dtype=torch.bool)
        )


def in_terms(table: SentenceTable, terms: SentenceTable) -> SentenceTable:
    """Sentences as bags of terms.

    Args:
        table: sentences as bags of words.
        terms: of each word of the vocabulary.
    """
    found = terms.select(table.words)
    return SentenceTable(found.words, found.offsets[table.offsets], terms.vocabulary_size)


def _month_and_day(date: re.Match[str]) -> str:
    month = int(date[1])
    name = _MONTHS[month - 1] if 1 <= month <= len(_MONTHS) else date[1]
    return f" {name} {int(date[2])} "


def _term(found: re.Match[str]) -> str:
    if found[1] is not None:
        hour = int(found[1]) % 12 or 12
        return str(hour) if found[2] == "00" else f"{hour}:{found[2]}"
    text = found[0].replace(",", "").replace("’", "'")
    if text[0].isdigit() and "." in text:
        return text.rstrip("0").rstrip(".")
    return _COUNTED.get(text, text)
