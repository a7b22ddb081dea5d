"""Which file of a directory holds which task and split."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tasksieve.dialogs.formats.folders import (
    dialog_files_in,
    files_of_split,
    inner_of,
    parts_in,
    path_of_split,
    splits_in,
)
from tasksieve.dialogs.formats.format import Start
from tasksieve.dialogs.formats.lines import unreadable
from tasksieve.dialogs.formats.rasa_project import rasa_splits
from tasksieve.dialogs.formats.split_lists import has_splits_beside
from tasksieve.dialogs.formats.split_names import VALID, is_split, says_split, split_meant
from tasksieve.errors import UserError
from tasksieve.records.parted_paths import MARK, parted, with_part
from tasksieve.records.shares import SHARES_EXAMPLE

_PUBLISHED = re.compile(r"(?:personalized-)?dialog(?:-babi)?-task(\d)-.*-(trn|dev|tst|tst-OOV)\.txt")

_NAMED = 5
_NOTHING = (
    "holds no dialog file; expected a file for each split, such as train.jsonl, train.csv or train.txt, or one file "
    "of dialogs (docs/formats.md)"
)


class NoSplits(UserError):
    """A folder has no files that are splits by their names."""


def find_splits(directory: Path | str) -> dict[int, dict[str, Path]]:
    """Find the dialog files of a directory by the names of public releases, or of ``tasksieve simulate``.

    Returns: path by split (``train``, ``valid``, ``test``, ``test-oov``) by task; the task is 0 where the file
        names do not tell it (``train.txt``, ``kvret_dev_public.json``, a folder ``dev``; of several endings,
        ``.txt`` comes first). The path of a split with several files is their folder, or ``FOLDER#SPLIT``.
    Raises: NoSplits: if the directory holds no such file. UserError: if it cannot be read, or several files could be
        one split.
    """
    directory = Path(directory)
    found: dict[int, dict[str, Path]] = {}
    try:
        for path in sorted(directory.glob("*.txt")):
            match = _PUBLISHED.fullmatch(path.name)
            if match is not None:
                found.setdefault(int(match[1]), {})[split_meant(match[2])] = path
        own = {} if found else splits_in(directory)
    except OSError as error:
        raise unreadable(directory, error) from None
    if own:
        found[0] = {split: path_of_split(directory, split, files) for split, files in own.items()}
    if not found and (stories := rasa_splits(directory)):
        return {0: stories}
    if not found:
        raise NoSplits(zip_in(directory) or _no_splits(directory), directory)
    return found


def dialog_file(path: Path | str, split: str, task: int | None = None) -> Path:
    """The file meant by ``path``: itself, or a directory's file of a split.

    A directory of which all dialogs are one split, in one file or several, means these; of a file that says of each
    dialog which split it is of, this one is meant.

    Raises: UserError: if the directory holds several tasks and ``task`` is not given, or lacks the split.
    """
    path = Path(path)
    folder, part = parted(path)
    if not folder.is_dir():
        return path
    if part is not None:
        split = split_meant(part)
    try:
        tasks = find_splits(folder)
    except NoSplits:
        if (whole := _whole(folder, split)) is not None:
            return with_part(whole, part)
        if (inner := inner_of(folder)) is not None:
            return dialog_file(with_part(inner, part), split)
        raise
    if task is None and len(tasks) > 1:
        numbers = ", ".join(str(number) for number in tasks)
        raise UserError(f"holds tasks {numbers}; name one of its files instead", path)
    chosen = next(iter(tasks)) if task is None else task
    held = tasks.get(chosen, {})
    if split in held:
        return held[split]
    if files := files_of_split(folder, part or split):
        return path_of_split(folder, part or split, files)
    raise UserError(_no_split(split, held, chosen, folder), folder)


def _no_split(split: str, held: Mapping[str, Path], task: int, folder: Path) -> str:
    """What to say where a task lacks a split."""
    if task:
        return f"holds no {split} file of task {task}; it has {', '.join(held)}; name a file instead"
    words = [name for name in held if says_split(name) and not is_split(name)]
    choose = f"choose one with {folder.name}{MARK}{(words or list(held))[0]}"
    drawn = f", or have dialogs drawn with --split {SHARES_EXAMPLE}" if split == VALID and not words else ""
    return f"holds no split '{split}'; it has {', '.join(held)}; {choose}, or name a file{drawn}"


def _whole(folder: Path, split: str) -> Path | None:
    """What a folder without a file for each split means, if all in it is one; None if it does not."""
    if parts_in(folder):
        return folder
    files = dialog_files_in(folder)
    if len(files) == 1:
        return with_part(files[0], split) if _says_splits(files[0]) else files[0]
    return None


def _says_splits(file: Path) -> bool:
    """Whether the first dialog of a file says which split it is of, or lists beside the file do."""
    start = Start(file)
    if start.line.startswith("{") and has_splits_beside(file):
        return True
    return isinstance(start.value, dict) and bool(start.value.get("data_split"))


def _no_splits(folder: Path) -> str:
    names = [path.name for path in dialog_files_in(folder)]
    if len(names) < 2:
        return _NOTHING
    some = f"{', '.join(names[:_NAMED])}{', …' if len(names) > _NAMED else ''}"
    return f"holds no dialog file that is a split by its name, but {some}; name one of them"


def zip_in(folder: Path) -> str | None:
    """What to say of a folder that holds a zip archive and no dialogs; None if it holds no such archive."""
    zipped = next((path.name for path in sorted(folder.iterdir()) if path.suffix.lower() == ".zip"), None)
    if zipped is None:
        return None
    return f"holds no dialog file but {zipped}, a zip archive; unpack it, and name the folder that it makes"
