"""Words in a text that look like a name: capitalised ones, and what follows "my name is"."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tasksieve.encoding.german import is_german
from tasksieve.encoding.phrases import STOP, bare, phrase_of, words_of
from tasksieve.encoding.values import values_in

_REMEMBERED = 1 << 16
_WORD = re.compile(r"\S+")
_TITLES = frozenset(["mr", "mrs", "ms", "miss", "dr", "prof", "herr", "frau", "sir", "madam"])
_NO_NAMES = frozenset(["i", "i'm", "i'll", "i've", "i'd", "i’m", "i’ll", "i’ve", "i’d", "ok", "okay"])
_NO_GERMAN_NAMES = _NO_NAMES | frozenset(
    words_of(
        "sie ihnen ihr ihre ihren ihrer ihrem guten guter gute schönen schöne vielen herzlichen besten tag "
        "abend morgen dank danke grüße gruß wiedersehen wiederhören hallo servus moin auf ja nein"
    )
)
"""In German, polite words for "you" and greetings too."""
_BEFORE_NOUNS = re.compile(
    r"\b(?:im|ins|am|ans|zum|zur|vom|beim|(?:k?ein|mein|dein|sein|ihr|unser)(?:e[nmrs]?)?)\s+$", re.IGNORECASE
)
"""Before capitalised German words they say that these are no person's name."""
_BEFORE_NUMBERS = re.compile(r"\s+(?:[^\W\d_]?\d)")
"""After a German noun they say that it is what the number is of: "Linie 42", "Bus N7"."""
_MOST_WORDS, _LONGEST = 3, 100
_ADDRESS = re.compile(
    r"[^\W\d_][\w.'’-]*(?:\s+(?:[^\W\d_][\w.'’-]*|\d{1,2}\.(?=\s+[^\W\d_]))){0,4}\s+\d{1,4}\s?[a-z]?", re.IGNORECASE
)
"""A street and a number behind it."""
_STREET = re.compile(
    r"(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|ring|ufer|damm|graben|steig|chaussee|markt|promenade|street|road"
    r"|avenue|lane|square)$",
    re.IGNORECASE,
)
_IN_STREETS = frozenset(words_of("der des dem den die am an auf im in zum zur unter vor von de la of the"))
_CUE = re.compile(
    r"(?:\bmy (?:full |first |last )?name(?:'s| is)|\bname:|\bthis is|\bi am called|\bcall me|\bi(?:'|’)?m|\bi am"
    r"|\bmein name ist|\bich hei(?:ß|ss)e|\bmrs?\.?|\bms\.?|\bmiss|\bdr\.?|\bherr|\bfrau)\s+"
    r"((?:[^\W\d_][\w'’-]*)(?:\s+[^\W\d_][\w'’-]*){0,2})",
    re.IGNORECASE,
)
_IM = re.compile(r"im\b", re.IGNORECASE)
"""In German it is "in the", and not "I am"."""
_SURE_CUE = re.compile(r"name|hei(?:ß|ss)e|called", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Named:
    """Words that look like a name.

    Attributes:
        start, end: the first character, and the one after the last.
        text: as it stands there.
        sure: whether it is one for certain, as several capitalised words are, or what follows "my name is".
    """

    start: int
    end: int
    text: str
    sure: bool


@lru_cache(_REMEMBERED)
def names_in(text: str) -> tuple[Named, ...]:
    """What looks like a name: what follows "my name is", and capitalised words that begin no sentence.

    >>> [(name.text, name.sure) for name in names_in("Thanks, Ann Lee. Is Rome fine?")]
    [('Ann Lee', True), ('Rome', False)]
    """
    whole = _whole(text)
    if whole is not None:
        return (whole,)
    german = is_german(text)
    no_names = _NO_GERMAN_NAMES if german else _NO_NAMES
    cues = (match for match in _CUE.finditer(text) if not (german and _IM.match(match[0])))
    found = [name for match in cues if (name := _after_cue(match))]
    run: list[re.Match[str]] = []
    begins = True
    dates = [(value.start, value.end) for value in values_in(text)]
    found = [name for name in found if not _meets(dates, name.start, name.end)]
    for match in _WORD.finditer(text):
        word = bare(match[0])
        dated = _meets(dates, match.start(), match.end())
        capital = not dated and _is_capital(match[0]) and word not in no_names
        if not capital or (begins and not run):
            _close(text, run, found, german=german)
            if capital:  # may be the first of several
                run = [match]
        else:
            run.append(match)
        begins = match[0][-1] in ".!?:;" and word not in _TITLES
        if run and match[0][-1] in ".,!?:;)" and word not in _TITLES:
            _close(text, run, found, german=german)
    _close(text, run, found, german=german)
    return tuple(sorted(found, key=lambda name: name.start))


def _meets(places: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether one of some places, from left to right and none in another, lies in part between start and end."""
    before = bisect_left(places, (end, 0))
    return before > 0 and places[before - 1][1] > start


def _is_capital(word: str) -> bool:
    inner = word.lstrip("\"'([{“‘")
    return len(inner) > 1 and inner[0].isupper() and not any(character.isdigit() for character in word)


def _whole(text: str) -> Named | None:
    """The text as a name if it has nothing but one of two or three capitalised words, as an answer to a question has.

    >>> _whole("Claudia Böhm, bitte"), _whole("Guten Tag")
    (Named(start=0, end=12, text='Claudia Böhm', sure=True), None)
    """
    if len(text) > _LONGEST:
        return None
    words = list(_WORD.finditer(text))
    if words and bare(words[-1][0]) == "bitte":
        words.pop()
    if words and bare(words[0][0]) in _TITLES:
        words.pop(0)
    plain = [bare(word[0]) for word in words]
    street = _street(text)
    if street is not None:
        return street
    if not 2 <= len(words) <= _MOST_WORDS or any(word in STOP | _NO_GERMAN_NAMES for word in plain):
        return None
    if not all(_is_capital(word[0]) for word in words) or any(word[0][-1] in ".,;:!?" for word in words[:-1]):
        return None
    start, end = words[0].start(), words[-1].end()
    name = text[start:end].rstrip(".,;:!?")
    return (
        None
        if values_in(name) or not name.replace(" ", "").replace("-", "").isalpha()
        else Named(start, start + len(name), name, True)
    )


def _street(text: str) -> Named | None:
    """The text as an address if it has nothing but one: capitalised words, and a number of a house.

    >>> _street("Am Mühlgraben 14a"), _street("Linie 42")
    (Named(start=0, end=17, text='Am Mühlgraben 14a', sure=True), None)
    """
    found = _ADDRESS.match(text.strip())
    if found is None or text.strip().removesuffix("bitte").rstrip(" .,!") != found[0]:
        return None
    words = [word for word in found[0].split() if not any(map(str.isdigit, word))]
    if not any(_STREET.search(word) for word in words) or not all(
        _is_capital(word) or word in _IN_STREETS for word in words
    ):
        return None
    start = text.index(found[0])
    return Named(start, start + len(found[0]), found[0], True)


def _close(text: str, run: list[re.Match[str]], found: list[Named], *, german: bool) -> None:
    """Take a run of capitalised words as a name, unless it is a single word at the beginning of a sentence."""
    words = list(run)
    run.clear()
    if not words:
        return
    before = text[: words[0].start()].rstrip()
    begins = not before or (before[-1] in ".!?:;" and bare(before.split()[-1]) not in _TITLES)
    if begins:
        words = words[1:]
    while words and bare(words[0][0]) in _TITLES | STOP:
        words = words[1:]
    if not words:
        return
    start, end = words[0].start(), words[-1].end()
    inner = text[start:end].strip("\"'([{“‘.,;:!?)]}”’")
    inner = re.sub(r"['’]s$", "", inner)
    if not inner:
        return
    start += text[start:end].index(inner)
    if not any(name.start < start + len(inner) and start < name.end for name in found):
        if german and len(words) == 1 and _BEFORE_NUMBERS.match(text, start + len(inner)):
            return
        sure = len(words) > 1 and not (german and _BEFORE_NOUNS.search(text, 0, start))
        found.append(Named(start, start + len(inner), inner, sure))


def _after_cue(match: re.Match[str]) -> Named | None:
    """The name after a cue: capitalised words; in lower case only after one that nothing but a name follows."""
    words = list(re.finditer(r"\S+", match[1]))
    capital = [word for word in words if _is_capital(word[0])]
    kept: list[re.Match[str]] = []
    for word in words if capital or _SURE_CUE.search(match[0][: match.start(1) - match.start()]) else ():
        if bare(word[0]) in STOP or (capital and not _is_capital(word[0])):
            break
        kept.append(word)
    if not kept:
        return None
    start, end = match.start(1) + kept[0].start(), match.start(1) + kept[-1].end()
    return Named(start, end, match.string[start:end], True)


def words_of_names(text: str) -> list[str]:
    """The words of what looks like a name, in lower case."""
    return [word for name in names_in(text) for word in phrase_of(name.text) if word]
