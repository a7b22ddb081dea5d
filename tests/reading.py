"""Dialogs of a few lines, and how they are read."""

from __future__ import annotations

from collections.abc import Iterable

from tasksieve.dialogs import Dialog, Note, Record
from tasksieve.dialogs.formats import FORMATS
from tasksieve.dialogs.record import told
from tasksieve.encoding import Candidates, EncodedTask, Names, Reader, Vocabulary, names_of, responses_of
from tasksieve.encoding.actions import spelled
from tasksieve.encoding.sentences import Embed
from tasksieve.records.model_config import Facts, Predicted

WRITTEN = [name for name, known in FORMATS.items() if known.write is not None]
"""Formats that are written too."""
KB = Names({"kb": ("name", "r_phone")})
"""An entity's name and its telephone number."""


def facts(*texts: str) -> tuple[Record | Note, ...]:
    """What lines tell, one event a line."""
    return tuple(map(told, texts))


def records(kind: str, *rows: dict[str, object]) -> tuple[Record, ...]:
    """Records of one kind."""
    return tuple(Record.of(kind, row) for row in rows)


def lines(dialog: Dialog, choice: Facts = "all", names: Names | None = None) -> list[str]:
    """What is remembered of a dialog at its end."""
    return [line.seen for line in Reader(choice, names).read_one(dialog).lines]


class World:
    """Tasks that are read with their names, with one vocabulary and a head each.

    Args:
        tasks: dialogs by head.
        named: whether responses are templates.
        predict: what is predicted.
        vectors: of sentences, if they have any.
        pieces: of the words of sentences, if they have any.
    """

    def __init__(
        self,
        tasks: dict[str, list[Dialog]],
        *,
        named: bool = True,
        predict: Predicted = "responses",
        vectors: Embed | None = None,
        pieces: Embed | None = None,
    ) -> None:
        names = names_of(*tasks.values()) if named else (None,) * len(tasks)
        self.readers = {head: Reader("all", own, predict) for head, own in zip(tasks, names, strict=True)}
        self.readings = {head: reader.read(tasks[head]) for head, reader in self.readers.items()}
        self.vocabulary = Vocabulary.of(*self.readings.values())
        self.gaps = frozenset[str]().union(*(own.gaps() for own in names if own is not None))
        self.vectors, self.pieces = vectors, pieces
        self.spell = spelled if predict == "actions" else str
        self.heads = {head: self.candidates(responses_of(read)) for head, read in self.readings.items()}

    def candidates(self, texts: Iterable[str]) -> Candidates:
        """These responses as candidates."""
        return Candidates(texts, self.vocabulary, placeholders=self.gaps, vectors=self.vectors, spell=self.spell)

    def task(self, head: str = "primary", dialogs: list[Dialog] | None = None) -> EncodedTask:
        """A task's examples, or those of other dialogs that are read like it."""
        readings = self.readings[head] if dialogs is None else self.readers[head].read(dialogs)
        return EncodedTask(
            readings, self.vocabulary, self.heads[head], head=head, vectors=self.vectors, pieces=self.pieces
        )

    def pooled(self, head: str = "related") -> EncodedTask:
        """The tasks but the first as one, whose candidates are the head's."""
        parts = list(self.readings.values())[1:]
        self.heads[head] = self.candidates(responses_of(*parts))
        numbers = [number for number, part in enumerate(parts) for _ in part]
        readings = [reading for part in parts for reading in part]
        return EncodedTask(
            readings,
            self.vocabulary,
            self.heads[head],
            head=head,
            vectors=self.vectors,
            pieces=self.pieces,
            tasks=numbers,
        )
