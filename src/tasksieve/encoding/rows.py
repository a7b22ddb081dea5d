"""Sentences by their numbers, and where each turn's memories stand: dialogs on their way to a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from tasksieve.encoding.reading import SYSTEM, USER, Line, Reading, ReadTurn
from tasksieve.encoding.sentences import Embed, SentenceTable, dense, plain, text_of_line
from tasksieve.encoding.vocabulary import Vocabulary


@runtime_checkable
class Numbering(Protocol):
    """Gives sentences numbers."""

    def line(self, line: Line) -> int:
        """The number of a memory."""
        ...

    def spoken(self, seen: str, original: str) -> int:
        """The number of an utterance or a response."""
        ...


@dataclass(frozen=True, slots=True)
class PlacedTurn:
    """A turn to learn from, in numbers.

    Attributes:
        place: of the turn in its dialog.
        turn: as it was read.
        utterance, response: numbers of sentences.
        first, last: where its memories stand, and the place after the last.
    """

    place: int
    turn: ReadTurn
    utterance: int
    response: int
    first: int
    last: int


def placed(
    reading: Reading, rows: Numbering, memories: list[int], before: int, max_memories: int, *, as_said: bool = False
) -> Iterator[PlacedTurn]:
    """The turns of a dialog that are learned from; their memories are added to a list.

    Args:
        reading: of the dialog.
        rows: numbers its sentences.
        memories: takes the numbers of the dialog's memories, and those of each turn with some of its own.
        before: how many memories there are before those in the list.
        max_memories: older ones of a turn with memories of its own are left out.
        as_said: whether responses are what was said, not what was read.
    """
    start = before + len(memories)
    memories.extend(map(rows.line, reading.lines))
    for place, turn in enumerate(reading.turns):
        if not turn.learned:
            continue
        first, last = start, start + turn.remembered
        if turn.fresh:
            first = before + len(memories)
            memories.extend(map(rows.line, reading.memory(turn)[-max_memories:]))
            last = before + len(memories)
        response = (turn.said.system,) * 2 if as_said else (turn.response, _as_it_was(turn))
        spoken = rows.spoken(turn.user, turn.said.user), rows.spoken(*response)
        yield PlacedTurn(place, turn, *spoken, first, last)


def _as_it_was(turn: ReadTurn) -> str:
    """What is predicted at a turn, without gaps."""
    return turn.response if turn.entity < 0 else turn.said.system


def said_of(line: Line) -> str:
    """What was said in a memory; nothing for facts and states."""
    return line.original if line.original.startswith((USER, SYSTEM)) else ""


class Rows:
    """Numbers distinct sentences from 1 (0 is the empty one) and counts words."""

    def __init__(self, vocabulary: Vocabulary, vectors: Embed | None, pieces: Embed | None = None) -> None:
        self.words = 0
        self.unknown_words = 0
        self._vocabulary, self._vectors, self._pieces = vocabulary, vectors, pieces
        self._sentences: list[list[int]] = [[]]
        self._texts = [""]
        self._known: dict[str | tuple[str, str], tuple[int, int, int]] = {}

    def line(self, line: Line) -> int:
        """The number of a memory; vectors are of what was said, and nothing for facts and states."""
        return self._number(line.seen, said_of(line), text_of_line)

    def spoken(self, seen: str, original: str) -> int:
        """The number of an utterance or a response."""
        return self._number(seen, original, plain)

    def table(self, device: torch.device | str) -> SentenceTable:
        """All sentences so far."""
        rows = None if self._vectors is None else dense(self._texts, self._vectors, device)
        pieces = None if self._pieces is None else dense(self._texts, self._pieces, device)
        return SentenceTable.of(self._sentences, len(self._vocabulary), device, rows, pieces)

    def _number(self, seen: str, original: str, text_of: Callable[[str], str]) -> int:
        key = seen if self._vectors is None else (seen, original)
        row = self._known.get(key)
        if row is None:
            words, unknown = self._vocabulary.numbers(seen)
            row = self._known[key] = (len(self._sentences), len(words) + unknown, unknown)
            self._sentences.append(words)
            self._texts.append(text_of(original))
        self.words += row[1]
        self.unknown_words += row[2]
        return row[0]
