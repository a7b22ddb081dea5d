"""The words before a place in a text, which tell what stands there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tasksieve.encoding.phrases import bare
from tasksieve.encoding.searched import BETWEEN

AROUND = 4
"""How many words before a value tell what it is."""
_NEAR = 200
"""In so many characters before a value they stand."""


def words_before(text: str, place: int, names: Iterable[str] = ()) -> frozenset[str]:
    """The words before a place in a text that tell what stands there, with those of a name such as a key of JSON."""
    words = [part for name in names for part in BETWEEN.split(name.lower()) if part]
    return frozenset((*words, *map(bare, text[:place].split()[-AROUND:])))


def asked_before(asked: Sequence[str], text: str, place: int) -> frozenset[str]:
    """The words before a place in an answer; where it has few, the last ones of what was asked before it too."""
    near = text[max(0, place - _NEAR) : place]  # of a long text, not all of it for each value
    return frozenset([*asked, *map(bare, near.split())][-AROUND:])
