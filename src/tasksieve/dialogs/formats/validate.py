"""All problems of a file at once."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from tasksieve.dialogs.formats.babi_files import find_splits
from tasksieve.dialogs.formats.format import Format
from tasksieve.dialogs.formats.journal import MAX_PROBLEMS, Journal, JournalFull
from tasksieve.dialogs.formats.known import format_of, iterate_dialogs
from tasksieve.errors import UserError


@dataclass(frozen=True, slots=True)
class Validation:
    """What a file of dialogs holds, and its problems.

    Attributes:
        path: the file.
        format: the format it was read in.
        dialogs, turns: how many are whole.
        problems: all there are, at most :data:`MAX_PROBLEMS`.
        lost: what dialogs have no place for, and how often it is there.
    """

    path: Path
    format: Format
    dialogs: int
    turns: int
    problems: tuple[UserError, ...]
    lost: dict[str, int]

    @property
    def cut(self) -> bool:
        """Whether there may be more problems."""
        return len(self.problems) >= MAX_PROBLEMS


def dialog_files(path: Path) -> list[Path]:
    """A file itself, or all splits of all tasks that a folder holds.

    Raises: UserError: if the folder holds none.
    """
    if not path.is_dir():
        return [path]
    return [file for splits in find_splits(path).values() for file in splits.values()]


def validate(path: Path, known: Format | None = None) -> Validation:
    """Read a whole file and collect its problems.

    Args:
        path: the file.
        known: its format; else told from the content.
    Raises: UserError: if it cannot be read at all.
    """
    known = known or format_of(path)
    journal = Journal(path, collect=True, strict=True)
    dialogs = turns = 0
    with contextlib.suppress(JournalFull):
        for dialog in iterate_dialogs(path, journal, known):
            dialogs += 1
            turns += len(dialog.turns)
    return Validation(path, known, dialogs, turns, tuple(journal.problems), dict(journal.lost))
