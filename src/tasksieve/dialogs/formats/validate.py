"""All problems of a file at once."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from tasksieve.dialogs.formats.archive import archive_files
from tasksieve.dialogs.formats.babi_files import find_splits
from tasksieve.dialogs.formats.chosen import format_at, iterate_dialogs
from tasksieve.dialogs.formats.folders import inner_of
from tasksieve.dialogs.formats.format import Format
from tasksieve.dialogs.formats.journal import MAX_PROBLEMS, Journal, JournalFull
from tasksieve.errors import UserError
from tasksieve.records.parted_paths import parted


@dataclass(frozen=True, slots=True)
class Validation:
    """What a file of dialogs holds, and its problems.

    Attributes:
        path: the file.
        format: the format it was read in.
        dialogs, turns: how many are whole.
        problems: all there are, at most :data:`MAX_PROBLEMS`.
        lost: what dialogs have no place for, and how often it is there.
        splits: how many dialogs are said to be of each split.
        as_one: a sentence on the splits that were read as one; None if it is one alone.
    """

    path: Path
    format: Format
    dialogs: int
    turns: int
    problems: tuple[UserError, ...]
    lost: dict[str, int]
    splits: dict[str, int]
    as_one: str | None

    @property
    def cut(self) -> bool:
        """Whether there may be more problems."""
        return len(self.problems) >= MAX_PROBLEMS


def dialog_files(path: Path) -> list[Path]:
    """A file itself, or one split; of a folder all splits of all tasks that it holds, or else all files in it.

    Raises: UserError: if the folder holds none.
    """
    if not path.is_dir():
        return [path]
    try:
        return [file for splits in find_splits(path).values() for file in splits.values()]
    except UserError as error:
        if (inner := inner_of(path)) is not None:
            return dialog_files(inner)
        try:
            found = archive_files(path)
        except UserError:
            raise error from None
    return [parted(file)[0] for file in found] if len(found) == 1 else list(found)


def validate(path: Path, known: Format | None = None) -> Validation:
    """Read a whole file and collect its problems.

    Args:
        path: the file, a folder, or a split of either.
        known: its format; else told from the content.
    Raises: UserError: if it cannot be read at all.
    """
    first = known or format_at(path)
    journal = Journal(path, collect=True, strict=True)
    dialogs = turns = 0
    with contextlib.suppress(JournalFull):
        for dialog in iterate_dialogs(path, journal, known):
            dialogs += 1
            turns += len(dialog.turns)
    journal.path = path
    counted = dict(journal.lost), {name: count for name, count in journal.splits.items() if name}
    return Validation(path, first, dialogs, turns, tuple(journal.problems), *counted, journal.as_one)
