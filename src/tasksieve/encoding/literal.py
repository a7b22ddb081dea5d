"""Values that stand in a text as they are, and whether a conversation holds them."""

from __future__ import annotations

from dataclasses import dataclass

from tasksieve.encoding.german import ENDINGS
from tasksieve.encoding.held import Held
from tasksieve.encoding.phrases import STOP, Phrase
from tasksieve.encoding.values import Value


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands in a text as it is: told by its form, or some words that must be said."""

    text: str
    form: Value | None = None
    phrase: Phrase = ()


def is_held(literal: Literal, held: Held, *, filled: bool) -> bool:
    """Whether a conversation holds a value; word by word is enough where gaps of the text were filled."""
    if literal.form is not None and held.holds(literal.form):
        return True
    if not literal.phrase:
        return False
    by_words = filled and all(word in STOP or _is_said(word, held) for word in literal.phrase)
    return by_words or held.says(literal.phrase)


def _is_said(word: str, held: Held) -> bool:
    return held.says((word,)) or any(held.was_said((word + ending,)) for ending in ENDINGS)
