"""Whether a text is German, where a capitalised word is more often a noun than a name."""

from __future__ import annotations

from functools import lru_cache

from tasksieve.encoding.phrases import phrase_of, words_of

_REMEMBERED = 1 << 16
_GERMAN = frozenset(
    words_of(
        "ich ist sind nicht und der das den dem des ein eine einen einem einer mein meine meinen meiner "
        "meinem ihr ihre ihren ihrer ihrem wir sie uns ihnen hab habe haben hatte hätte bin zu zum zur mit "
        "von vom für auf auch aus wie wo wann welche welcher welchem welchen welches danke ja nein nee noch "
        "nur wird wurde wurden soll kann können möchte möchten bei beim nach oder aber es im ins sich wenn "
        "dass bitte hallo guten gern gerne leider schon kein keine um über unter seit heute gestern morgen"
    )
)
_ENGLISH = frozenset(
    words_of(
        "the is are you your yours i i'm i'd my of and for it it's does did please thanks thank what when "
        "where which how can could would we have with this that there our yes not to at be from on or if"
    )
)
ENDINGS = ("em", "en", "er", "es", "e")
"""Of adjectives: "rot" is "roten" in "einen roten Schal"."""


@lru_cache(_REMEMBERED)
def is_german(text: str) -> bool:
    """Whether a text has more German than English words of those that every text has.

    >>> is_german("In welcher Linie war das?"), is_german("Which line was it?"), is_german("Ann Lee")
    (True, False, False)
    """
    words = phrase_of(text)
    german = sum(word in _GERMAN for word in words)
    return german > sum(word in _ENGLISH for word in words)
