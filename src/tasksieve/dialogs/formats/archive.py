"""The files of an archive: one a related task, several in a folder or named one by one."""

from __future__ import annotations

import logging
from pathlib import Path

from tasksieve.dialogs.formats.babi_files import dialog_file, find_splits, zip_in
from tasksieve.dialogs.formats.folders import dialog_files_in, inner_of, parts_in
from tasksieve.dialogs.formats.known import formats
from tasksieve.errors import UserError

_log = logging.getLogger("tasksieve")


def archive_files(path: Path | str) -> tuple[Path, ...]:
    """The files of related tasks that a path means.

    Args:
        path: a file or a split; a folder with the splits of one task, of which the training dialogs are meant; or a
            folder of files, each a task of its own, in the order of their names.
    Raises: UserError: if a folder holds no dialog file.
    """
    path = Path(path)
    if not path.is_dir() or _has_splits(path):
        meant = dialog_file(path, "train")
        return archive_files(meant) if meant.is_dir() and meant != path else (meant,)
    found = tuple(dialog_files_in(path))
    if parts_in(path) or len(found) == 1 or inner_of(path) is not None:
        return (dialog_file(path, "train"),)
    if not found:
        endings = {ending for known in formats().values() for ending in known.suffixes}
        expected = f"expected files that end in one of {', '.join(sorted(endings))}"
        raise UserError(zip_in(path) or f"holds no dialog file; {expected}", path)
    beside = sorted(
        {file.name for file in path.iterdir() if file.suffix == found[0].suffix} - {f.name for f in found}
    )
    if beside:
        _log.info("%s: not dialogs by their names, and not read: %s", path, ", ".join(beside))
    return found


def _has_splits(folder: Path) -> bool:
    try:
        return bool(find_splits(folder))
    except UserError:
        return False
