"""Text files as numbered lines, with errors that say where and what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tasksieve.dialogs.formats.journal import Journal
from tasksieve.errors import UserError

MAX_LINE = 8 << 20
"""Bytes that a line may have, so that no file fills the memory; a dialog in JSON may have as many characters."""


def numbered_lines(path: Path, journal: Journal | None = None) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end) of a UTF-8 file.

    Only ``\\n`` and ``\\r\\n`` end a line. A byte-order mark at the start is dropped.

    Args:
        path: the file.
        journal: where problems go, and their lines are left out; without it the first one is raised.
    Raises: UserError: if the file cannot be read, is not UTF-8, holds a NUL byte or a line beyond all measure.
    """
    journal = journal or Journal(path)
    for number, raw in enumerate(_raw_lines(path), start=1):
        if raw is None:
            journal.refuse(f"found a line of more than {MAX_LINE >> 20} MiB; expected shorter ones", number)
            continue
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            found = raw[error.start : error.start + 1].hex()
            journal.refuse(f"byte 0x{found} at column {error.start + 1} is not UTF-8; save the file as UTF-8", number)
            continue
        if "\0" in line:
            journal.refuse("found a NUL byte; expected text", number)
            continue
        yield number, line


def _raw_lines(path: Path) -> Iterator[bytes | None]:
    """Lines without their ends; None for one that is too long."""
    try:
        with path.open("rb") as file:
            while raw := file.readline(MAX_LINE + 1):
                if len(raw) <= MAX_LINE:
                    yield raw.removesuffix(b"\n").removesuffix(b"\r")
                    continue
                while raw and not raw.endswith(b"\n"):
                    raw = file.readline(MAX_LINE)
                yield None
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: OSError) -> UserError:
    """Why a file cannot be read, in words for its user."""
    if isinstance(error, FileNotFoundError):
        return UserError("no such file; check the path", path)
    if isinstance(error, IsADirectoryError):
        return UserError("is a directory; name a file in it", path)
    return UserError(f"cannot be read: {error.strerror}", path)
