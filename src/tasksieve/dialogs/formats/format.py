"""What a dialog format is: how to know it, read it and write it; and all that there are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.compressed import open_plain
from tasksieve.dialogs.formats.journal import Journal, JournalFull
from tasksieve.dialogs.formats.json_text import json_items
from tasksieve.dialogs.formats.lines import unreadable
from tasksieve.errors import UserError

_START = 1 << 16


class Start:
    """How a file starts, for a format to know its own.

    Args:
        path: the file.
    Attributes:
        path: the file.
        raw: its first 64 KiB; of a compressed file, those of what is in it.
        text: the same as text.
        line: the first line that is not blank, that of JSON without the space before it; empty if there is none.
    Raises: UserError: if the file cannot be read, or is none to read twice (a pipe).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.raw = _start(path)
        self.text = self.raw.decode("utf-8-sig", errors="replace")
        self.line = next((line for line in self.text.splitlines() if line.strip()), "")
        if (bare := self.line.lstrip()).startswith(("{", "[")):
            self.line = bare

    @cached_property
    def value(self) -> Any:
        """The first item of a JSON array, or the JSON object on the first line; None if there is none."""
        try:
            if self.line.startswith("["):
                return next(json_items(self.path, Journal(self.path, collect=True)), (0, None))[1]
            return json.loads(self.line) if self.line.startswith("{") else None
        except (UserError, JournalFull, ValueError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class Format:
    """A file format of dialogs.

    Attributes:
        name: as ``--from`` and ``--to`` take it.
        title: as a person calls it.
        suffixes: file names that end in one of these are written in it, if need be compressed: ``.jsonl.gz``.
        read: yields the dialogs of a file one by one and tells the journal of problems and losses. Raises
            UserError at once if the file cannot be read at all. It may be compressed;
            :func:`~tasksieve.dialogs.formats.lines.numbered_lines` reads what is in it.
        write: writes dialogs one by one; what the format cannot hold is left out.
        recognises: whether a file is in it, told from how it starts.
        example: what a file looks like, for the error about an empty one.
        order: formats are asked whether they recognise a file in this order, and by name if it is the same. One
            that takes more than its own (any JSON, say) comes late.
        dialog_each: whether it has files of one dialog each, with numbers for names, so that a folder of them is one.
    A format without ``write`` is only read.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    read: Callable[[Path, Journal], Iterator[Dialog]]
    write: Callable[[Iterable[Dialog], Path], None] | None
    recognises: Callable[[Start], bool]
    example: str
    order: int = 50
    dialog_each: bool = False


FORMATS: dict[str, Format] = {}
"""Every format by its name."""


def register(known: Format) -> Format:
    """Make a format known by its name."""
    FORMATS[known.name] = known
    return known


def _start(path: Path) -> bytes:
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise UserError("is a pipe or device; expected a file", path)
        with open_plain(path) as file:
            return file.read(_START)
    except OSError as error:
        raise unreadable(path, error) from None
