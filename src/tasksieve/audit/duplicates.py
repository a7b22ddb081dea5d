"""Dialogs that are there twice, in one split or across two: exactly, or nearly.

Two dialogs are nearly the same if the sets of word pairs of what is said in them overlap by nine tenths (Jaccard).
Such pairs are found by MinHash signatures in bands (Broder, 1997; Indyk and Motwani, 1998) and then measured, so the
work grows with the number of dialogs, not with its square.
"""

from __future__ import annotations

import itertools
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasksieve.audit.splits import PRIMARY, Splits, examples, share
from tasksieve.dialogs import Dialog

NEAR = 0.9
_BANDS, _ROWS = 12, 6
_LOOKED_AT = 32
_SHOWN = 3

Pair = tuple[int, int]
"""The lines where two dialogs start in their files."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """Dialogs of one split that repeat an earlier one of it: ``same`` exactly, ``near`` also nearly."""

    dialogs: int
    same: int
    near: int
    lines: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a held-out split shares with one that is learned from.

    Attributes:
        learned, held_out: names of the splits.
        dialogs: dialogs of the held-out split.
        same: those that are in the other one exactly.
        near: those that are in it exactly or nearly.
        examples: per cent of held-out turns whose whole context and response are in it; short contexts are always.
        lines: where some of the near ones start, in the learned split and the held-out one.
    """

    learned: str
    held_out: str
    dialogs: int
    same: int
    near: int
    examples: float
    lines: tuple[Pair, ...]


def overlap(splits: Splits) -> tuple[Overlap, ...]:
    """Every split that is learned from (validation data chooses the model) against every held-out one."""
    held_out = list(splits.held_out())
    learned = [(PRIMARY, splits.primary), *splits.named_related()]
    pairs = [(one, other) for one in learned for other in held_out]
    if len(held_out) == 2:
        pairs.append((held_out[0], held_out[1]))
    sources = dict(one for one, _ in pairs)
    known = {name: _Index(dialogs) for name, dialogs in sources.items()}
    contexts = {name: {(e.context, e.turn.system) for e in examples(d)} for name, d in sources.items()}
    found = []
    for (one, _), (other, dialogs) in pairs:
        looked = list(known[one].matches(dialogs))
        there = [(e.context, e.turn.system) in contexts[one] for e in examples(dialogs)]
        found.append(Overlap(one, other, *_counts(dialogs, looked), share(sum(there), len(there)), _lines(looked)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Twice:
    """Dialogs of a related task that an earlier one, or the primary task, has word for word.

    Attributes:
        related, earlier: names of the two.
        dialogs: of the later one.
        same: those of them that the earlier one has.
    """

    related: str
    earlier: str
    dialogs: int
    same: int


def twice(splits: Splits) -> tuple[Twice, ...]:
    """Related tasks that have dialogs which are learned from already; they would count twice."""
    seen: dict[int, str] = {_key(dialog): PRIMARY for dialog in splits.primary}
    found = []
    for name, dialogs in splits.named_related():
        earlier = Counter(seen[key] for key in map(_key, dialogs) if key in seen)
        found += [Twice(name, other, len(dialogs), count) for other, count in earlier.items()]
        for dialog in dialogs:
            seen.setdefault(_key(dialog), name)
    return tuple(found)


def _key(dialog: Dialog) -> int:
    return hash((dialog.profile, dialog.events))


def repeats(dialogs: Sequence[Dialog]) -> Repeats:
    """Which dialogs of a split repeat an earlier one."""
    looked = list(_Index(()).matches(dialogs, learn=True))
    return Repeats(*_counts(dialogs, looked), _lines(looked))


@dataclass(frozen=True, slots=True)
class _Match:
    line: int
    other: int
    same: bool


def _counts(dialogs: Sequence[Dialog], matches: list[_Match]) -> tuple[int, int, int]:
    return len(dialogs), sum(match.same for match in matches), len(matches)


def _lines(matches: list[_Match]) -> tuple[Pair, ...]:
    return tuple((match.other, match.line) for match in matches[:_SHOWN])


class _Index:
    """Dialogs by what is said in them."""

    def __init__(self, dialogs: Sequence[Dialog]) -> None:
        self._same: dict[int, int] = {}
        self._bands: dict[tuple[int, bytes], list[tuple[int, frozenset[int]]]] = {}
        for dialog in dialogs:
            self._learn(dialog, _pairs(dialog))

    def matches(self, dialogs: Sequence[Dialog], *, learn: bool = False) -> Iterator[_Match]:
        """Dialogs that are here exactly or nearly, each once; with ``learn`` they are added one after the other."""
        for dialog in dialogs:
            said = _pairs(dialog)
            key = _key(dialog)
            if key in self._same:
                yield _Match(dialog.line, self._same[key], True)
                continue
            near = next((line for line, other in self._alike(said) if _jaccard(said, other) >= NEAR), None)
            if near is not None:
                yield _Match(dialog.line, near, False)
            if learn:
                self._learn(dialog, said)

    def _learn(self, dialog: Dialog, said: frozenset[int]) -> None:
        key = _key(dialog)
        if key in self._same:
            return
        self._same[key] = dialog.line
        for band in _bands(said):
            held = self._bands.setdefault(band, [])
            if len(held) < _LOOKED_AT:
                held.append((dialog.line, said))

    def _alike(self, said: frozenset[int]) -> Iterator[tuple[int, frozenset[int]]]:
        for band in _bands(said):
            yield from self._bands.get(band, ())


def _pairs(dialog: Dialog) -> frozenset[int]:
    """Numbers of the word pairs of all turns; the ends of an utterance count as words."""
    found: set[int] = set()
    for turn in dialog.turns:
        for text in (turn.user, turn.system):
            words = ["", *text.lower().split(), ""]
            found.update(zlib.crc32(f"{a} {b}".encode()) for a, b in itertools.pairwise(words))
    return frozenset(found)


def _jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    both = len(one & other)
    return both / (len(one) + len(other) - both)


_MIX = np.random.default_rng(0).integers(1, 1 << 63, size=(2, _BANDS * _ROWS), dtype=np.uint64) | np.uint64(1)


def _bands(said: frozenset[int]) -> list[tuple[int, bytes]]:
    """The bands of a MinHash signature: equal ones make two dialogs worth measuring."""
    numbers: NDArray[np.uint64] = np.fromiter(said, dtype=np.uint64, count=len(said))
    mixed = (numbers[:, None] * _MIX[0] + _MIX[1]) >> np.uint64(32)
    signature = mixed.min(axis=0).reshape(_BANDS, _ROWS)
    return [(number, band.tobytes()) for number, band in enumerate(signature)]
