"""What this process has read and encoded, for who makes many runs of the same data: off unless asked for.

Results are the same with and without it. A file counts as the same while its path, size and time of change are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tasksieve.dialogs import Dialog
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.encoding import Reader, Reading
from tasksieve.records.parted_paths import data_files_at

_Value = TypeVar("_Value")


@dataclass(slots=True)
class Memo:
    """The values that were asked for last, by their keys.

    Attributes:
        room: so many are kept.
        made: how many had to be made.
    """

    room: int = 0
    made: int = 0
    _kept: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)

    def of(self, key: Hashable, make: Callable[[], _Value]) -> _Value:
        """The value of a key; made if it is not kept."""
        if key in self._kept:
            self._kept.move_to_end(key)
            found: _Value = self._kept[key]
            return found
        self.made += 1
        found = make()
        self._kept[key] = found
        self.keep(self.room)
        return found

    def keep(self, room: int) -> None:
        """Keep so many from now on."""
        self.room = room
        while len(self._kept) > room:
            self._kept.popitem(last=False)


_FILES, _READINGS, READ, TASKS = Memo(), Memo(), Memo(), Memo()
"""Dialogs by file, readings of them by how they are read, all that a run reads, and all that it learns from."""


def remember(files: int, tasks: int = 1) -> None:
    """Keep from now on what was read and encoded last, in this process.

    Args:
        files: dialogs of so many files, and as many readings; 0 for none.
        tasks: encoded data of so many runs; 0 for none.
    """
    for memo, room in ((_FILES, files), (_READINGS, files), (READ, tasks), (TASKS, tasks)):
        memo.keep(room)


def forget() -> None:
    """Keep nothing, and nothing from now on."""
    remember(0, 0)


@contextmanager
def remembered(files: int, tasks: int = 1) -> Iterator[None]:
    """Keep what is read and encoded within, as :func:`remember` does, and nothing of it afterwards."""
    remember(files, tasks)
    try:
        yield
    finally:
        forget()


def file_key(path: Path) -> Hashable:
    """What tells whether a file is still the same, or all that a path means."""
    found = [(file, file.stat()) for file in data_files_at(path)]
    return str(path.resolve()), *((str(file), each.st_size, each.st_mtime_ns) for file, each in found)


def dialogs_of(path: Path, strict: bool) -> list[Dialog]:
    """The dialogs of a file; not to be changed."""
    if not _FILES.room:
        return read_dialogs(path, strict=strict)
    return _FILES.of((file_key(path), strict), lambda: read_dialogs(path, strict=strict))


def readings_of(reader: Reader, dialogs: list[Dialog]) -> list[Reading]:
    """How a reader reads dialogs; not to be changed."""
    if not _READINGS.room:
        return reader.read(dialogs)
    names = None if reader.names is None else repr(reader.names.plain())
    key = id(dialogs), names, reader.facts, reader.predict, reader.slot_acts, reader.written, id(reader.slots)
    kept, _, readings = _READINGS.of(key, lambda: (dialogs, reader.slots, reader.read(dialogs)))
    assert kept is dialogs  # keeping them keeps their id from being used again
    return readings
