"""What a path means that a user gives: a file, a folder, or one split of either, ``FILE#train``; and its dialogs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.babi_files import NoSplits, dialog_file, find_splits
from tasksieve.dialogs.formats.folders import dialog_files_in, files_of_split, inner_of, parts_in
from tasksieve.dialogs.formats.format import Format
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.known import format_of
from tasksieve.dialogs.formats.known import iterate_dialogs as dialogs_of_file
from tasksieve.dialogs.formats.split_names import is_split, split_meant
from tasksieve.errors import UserError
from tasksieve.records.counts import plural
from tasksieve.records.parted_paths import parted
from tasksieve.records.said_once import SAID_ONCE

_log = logging.getLogger("tasksieve")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a path means.

    Attributes:
        files: those to read, each with the split that its name or folder says it is, or with nothing.
        split: the only one to take of what the files themselves call splits; None for all.
    """

    files: tuple[tuple[Path, str], ...]
    split: str | None = None


def chosen(path: Path) -> Chosen:
    """The files that a path means; all splits of a folder, one after the other, if it names none.

    Raises: UserError: if it is a folder of several tasks, of no dialogs, or without the split.
    """
    whole, part = parted(path)
    if not whole.is_dir():
        return Chosen(((whole, ""),), part)
    if parts := parts_in(whole) or (tuple(dialog_files_in(whole)) if is_split(whole.name) else ()):
        return Chosen(tuple((file, "") for file in parts), part)
    if part is not None:
        meant = split_meant(part)
        if held := files_of_split(whole, part):
            return Chosen(tuple((file, meant) for file in held))
        return chosen(dialog_file(path, meant))
    splits = _splits(whole)
    return Chosen(tuple((file, split) for split in splits for file, _ in chosen(splits[split]).files))


def _splits(folder: Path) -> dict[str, Path]:
    """The splits of the one task in a folder; under no name the one file, if there is nothing else."""
    try:
        tasks = find_splits(folder)
    except NoSplits:
        inner = inner_of(folder)
        return {"": parted(dialog_file(folder, ""))[0]} if inner is None else _splits(inner)
    if len(tasks) > 1:
        raise UserError(f"holds tasks {', '.join(map(str, tasks))}; name one of its files instead", folder)
    return next(iter(tasks.values()))


def iterate_dialogs(path: Path, journal: Journal | None = None, known: Format | None = None) -> Iterator[Dialog]:
    """Yield the dialogs of all that a path means one by one, in any format.

    Args:
        path: a file, a folder, or a split of either.
        journal: where problems and losses go; without it the first problem is raised.
        known: the format; else it is told from the content of each file.
    Raises: UserError: if a file cannot be read or holds no dialog, or none of the split.
    """
    journal = journal or Journal(path)
    meant = chosen(path)
    journal.split = meant.split or journal.split
    read = 0
    for file, split in meant.files:
        journal.path = file
        journal.split_of_file = split
        before, said = read, journal.splits.total()
        for dialog in dialogs_of_file(file, journal, known):
            if journal.split is not None and not journal.splits:
                break
            read += 1
            yield dialog
        if split and journal.splits.total() == said:
            journal.splits[split] += read - before
    journal.path = path
    if journal.split is not None and not read and not journal.problems:
        journal.refuse(journal.not_there or f"holds no dialog with a response in split '{journal.split}'")


def read_dialogs(
    path: Path | str, split: str = "train", task: int | None = None, *, strict: bool = False
) -> list[Dialog]:
    """Read the dialogs of a file in any format, or of one split of a directory.

    What is left out or not read is counted in one message of the logger ``tasksieve``, and another says which splits
    were read as one.

    Args:
        path: a file, whose format is told from its content, one split of it (``FILE#train``), or a directory of files
            named as published.
        split: ``train``, ``valid``, ``test`` or ``test-oov``; only used for a directory.
        task: 1 to 6; only needed for a directory with several tasks.
        strict: refuse a turn without a response and a dialog without a turn, instead of leaving them out.
    Raises: UserError: as :func:`dialog_file`; at the first problem in the file, with its line.
    """
    file = dialog_file(path, split, task)
    journal = Journal(file, strict=strict)
    dialogs: list[Dialog] = []
    try:
        dialogs.extend(iterate_dialogs(file, journal))
    finally:
        tell(journal, file, len(dialogs))
    return dialogs


def tell(journal: Journal, path: Path, dialogs: int) -> None:
    """Say of what was read so far, to the logger, what was not read and which splits were read as one."""
    journal.path = path
    if journal.lost:
        lost = "; ".join(f"{what} ({count:,})" for what, count in sorted(journal.lost.items()))
        _log.info("%s: %s. Not read: %s", path, plural(dialogs, "dialog"), lost, extra=SAID_ONCE)
    if journal.as_one is not None:
        _log.info("%s: %s", path, journal.as_one, extra=SAID_ONCE)


def format_at(path: Path) -> Format:
    """The format of the first file that a path means, told from how it starts.

    Raises: UserError: as :func:`chosen`, and if that file cannot be read.
    """
    return format_of(chosen(path).files[0][0])
