"""What a user takes back in the same breath: "700112, no sorry, 700111", "not Rome but Paris", "no refund".

A value or a word that a negation stands directly before is not meant, and neither is one that words of correction
lead from to another one like it. "700112 and 700111" names both, "why not on Friday?" means Friday.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from tasksieve.encoding.date_words import days_away
from tasksieve.encoding.phrases import Phrase, bare, words_of
from tasksieve.encoding.spoken_names import names_in
from tasksieve.encoding.values import Kind, digits_in, values_in

_REMEMBERED = 1 << 16
_NEGATIONS = words_of(
    "not nicht statt anstatt isn't isn’t wasn't wasn’t don't don’t didn't didn’t doesn't doesn’t won't won’t"
)
_DIRECTLY = words_of("no kein keine keinen keinem keiner")
"""Negate the very next word alone: "no refund", but "no, the refund" and "order no 4711"."""
_ASKING = words_of("why warum wieso whether or oder ob")
"""Before a negation they ask whether something is, or suggest it."""
_PAIRS = (("instead", "of"), ("rather", "than"))
_BETWEEN = words_of(
    "a an the my this that to on at for in from by is it it's want need mean meant like order number date "
    "der die das den dem ein eine einen meine zum am um auf nummer bestellung bestellnummer"
)
"""Words between a negation and what is negated."""
_CUES = words_of(
    "sorry wait mean meant actually rather correction oops nope scratch make nein no entschuldigung quatsch moment "
    "meinte vielmehr sondern falsch nee nö pardon verzeihung korrektur halt eher lieber ups hoppla"
)
_AROUND_CUES = [
    *_BETWEEN,
    *words_of(
        "i i'm was that's its of should be have been uh um oh ah hm or well hold hang one please bad mistake let me "
        "correct myself wrong not ich es ist oder doch ach äh ähm besser gesagt stimmt nicht wohl bitte im vom"
    ),
]
_SOUNDS = words_of("uh um oh ah hm well ach äh ähm")
_AND = words_of("and or und oder sowie")
_ENDS = ".,;:!?"
_MOST_BETWEEN = 8
_MOST_SAID = 3
"""So many other words may follow a value before the clause that corrects it."""
_WRONG = re.compile(
    r"\W{0,2}\s+(?:is|was|ist|war)\s+(?:wrong|incorrect|falsch|(?:not|nicht)\s+(?:right|correct|richtig))\b",
    re.IGNORECASE,
)
_NEAR = 80
"""In so many characters before a value a negation of it stands."""
_DENIED = "not:"
_LETTER, _DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")

Place = tuple[int, int]


@lru_cache(_REMEMBERED)
def taken_back(text: str) -> frozenset[Place]:
    """Where values and names stand in a text that are not meant.

    >>> [text[start:end] for text in ("700112, no sorry, 700111", "from Rome, not Paris")
    ...     for start, end in taken_back(text)]
    ['700112', 'Paris']
    """
    found: list[tuple[Kind, str, int, int]] = [(one.kind, one.text, one.start, one.end) for one in values_in(text)]
    found += [(one.kind, one.text, one.start, one.end) for one in digits_in(text)]
    found += [("date", text[start:end], start, end) for start, end, _ in days_away(text)]
    found += [("name", one.text, one.start, one.end) for one in names_in(text)]
    found.sort(key=lambda one: one[2])
    denied = {(start, end) for _, _, start, end in found if _is_negated(text, start) or _WRONG.match(text, end)}
    for number, (kind, value, start, end) in enumerate(found):
        for other_kind, other, place, after in found[number + 1 :]:
            if kind == other_kind and place >= end:
                if (
                    (place, after) not in denied
                    and _are_alike(kind, value, other)
                    and _leads_on(text, start, end, place)
                ):
                    denied.add((start, end))
                break
    return frozenset(denied)


@lru_cache(_REMEMBERED)
def meant(text: str) -> Phrase:
    """The words of a text as :func:`~tasksieve.encoding.phrases.phrase_of` has them; those negated are other words.

    >>> meant("not a replacement, the refund")
    ('not', 'a', 'not:replacement', 'the', 'refund')
    """
    return tuple(_words_meant(text.split()))


def corrects(words: Sequence[str], also: Sequence[str] = ()) -> bool:
    """Whether words between two values say that the second is meant and not the first: "no sorry, I mean".

    Args:
        words: between them, in lower case.
        also: further words that may stand there, such as "line" before both.

    >>> corrects(["no", "sorry"]), corrects(["and"]), corrects(["order", "no"])
    (True, False, False)
    """
    words = [word for word in words if any(map(str.isalnum, word))]
    if not 0 < len(words) <= _MOST_BETWEEN or not all(
        word in _CUES or word in _AROUND_CUES or word in also for word in words
    ):
        return False
    first = next((place for place, word in enumerate(words) if word not in _SOUNDS), 0)
    # "order no 4711" is a number of an order
    return any(word in _CUES and (word not in ("no", "make") or place == first) for place, word in enumerate(words))


def _leads_on(text: str, start: int, end: int, place: int) -> bool:
    """Whether a text corrects one value by a later one: at once, or in a clause that begins with a correction.

    In "line 12 it was, no, line 21" the words before the first value may stand before the second too.
    """
    named = [bare(word) for word in text[max(0, start - _NEAR) : start].split()[-2:]]
    head, comma, clause = text[end:place].partition(",")
    words = [bare(word) for word in text[end:place].split()]
    if corrects(words, named):
        return True
    said = [bare(word) for word in head.split()]
    words = [bare(word) for word in clause.split()]
    first = next((word for word in words if word not in _SOUNDS), "")
    begins = bool(comma) and len(said) <= _MOST_SAID and first in _CUES and not any(word in _AND for word in said)
    return begins and corrects(words, named)


def _are_alike(kind: Kind, one: str, other: str) -> bool:
    """Whether one value may stand for another: numbers with as many digits or one more, with or without letters."""
    if kind != "number":
        return True
    lettered = [bool(_LETTER.search(value)) for value in (one, other)]
    digits = [len(_DIGIT.findall(value)) for value in (one, other)]
    return lettered[0] == lettered[1] and abs(digits[0] - digits[1]) <= 1


def _is_negated(text: str, start: int) -> bool:
    return _denies(text[max(0, start - _NEAR) : start].split())


def _denies(before: Sequence[str]) -> bool:
    """Whether the words before a place, with the punctuation at them, negate what stands there."""
    for place in range(len(before) - 1, -1, -1):
        word, former = bare(before[place]), bare(before[place - 1]) if place else ""
        if before[place][-1] in _ENDS:
            return False
        if word in _NEGATIONS:
            return former not in _ASKING
        if (former, word) in _PAIRS:
            return True
        if word not in _BETWEEN:
            return False
    return False


def _words_meant(words: Sequence[str]) -> Iterator[str]:
    for place, word in enumerate(words):
        plain = bare(word)
        before = words[max(0, place - _MOST_BETWEEN) : place]
        directly = bool(before) and before[-1].lower() in _DIRECTLY
        is_word = plain.isalpha() and not any(plain in words for words in (_BETWEEN, _NEGATIONS, _CUES))
        yield _DENIED + plain if is_word and (directly or _denies(before)) else plain
