"""How a user types: small letters, marks left out, slips of the fingers, fillers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tasksieve.dialogs.simulate.support.template import Piece, in_words

_NEIGHBOURS = dict(
    zip("abcdefghiklmnoprstuwy", "svxsdghjujknbilteyieu", strict=True)
)  # a key beside each, on the keyboard
_SHORTER = {"please": "pls", "thanks": "thx", "you": "u", "because": "cause", "tomorrow": "tmrw", "number": "no."}
_FILLERS = ("um, ", "well, ", "so ", "hmm, ", "ok so ", "erm ", "right, ", "oh, ", "ah, ", "yeah so ")
_AFTERS = (" :)", " thanks", " please", " if that helps", " I think", "...", " ok?", " lol", ", cheers", " ty")


@dataclass(frozen=True, slots=True)
class Habits:
    """What one user does in every message.

    Attributes:
        small: whether they write in small letters.
        marks: whether sentences end in a mark.
        slips: the part of words with a typo.
        fillers: the part of messages with a filler before or after.
        shortens: whether they write ``pls`` and ``thx``.
    """

    small: bool
    marks: bool
    slips: float
    fillers: float
    shortens: bool

    @classmethod
    def drawn(cls, rng: random.Random) -> Habits:
        """Those of a user drawn at random."""
        return cls(
            small=rng.random() < 0.35,
            marks=rng.random() < 0.7,
            slips=rng.choice((0.0, 0.0, 0.01, 0.03, 0.06)),
            fillers=rng.choice((0.0, 0.1, 0.25)),
            shortens=rng.random() < 0.15,
        )

    def typed(self, pieces: Sequence[Piece], rng: random.Random) -> tuple[Piece, ...]:
        """A message as this user types it; values stay as they are."""
        pieces = tuple(pieces)
        if rng.random() < self.fillers:
            first = in_words(pieces[:1], _uncapitalized)
            before, after = Piece(rng.choice(_FILLERS)), Piece(rng.choice(_AFTERS))
            pieces = (before, *first, *pieces[1:]) if rng.random() < 0.6 else (*pieces, after)
        pieces = in_words(pieces, lambda text: self._words(text, rng))
        if not self.marks and pieces and not pieces[-1].slot:
            pieces = (*pieces[:-1], Piece(pieces[-1].text.rstrip(".!")))
        return tuple(piece for piece in pieces if piece.text)

    def value(self, text: str) -> str:
        """A value as this user writes it."""
        return text.lower() if self.small else text

    def _words(self, text: str, rng: random.Random) -> str:
        if self.small:
            text = text.lower()
        return " ".join(self._word(word, rng) for word in text.split(" "))

    def _word(self, word: str, rng: random.Random) -> str:
        if self.shortens and word.lower() in _SHORTER:
            return _SHORTER[word.lower()]
        if len(word) > 3 and word.isalpha() and rng.random() < self.slips:
            return _slip(word, rng)
        return word


def _uncapitalized(text: str) -> str:
    return text if text[:2] in ("I ", "I'") else text[:1].lower() + text[1:]


def _slip(word: str, rng: random.Random) -> str:
    """A word with two letters swapped, one left out, one doubled or one of the key beside."""
    place = rng.randrange(1, len(word) - 1)
    before, letter, after = word[:place], word[place], word[place + 1 :]
    kind = rng.randrange(4)
    if kind == 0:
        return f"{before}{after[0]}{letter}{after[1:]}"
    if kind == 1:
        return before + after
    if kind == 2:
        return f"{before}{letter}{letter}{after}"
    return f"{before}{_NEIGHBOURS.get(letter, letter)}{after}"
