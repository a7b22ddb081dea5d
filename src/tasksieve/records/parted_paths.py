"""Paths that name a part of what lies there, as ``FILE#train``; and what tells whether data are still the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tasksieve.records.files import sha256

MARK = "#"
_PAGE = ".md"


def parted(path: Path) -> tuple[Path, str | None]:
    """A path without the part after its last ``#``, and that part; the path itself and None if it names none.

    What is there under the whole name is meant by it, and so is what is not there without the part either.
    """
    name, _, part = path.name.rpartition(MARK)
    if MARK not in path.name or not part or _is_there(path):
        return path, None
    whole = path.parent / name if name else path.parent
    return (whole, part) if _is_there(whole) else (path, None)


def with_part(path: Path, part: str | None) -> Path:
    """A path that names a part of what lies there; as it is if there is no part, or it names one itself."""
    return path if not part or parted(path)[1] is not None else path.parent / f"{path.name}{MARK}{part}"


def data_files_at(path: Path) -> tuple[Path, ...]:
    """The files at a path, whatever part it names: one, or all those of a folder in the order of their names.

    Of a folder that holds folders alone, or beside them only pages (``README.md``), they are all the files in these.
    """
    whole, _ = parted(path)
    if not whole.is_dir():
        return (whole,)
    held = tuple(sorted(inner for inner in whole.iterdir() if inner.is_file()))
    if any(inner.suffix.lower() != _PAGE and not inner.name.startswith(".") for inner in held):
        return held
    return tuple(sorted(inner for inner in whole.rglob("*") if inner.is_file()))


def data_sha256(path: Path) -> str:
    """The SHA-256 of the file at a path, whatever part it names; of a folder that of its files' names and digests.

    Raises: UserError: if a file cannot be read.
    """
    whole, _ = parted(path)
    if not whole.is_dir():
        return sha256(whole)
    total = hashlib.sha256()
    for file in data_files_at(whole):
        total.update(f"{file.relative_to(whole).as_posix()} {sha256(file)}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
