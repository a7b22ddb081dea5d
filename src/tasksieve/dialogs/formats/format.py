"""What a dialog format is: how to know it, read it and write it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.journal import Journal


@dataclass(frozen=True, slots=True)
class Format:
    """A file format of dialogs.

    Attributes:
        name: as ``--from`` and ``--to`` take it.
        title: as a person calls it.
        suffixes: file names that end in one of these are written in it.
        read: yields the dialogs of a file one by one and tells the journal of problems and losses. Raises
            UserError at once if the file cannot be read at all.
        write: writes dialogs one by one; what the format cannot hold is left out.
        example: what a file looks like, for the error about an empty one.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    read: Callable[[Path, Journal], Iterator[Dialog]]
    write: Callable[[Iterable[Dialog], Path], None]
    example: str
