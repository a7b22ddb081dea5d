"""Words in a text that look like a name: capitalised ones, and what follows "my name is"."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tasksieve.encoding.phrases import STOP, bare, phrase_of
from tasksieve.encoding.values import values_in

_REMEMBERED = 1 << 16
_WORD = re.compile(r"\S+")
_TITLES = frozenset(["mr", "mrs", "ms", "miss", "dr", "prof", "herr", "frau", "sir", "madam"])
_NO_NAMES = frozenset(["i", "i'm", "i'll", "i've", "i'd", "i’m", "i’ll", "i’ve", "i’d", "ok", "okay"])
_CUE = re.compile(
    r"(?:\bmy (?:full |first |last )?name(?:'s| is)|\bname:|\bthis is|\bi am called|\bcall me|\bi(?:'|’)?m|\bi am"
    r"|\bmein name ist|\bich hei(?:ß|ss)e|\bmrs?\.?|\bms\.?|\bmiss|\bdr\.?|\bherr|\bfrau)\s+"
    r"((?:[^\W\d_][\w'’-]*)(?:\s+[^\W\d_][\w'’-]*){0,2})",
    re.IGNORECASE,
)
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
    found = [name for match in _CUE.finditer(text) if (name := _after_cue(match))]
    run: list[re.Match[str]] = []
    begins = True
    dates = [(value.start, value.end) for value in values_in(text)]
    found = [name for name in found if not _meets(dates, name.start, name.end)]
    for match in _WORD.finditer(text):
        word = bare(match[0])
        dated = _meets(dates, match.start(), match.end())
        capital = not dated and _is_capital(match[0]) and word not in _NO_NAMES
        if not capital or (begins and not run):
            _close(text, run, found)
            if capital:  # may be the first of several
                run = [match]
        else:
            run.append(match)
        begins = match[0][-1] in ".!?:;" and word not in _TITLES
        if run and match[0][-1] in ".,!?:;)" and word not in _TITLES:
            _close(text, run, found)
    _close(text, run, found)
    return tuple(sorted(found, key=lambda name: name.start))


def _meets(places: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether one of some places, from left to right and none in another, lies in part between start and end."""
    before = bisect_left(places, (end, 0))
    return before > 0 and places[before - 1][1] > start


def _is_capital(word: str) -> bool:
    inner = word.lstrip("\"'([{“‘")
    return len(inner) > 1 and inner[0].isupper() and not any(character.isdigit() for character in word)


def _close(text: str, run: list[re.Match[str]], found: list[Named]) -> None:
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
        found.append(Named(start, start + len(inner), inner, len(words) > 1))


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
