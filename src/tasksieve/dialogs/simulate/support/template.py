"""Templates: one line that stands for many sentences.

``[a|b|]`` is one of its alternatives, which may hold further ones; ``{slot}`` is a value. An alternative that needs a
value that is not known is never chosen, so a template adapts itself to what is known.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from tasksieve.dialogs.act import Span


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a sentence.

    Attributes:
        text: its words.
        slot: whose value it is; empty if it is no value.
    """

    text: str
    slot: str = ""


@dataclass(frozen=True, slots=True)
class _Value:
    slot: str


@dataclass(frozen=True, slots=True)
class _Choice:
    alternatives: tuple[_Sequence, ...]


@dataclass(frozen=True, slots=True)
class _Sequence:
    parts: tuple[str | _Value | _Choice, ...]

    def is_known(self, known: Mapping[str, str]) -> bool:
        return all(_is_known(part, known) for part in self.parts)


def _is_known(part: str | _Value | _Choice, known: Mapping[str, str]) -> bool:
    if isinstance(part, _Value):
        return part.slot in known
    return isinstance(part, str) or any(each.is_known(known) for each in part.alternatives)


def drawn(templates: Iterable[str], known: Mapping[str, str], rng: random.Random) -> tuple[Piece, ...]:
    """One sentence of the templates that can be filled from what is known.

    >>> drawn(["[hi|hi], {name}", "hi, {number}"], {"name": "Ada"}, random.Random(0))
    (Piece(text='hi', slot=''), Piece(text=', ', slot=''), Piece(text='Ada', slot='name'))

    Raises: LookupError: if none of them can be filled.
    """
    fitting = [each for each in map(_parsed, templates) if each.is_known(known)]
    if not fitting:
        raise LookupError("no template can be filled from what is known")
    return tuple(_pieces(rng.choice(fitting), known, rng))


def text_of(pieces: Iterable[Piece]) -> str:
    """The sentence."""
    return "".join(piece.text for piece in pieces)


def spans_of(pieces: Iterable[Piece]) -> tuple[Span, ...]:
    """Where values stand in the sentence."""
    spans, place = [], 0
    for piece in pieces:
        if piece.slot:
            spans.append(Span(piece.slot, place, place + len(piece.text)))
        place += len(piece.text)
    return tuple(spans)


def in_words(pieces: Iterable[Piece], change: Callable[[str], str]) -> tuple[Piece, ...]:
    """The pieces with all but the values changed."""
    return tuple(piece if piece.slot else Piece(change(piece.text)) for piece in pieces)


def _pieces(sequence: _Sequence, known: Mapping[str, str], rng: random.Random) -> Iterable[Piece]:
    for part in sequence.parts:
        if isinstance(part, str):
            yield Piece(part)
        elif isinstance(part, _Value):
            yield Piece(known[part.slot], part.slot)
        else:
            fitting = [each for each in part.alternatives if each.is_known(known)]
            yield from _pieces(rng.choice(fitting), known, rng)


@cache
def _parsed(template: str) -> _Sequence:
    sequence, place = _sequence(template, 0)
    if place != len(template):
        raise ValueError(f"found {template[place]!r} that nothing opens in {template!r}")
    return sequence


def _sequence(template: str, place: int) -> tuple[_Sequence, int]:
    parts: list[str | _Value | _Choice] = []
    while place < len(template) and template[place] not in "|]":
        if template[place] == "[":
            choice, place = _choice(template, place + 1)
            parts.append(choice)
        elif template[place] == "{":
            end = template.index("}", place)
            parts.append(_Value(template[place + 1 : end]))
            place = end + 1
        else:
            end = min((at for mark in "[]{|" if (at := template.find(mark, place)) >= 0), default=len(template))
            parts.append(template[place:end])
            place = end
    return _Sequence(tuple(parts)), place


def _choice(template: str, place: int) -> tuple[_Choice, int]:
    alternatives = []
    while True:
        sequence, place = _sequence(template, place)
        alternatives.append(sequence)
        if place >= len(template):
            raise ValueError(f"found no ']' at the end of {template!r}")
        place += 1
        if template[place - 1] == "]":
            return _Choice(tuple(alternatives)), place
