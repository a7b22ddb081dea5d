"""Related tasks out of an archive on the disk, of which a batch brings into memory only what it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, overload

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.dialogs import Dialog
from tasksieve.dialogs.plain import dialog_of
from tasksieve.encoding.archive_writing import arrays_of
from tasksieve.encoding.candidates import Candidates, CountedResponses
from tasksieve.encoding.choices import Choices
from tasksieve.encoding.encoded_task import Coverage, EncodedTask, Example, of_own_task
from tasksieve.encoding.kept_arrays import known_words, mapped, mapped_tensor
from tasksieve.encoding.sentences import Embed, SentenceTable
from tasksieve.encoding.vocabulary import Vocabulary, WordCounts
from tasksieve.errors import UserError
from tasksieve.records.files import read_json, write_whole

_PIECE = 8192
"""Sentences that are embedded at once."""


@dataclass(frozen=True, slots=True)
class KeptDialog:
    """A dialog that is one of the first with an action: its task, its actions to learn from, and itself."""

    task: int
    actions: frozenset[str]
    dialog: Dialog


class Archive:
    """What :class:`~tasksieve.encoding.archive_writing.ArchiveWriter` wrote.

    Args:
        folder: with its files.
    Raises: UserError: if a file is missing or damaged.

    Attributes:
        ranked: whether its responses are ranked; else its actions are predicted.
        said: words that its dialogs may make part of a vocabulary, and in how many dialogs each is said.
        counts: for each task how often each action is to be learned from.
        turns: of each task, those to learn from, with those that have no action.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbered: tuple[Vocabulary, SentenceTable] | None = None
        value = read_json(folder / "archive.json")
        try:
            self.ranked = value.get("ranked", False) is True
            self._sizes: Mapping[str, int] = value["arrays"]
            self._words, self._actions = list[str](value["words"]), list[str](value["actions"])
            self.said = WordCounts.read(value["said"])
            self.counts = [dict[str, int](counts) for counts in value["counts"]]
            self.turns = list(map(int, value["turns"]))
            self.uses, self.max_memories = int(value["uses"]), int(value["max_memories"])
            self._files = {"examples": int(value["example_files"]), "texts": int(value["text_files"])}
            self._dialogs: list[Any] = value["dialogs"]
            self._kinds = arrays_of(ranked=self.ranked)
            missing = self._kinds.keys() - self._sizes.keys()
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"is no archive of this version ({error!r}); remove its folder and run again", folder
            ) from None
        if missing:
            raise UserError(
                f"is no archive of this version: it lacks {min(missing)}; remove it and run again", folder
            )

    def __len__(self) -> int:
        return self._sizes["start"]

    def kept_dialogs(self) -> Iterator[KeptDialog]:
        """The first dialogs with each action, in order."""
        for task, actions, plain in self._dialogs:
            yield KeptDialog(task, frozenset(actions), dialog_of(plain))

    def tensor(self, name: str) -> Tensor:
        """An array by its name."""
        return mapped_tensor(self._folder / f"{name}.bin", self._sizes[name], self._kinds[name])

    def table(self, vocabulary: Vocabulary) -> SentenceTable:
        """All sentences, in the numbers of a vocabulary; made anew if it is not the one asked for before.

        Args:
            vocabulary: words that it lacks are left out of the sentences.
        """
        if self._numbered is None or self._numbered[0] is not vocabulary:
            self._numbered = vocabulary, self._table(vocabulary)
        return self._numbered[1]

    def _table(self, vocabulary: Vocabulary) -> SentenceTable:
        places = np.array(vocabulary.places(self._words), dtype=np.int64)
        words, offsets = mapped(self._folder / "words.bin", self._sizes["words"]), self.tensor("offsets")
        if (places >= 0).all():
            return SentenceTable(torch.from_numpy(places[words]), offsets, len(vocabulary))
        known, begins = known_words(places, words, offsets.numpy())
        return SentenceTable(torch.from_numpy(known), torch.from_numpy(begins), len(vocabulary))

    def vectors(self, embed: Embed, digest: str, dim: int) -> Float[Tensor, "sentences dim"]:
        """A vector for each sentence: embedded once, a piece at a time, and kept with the archive.

        Args:
            embed: gives vectors.
            digest: of what gives them.
            dim: of a vector.
        """
        path, count = self._folder / f"vectors-{digest[:32]}.bin", self._sizes["offsets"] - 1
        if not path.exists():
            write_whole(path, lambda part: self._embed(part, embed))
        return mapped_tensor(path, count * dim, "float32").view(count, dim)

    def _embed(self, path: Path, embed: Embed) -> None:
        with path.open("wb") as file:
            texts = (text for frame in self._tables("texts") for text in frame["text"])
            while piece := list(islice(texts, _PIECE)):
                distinct = {text: place for place, text in enumerate(dict.fromkeys(t for t in piece if t.strip()))}
                found = embed(list(distinct)).detach().float().cpu()
                rows = torch.cat([found, found.new_zeros(1, found.shape[1])])
                file.write(rows[[distinct.get(text, -1) for text in piece]].numpy().tobytes())

    def actions(self, candidates: Candidates) -> Int[Tensor, " examples"]:
        """The number of each example's action among candidates."""
        places = torch.tensor([candidates.number(action) for action in self._actions])
        return places[self.tensor("actions")]

    def response_vectors(
        self, vectors: Float[Tensor, "sentences dim"], digest: str
    ) -> Float[Tensor, "responses dim"]:
        """The vector of each response: put beside each other once, a piece at a time, and kept with the archive.

        Args:
            vectors: of all sentences.
            digest: of what gave them.
        """
        path, numbers = self._folder / f"responses-{digest[:32]}.bin", self.tensor("responses")
        if not path.exists():
            write_whole(path, lambda part: _gather(part, vectors, numbers))
        dim = vectors.shape[1]
        return mapped_tensor(path, len(numbers) * dim, "float32").view(-1, dim)

    def drawn(
        self, table: SentenceTable, vectors: Float[Tensor, "responses dim"] | None, device: torch.device | str
    ) -> Choices:
        """What each turn chooses among, its own response first, as it was drawn when the archive was made.

        Args:
            table: all sentences, from :meth:`table`.
            vectors: of the responses; None for none.
            device: where the choices are to be.
        """
        words = table.select(self.tensor("responses"))
        dense = None if vectors is None else vectors.to(device)
        responses = SentenceTable(words.words.to(device), words.offsets.to(device), table.vocabulary_size, dense)
        offered, offers = self.tensor("offered").to(device), self.tensor("offers").to(device)
        right = torch.zeros(len(self), dtype=torch.long, device=device)
        return Choices(responses, right, SentenceTable(offered, offers, len(words)))

    def counted(self, vocabulary: Vocabulary) -> CountedResponses:
        """The distinct responses, as bags of words."""
        return CountedResponses(self.table(vocabulary).select(self.tensor("counted")), vocabulary)

    def examples(self) -> pl.DataFrame:
        """A row an example, in their order: task, dialog, turn, kind, user, system. Its texts stay on the disk."""
        return pl.concat(self._tables("examples"), rechunk=False)

    def _tables(self, name: str) -> list[pl.DataFrame]:
        files = [self._folder / f"{name}-{number:05}.arrow" for number in range(self._files[name])]
        try:
            return [pl.read_ipc(file) for file in files]
        except (OSError, pl.exceptions.PolarsError) as error:
            raise UserError(
                f"is not there as a whole ({error}); remove what is left of it and run again", self._folder
            ) from None


