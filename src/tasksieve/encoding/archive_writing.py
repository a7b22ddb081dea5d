"""An archive of related dialogs on its way to the disk: one dialog at a time, none is kept.

What grows in memory is a number for each distinct sentence, found by a digest of it, and the distinct words. All else
goes to files: arrays of numbers, and tables of texts that are read where they lie.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import polars as pl

from tasksieve.dialogs import Dialog
from tasksieve.dialogs.plain import plain_dialog
from tasksieve.encoding.kept_arrays import ArrayWriter, mapped
from tasksieve.encoding.kinds import kind_of
from tasksieve.encoding.offered_writing import OFFERED_ARRAYS, Numbers, OfferedWriter
from tasksieve.encoding.phrases import words_of
from tasksieve.encoding.reading import Line, Reading
from tasksieve.encoding.rows import PlacedTurn, placed, said_of
from tasksieve.encoding.sentences import plain, text_of_line
from tasksieve.encoding.vocabulary import WordCounts
from tasksieve.errors import UserError

EXAMPLE_COLUMNS = {
    "task": pl.Int16,
    "dialog": pl.Int32,
    "turn": pl.Int16,
    "kind": pl.String,
    "user": pl.String,
    "system": pl.String,
}
"""Of the tables of examples."""
KEPT_DIALOGS = 3
"""So many dialogs are kept that have an action, to show how it is worded."""
_ROWS = 1 << 16
_ARRAYS = {"words": "int64", "offsets": "int64", "memories": "int64", "spoken": "int64", "start": "int64"}
_MORE = {"end": "int64", "tasks": "int64", "given": "float32"}


def arrays_of(*, ranked: bool) -> dict[str, str]:
    """The files of numbers, with their kinds.

    Args:
        ranked: whether responses are ranked; else actions are predicted.
    """
    return _ARRAYS | _MORE | (OFFERED_ARRAYS if ranked else {"actions": "int64"})


class TableWriter:
    """Writes rows to Arrow files of so many each, which are read where they lie.

    Args:
        folder: of the files.
        name: that they begin with.
        schema: of the rows.
    """

    def __init__(self, folder: Path, name: str, schema: dict[str, Any]) -> None:
        self._folder, self._name, self._schema = folder, name, schema
        self._rows: list[tuple[Any, ...]] = []
        self.files = 0

    def add(self, row: tuple[Any, ...]) -> None:
        """Add a row."""
        self._rows.append(row)
        if len(self._rows) == _ROWS:
            self.close()

    def close(self) -> None:
        """Bring all to the disk."""
        if self._rows:
            frame = pl.DataFrame(self._rows, schema=self._schema, orient="row")
            frame.write_ipc(self._folder / f"{self._name}-{self.files:05}.arrow", compression="uncompressed")
            self._rows, self.files = [], self.files + 1


class _StoredRows:
    """Numbers distinct sentences as :class:`~tasksieve.encoding.rows.Rows` does, and writes their words."""

    def __init__(self, arrays: dict[str, ArrayWriter], texts: TableWriter | None) -> None:
        self.words: dict[str, int] = {}
        self.uses = 0
        self._words, self._offsets, self._texts = arrays["words"], arrays["offsets"], texts
        self._known: dict[bytes, int] = {}
        self._lengths = array("i")
        self._add("", "")

    def line(self, line: Line) -> int:
        return self._number(line.seen, said_of(line), text_of_line)

    def spoken(self, seen: str, original: str) -> int:
        return self._number(seen, original, plain)

    def _number(self, seen: str, original: str, text_of: Callable[[str], str]) -> int:
        key = seen if self._texts is None else f"{len(seen)} {seen}{original}"
        digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        number = self._known.get(digest)
        if number is None:
            number = self._known[digest] = self._add(seen, "" if self._texts is None else text_of(original))
        self.uses += self._lengths[number]
        return number

    def _add(self, seen: str, text: str) -> int:
        numbers = [self.words.setdefault(word, len(self.words)) for word in words_of(seen)]
        self._offsets.extend((self._words.count,))
        self._words.extend(numbers)
        self._lengths.append(len(numbers))
        if self._texts is not None:
            self._texts.add((text,))
        return len(self._lengths) - 1


class ArchiveWriter:
    """Takes the dialogs of related tasks in their order and writes what a run needs of them; a context manager.

    Args:
        folder: to write to; there.
        max_memories: older ones of a turn with memories of its own are left out.
        texts: whether texts of sentences are kept, for an encoder. Two that differ are two sentences then.
        among: if not 0, each turn chooses among so many responses of its own task, all as they were said; else its
            action is predicted.
    """

    def __init__(self, folder: Path, max_memories: int, *, texts: bool = False, among: int = 0) -> None:
        self._folder, self._max = folder, max_memories
        kinds = arrays_of(ranked=bool(among))
        self._arrays = {name: ArrayWriter(folder / f"{name}.bin", kind) for name, kind in kinds.items()}
        self._offered = OfferedWriter(self._arrays, among) if among else None
        self._texts = TableWriter(folder, "texts", {"text": pl.String}) if texts else None
        self._examples = TableWriter(folder, "examples", EXAMPLE_COLUMNS)
        self._rows = _StoredRows(self._arrays, self._texts)
        self._actions: dict[str, int] = {}
        self._counts: list[Counter[str]] = []
        self._turns: list[int] = []
        self._seen: Counter[str] = Counter()
        self._kept: list[list[Any]] = []
        self._said = WordCounts()
        self._dialog = 0

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._arrays.values():
            writer.close()

    def begin(self) -> None:
        """Go on to the dialogs of the next task."""
        if self._offered is not None:
            self._offered.end_task()
        self._counts.append(Counter())
        self._turns.append(0)
        self._dialog = 0

    def add(self, dialog: Dialog, reading: Reading) -> None:
        """Take a dialog of the present task, read for what is predicted."""
        task, memories, arrays = len(self._counts) - 1, list[int](), self._arrays
        self._said.add(reading)
        before, as_said = arrays["memories"].count, self._offered is not None
        turns = list(placed(reading, self._rows, memories, before, self._max, as_said=as_said))
        for turn in turns:
            if turn.turn.descriptions:
                raise ValueError("no response of an archive names an entity")
            said = turn.turn.said
            self._examples.add((task, self._dialog, turn.place, kind_of(said), said.user, said.system))
            arrays["spoken"].extend((turn.utterance, turn.response))
            arrays["start"].extend((turn.first,))
            arrays["end"].extend((turn.last,))
            arrays["tasks"].extend((task,))
            arrays["given"].extend((turn.turn.learned,))
            self._predicted(turn)
        arrays["memories"].extend(memories)
        if self._offered is None:
            self._counts[-1].update(turn.turn.response for turn in turns)
            self._keep(dialog, {turn.turn.action for turn in turns}, task)
        self._turns[-1] += sum(turn.said.learned > 0 for turn in reading.turns)
        self._dialog += 1

    def finish(self) -> None:
        """Bring all to the disk. Raises: UserError: if no turn is one to learn from."""
        arrays = self._arrays
        arrays["offsets"].extend((arrays["words"].count,))
        arrays["memories"].extend((-1,))
        self._examples.close()
        if self._texts is not None:
            self._texts.close()
        if not arrays["start"].count:
            raise UserError("no dialog has a response to learn from: all of them have weight 0")
        if self._offered is not None:
            self._offered.end_task()
            self._offered.finish()
            arrays["counted"].extend(self._offered.counted(self._responses(), self._texts_of).tolist())
        for writer in arrays.values():
            writer.close()
        value = {
            "ranked": self._offered is not None,
            "arrays": {name: writer.count for name, writer in arrays.items()},
            "example_files": self._examples.files,
            "text_files": self._texts.files if self._texts else 0,
            "words": list(self._rows.words),
            "said": self._said.plain(),
            "uses": self._rows.uses,
            "actions": list(self._actions),
            "counts": self._counts,
            "turns": self._turns,
            "max_memories": self._max,
            "dialogs": self._kept,
        }
        (self._folder / "archive.json").write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")

    def _predicted(self, turn: PlacedTurn) -> None:
        """Take what is predicted of a turn."""
        if self._offered is not None:
            self._offered.add(turn.turn.said.system, turn.response)
        else:
            number = self._actions.setdefault(turn.turn.response, len(self._actions))
            self._arrays["actions"].extend((number,))

    def _responses(self) -> Numbers:
        """The sentence of each turn's response."""
        spoken = self._arrays["spoken"]
        spoken.close()
        return np.asarray(mapped(self._folder / "spoken.bin", spoken.count), np.int64)[1::2]

    def _texts_of(self, sentences: Numbers) -> Iterator[tuple[int, str]]:
        """The texts of responses that are some sentences, for each turn that has one of these."""
        responses, first = self._responses(), 0
        for number in range(self._examples.files):
            texts = pl.read_ipc(self._folder / f"examples-{number:05}.arrow", columns=["system"])["system"]
            here = responses[first : first + len(texts)]
            first += len(texts)
            (places,) = np.isin(here, sentences).nonzero()
            yield from zip(here[places].tolist(), texts.gather(places).to_list(), strict=True)

    def _keep(self, dialog: Dialog, actions: set[str], task: int) -> None:
        """Keep a dialog that is one of the first with an action."""
        if any(self._seen[action] < KEPT_DIALOGS for action in actions):
            self._kept.append([task, sorted(actions), plain_dialog(dialog)])
        self._seen.update(actions)
