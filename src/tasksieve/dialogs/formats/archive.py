"""The files of an archive: one a related task, several in a folder or named one by one."""

from __future__ import annotations

from pathlib import Path

from tasksieve.dialogs.formats.babi_files import dialog_file, find_splits
from tasksieve.dialogs.formats.compressed import compression_named
from tasksieve.dialogs.formats.known import formats
from tasksieve.errors import UserError


def archive_files(path: Path | str) -> tuple[Path, ...]:
    """The files of related tasks that a path means.

    Args:
        path: a file; a folder with the splits of one task, of which the training dialogs are meant; or a folder of
            files, each a task of its own, in the order of their names.
    Raises: UserError: if a folder holds no dialog file.
    """
    path = Path(path)
    if not path.is_dir() or _has_splits(path):
        return (dialog_file(path, "train"),)
    endings = {ending for known in formats().values() for ending in known.suffixes}
    found = sorted(
        inner for inner in path.iterdir() if compression_named(inner)[1].suffix.lower() in endings and inner.is_file()
    )
    if not found:
        raise UserError(f"holds no dialog file; expected files that end in one of {', '.join(sorted(endings))}", path)
    return tuple(found)


def _has_splits(folder: Path) -> bool:
    try:
        return bool(find_splits(folder))
    except UserError:
        return False