def _gather(path: Path, vectors: Tensor, numbers: Tensor) -> None:
    with path.open("wb") as file:
        for piece in torch.split(numbers, _PIECE):
            file.write(vectors[piece].numpy().tobytes())


class StoredExamples(Sequence[Example]):
    """Examples whose texts stay on the disk until they are asked for.

    Attributes:
        frame: columns task, dialog, turn, kind, user, system.
    """

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame

    def __len__(self) -> int:
        return self.frame.height

    @overload
    def __getitem__(self, place: int) -> Example: ...
    @overload
    def __getitem__(self, place: slice) -> list[Example]: ...
    def __getitem__(self, place: int | slice) -> Example | list[Example]:
        if isinstance(place, slice):
            return [Example(**row) for row in self.frame[place].iter_rows(named=True)]
        if not -len(self) <= place < len(self):
            raise IndexError(f"there are {len(self)} examples")
        return Example(**self.frame.row(place, named=True))

    def __iter__(self) -> Iterator[Example]:
        return (Example(**row) for row in self.frame.iter_rows(named=True))


class ArchivedTask(EncodedTask):
    """All examples of an archive, as :class:`~tasksieve.encoding.EncodedTask` has them of dialogs in memory.

    Args:
        archive: on the disk.
        vocabulary: words that it lacks are left out of the sentences.
        candidates: actions that the head chooses among; where there are several tasks, each among its own. Where
            responses are ranked, each turn chooses among those that were drawn for it instead.
        head: the name of that head.
        device: where the tensors live; what is on the CPU stays on the disk.
        vectors: for each sentence of the archive; None for none.
        pieces: the word pieces of each sentence; None for none.
        responses: the vector of each response, where these are ranked; None for none.

    Attributes:
        stored: the examples as a table: task, dialog, turn, kind, user, system.
    """

    def __init__(
        self,
        archive: Archive,
        vocabulary: Vocabulary,
        candidates: Candidates,
        *,
        head: str,
        device: torch.device | str = "cpu",
        vectors: Float[Tensor, "sentences dim"] | None = None,
        pieces: Float[Tensor, "sentences width"] | None = None,
        responses: Float[Tensor, "responses dim"] | None = None,
    ) -> None:
        self.head, self.candidates, self.max_memories = head, candidates, archive.max_memories
        self.stored = archive.examples()
        self.examples = StoredExamples(self.stored)
        given = archive.tensor("given")
        self.given = None if bool((given == 1).all()) else given.to(device)
        self.tokens = False
        self.memories = archive.tensor("memories").to(device)
        self.spoken = archive.tensor("spoken").view(-1, 2).to(device)
        self.start, self.end = archive.tensor("start").to(device), archive.tensor("end").to(device)
        dense = [None if rows is None else rows.to(device) for rows in (vectors, pieces)]
        table = archive.table(vocabulary)
        self.table = SentenceTable(table.words.to(device), table.offsets.to(device), table.vocabulary_size, *dense)
        if archive.ranked:
            self.choices = archive.drawn(table, responses, device)
        else:
            self.choices = candidates.choices(archive.actions(candidates).to(device))
            if len(archive.counts) > 1:
                self.choices = of_own_task(self.choices, archive.tensor("tasks").to(device))
        self.entities = None
        unseen = int((self.targets < 0).sum())
        self.coverage = Coverage(len(archive), unseen, archive.uses, 0)
