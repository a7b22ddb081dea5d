"""Dialogs in another language: every word is replaced by an invented one, the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random

from tasksieve.dialogs.act import Span
from tasksieve.dialogs.dialog import SILENCE, Dialog, Turn
from tasksieve.dialogs.record import Note, Record, Value

_WORD = re.compile(r"[^\W_]+")
_CALL = re.compile(r"api_call \S+ ?|\"[^\"]*\":")
"""What of a call is the tool's language: its name, and those of its arguments."""
_ONSETS = ("b", "d", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "kr", "tl", "vr")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ou")


def ciphered(dialogs: Sequence[Dialog], seed: str) -> list[Dialog]:
    """Replace every word by an invented one: in utterances, responses, values of records and notes.

    A word is a run of letters and digits; case is lost, and punctuation stays. Words that only digits make up stay,
    as numbers are the same in many languages. Names of acts, slots, tools and fields stay: they are annotations, not
    language.

    Args:
        dialogs: of a whole archive, so that a word means the same in all of its services.
        seed: what the invented words follow from.
    """
    cipher = _Cipher(seed)
    return [_dialog(dialog, cipher) for dialog in dialogs]


class _Cipher:
    """Invented words, no two words having the same."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._known: dict[str, str] = {}
        self._taken: set[str] = set()

    def text(self, text: str) -> str:
        """A text with its words replaced."""
        return _WORD.sub(lambda found: self._word(found[0]), text)

    def _word(self, word: str) -> str:
        if word.isdigit():
            return word
        plain = word.lower()
        if plain not in self._known:
            random = Random(f"cipher {self._seed} {plain}")
            invented = ""
            while not invented or invented in self._taken:
                invented += random.choice(_ONSETS) + random.choice(_VOWELS) + random.choice(_ONSETS)
                invented += random.choice(_VOWELS)
            self._known[plain] = invented
            self._taken.add(invented)
        return self._known[plain]

    def value(self, value: Value) -> Value:
        """A value of a record with its words replaced."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Record):
            return Record(value.kind, tuple((name, self.value(inner)) for name, inner in value.fields))
        return tuple(self.value(inner) for inner in value)


def _dialog(dialog: Dialog, cipher: _Cipher) -> Dialog:
    events: list[Turn | Record | Note] = []
    for event in dialog.events:
        if isinstance(event, Turn):
            events.append(_turn(event, cipher))
        elif isinstance(event, Record):
            events.append(Record(event.kind, tuple((name, cipher.value(value)) for name, value in event.fields)))
        else:
            events.append(replace(event, text=cipher.text(event.text)))
    return replace(dialog, events=tuple(events), profile=tuple(map(cipher.text, dialog.profile)))


def _turn(turn: Turn, cipher: _Cipher) -> Turn:
    """A turn in the other language, with its values where they now stand."""
    kept = [found.span() for found in _CALL.finditer(turn.system)] if turn.system.startswith("api_call ") else []
    ends = {0, len(turn.system), *(end for span in turn.spans for end in (span.start, span.end))}
    ends.update(end for pair in kept for end in pair)
    ordered, text, moved = sorted(ends), "", {0: 0}
    for start, end in pairwise(ordered):
        piece = turn.system[start:end]
        text += piece if any(first <= start and end <= last for first, last in kept) else cipher.text(piece)
        moved[end] = len(text)
    return replace(
        turn,
        user=turn.user if turn.user == SILENCE else cipher.text(turn.user),
        system=text,
        spans=tuple(Span(span.slot, moved[span.start], moved[span.end]) for span in turn.spans),
        candidates=tuple(map(cipher.text, turn.candidates)),
    )
