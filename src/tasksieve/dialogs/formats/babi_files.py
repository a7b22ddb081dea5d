"""Which file of a directory holds which task and split."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.known import iterate_dialogs
from tasksieve.dialogs.formats.rasa_project import rasa_splits
from tasksieve.errors import UserError

_log = logging.getLogger("tasksieve")
_PUBLISHED = re.compile(r"(?:personalized-)?dialog(?:-babi)?-task(\d)-.*-(trn|dev|tst|tst-OOV)\.txt")
_SPLITS = {"trn": "train", "dev": "valid", "tst": "test", "tst-OOV": "test-oov"}
_OWN = ("train", "valid", "test", "test-oov")
_ENDINGS = (".txt", ".jsonl", ".json", ".yml", ".yaml", ".csv")


def find_splits(directory: Path | str) -> dict[int, dict[str, Path]]:
    """Find the dialog files of a directory by the names of the public releases, or of ``tasksieve simulate``.

    Returns: path by split (``train``, ``valid``, ``test``, ``test-oov``) by task; the task is 0 where the file
        names do not tell it (``train.txt``, or ``train`` with the ending of another format; of several,
        ``.txt`` comes first).
    Raises: UserError: if the directory holds no such file.
    """
    directory = Path(directory)
    found: dict[int, dict[str, Path]] = {}
    for ending in _ENDINGS:
        for path in sorted(directory.glob(f"*{ending}")):
            match = _PUBLISHED.fullmatch(path.name)
            if match is not None:
                found.setdefault(int(match[1]), {})[_SPLITS[match[2]]] = path
            elif path.stem in _OWN:
                found.setdefault(0, {}).setdefault(path.stem, path)
    if not found and (stories := rasa_splits(directory)):
        return {0: stories}
    if not found:
        raise UserError(
            "holds no dialog file; expected train.txt or names like dialog-babi-task5-…-trn.txt", directory
        )
    return found


def dialog_file(path: Path | str, split: str, task: int | None = None) -> Path:
    """The file meant by ``path``: itself, or a directory's file of a split.

    Raises: UserError: if the directory holds several tasks and ``task`` is not given, or lacks the split.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    tasks = find_splits(path)
    if task is None and len(tasks) > 1:
        numbers = ", ".join(str(number) for number in tasks)
        raise UserError(f"holds tasks {numbers}; name one of its files instead", path)
    chosen = next(iter(tasks)) if task is None else task
    if split not in tasks.get(chosen, {}):
        raise UserError(f"holds no {split} file of task {chosen}; name a file instead", path)
    return tasks[chosen][split]


def read_dialogs(
    path: Path | str, split: str = "train", task: int | None = None, *, strict: bool = False
) -> list[Dialog]:
    """Read the dialogs of a file in any format, or of one split of a directory.

    What is left out or not read is counted in one message of the logger ``tasksieve``.

    Args:
        path: a file, whose format is told from its content, or a directory of files named as published.
        split: ``train``, ``valid``, ``test`` or ``test-oov``; only used for a directory.
        task: 1 to 6; only needed for a directory with several tasks.
        strict: refuse a turn without a response and a dialog without a turn, instead of leaving them out.
    Raises: UserError: as :func:`dialog_file`; at the first problem in the file, with its line.
    """
    file = dialog_file(path, split, task)
    journal = Journal(file, strict=strict)
    dialogs = list(iterate_dialogs(file, journal))
    if journal.lost:
        lost = "; ".join(f"{what} ({count:,})" for what, count in sorted(journal.lost.items()))
        _log.info("%s: %d dialogs. Not read: %s", file, len(dialogs), lost)
    return dialogs
