"""Whether a user plainly refuses what was just asked: "no", "nein danke", "no, I don't want that"."""

from __future__ import annotations

from functools import lru_cache

from tasksieve.encoding.calls import call_values
from tasksieve.encoding.held import Held
from tasksieve.encoding.phrases import phrase_of, words_of
from tasksieve.encoding.sources import echoes
from tasksieve.encoding.values import alike, digits_in, values_in

_REFUSALS = frozenset(
    words_of("no nope nah nein nee nö ne don't don’t not nicht cancel stop stopp abbrechen storno stornieren")
)
_BESIDE = frozenset(
    words_of(
        "thanks thank you danke dankeschön please bitte sorry entschuldigung i ich we wir do want möchte will "
        "it that this das es doch lieber rather better dann auch schön mal lass lassen leave wait warten "
        "moment"
    )
)
_MOST_WORDS = 8
_REMEMBERED = 1 << 12


@lru_cache(_REMEMBERED)
def is_refusal(utterance: str) -> bool:
    """Whether an utterance says no, and nothing else.

    >>> is_refusal("Nein danke"), is_refusal("no, the 14th"), is_refusal("no problem"), is_refusal("yes")
    (True, False, False, False)
    """
    words = [word for word in phrase_of(utterance) if any(map(str.isalnum, word))]
    return (
        0 < len(words) <= _MOST_WORDS
        and any(word in _REFUSALS for word in words)
        and all(word in _REFUSALS or word in _BESIDE for word in words)
    )


def is_corrected(utterance: str, call: str) -> bool:
    """Whether an utterance begins with a no and has a value that a call does not have: "no, number 153"."""
    words = phrase_of(utterance)
    said = (*values_in(utterance), *digits_in(utterance))
    given = [value for _, value in call_values(call)]
    return (
        bool(words)
        and words[0] in _REFUSALS
        and any(not any(one.text in value or alike(one.text, value) for value in given) for one in said)
    )


def is_asked_for(call: str, held: Held) -> bool:
    """Whether the system has just asked whether it shall make a call: its question has a value of the call."""
    return held.last.rstrip().endswith("?") and any(echoes(held, value) for _, value in call_values(call))
