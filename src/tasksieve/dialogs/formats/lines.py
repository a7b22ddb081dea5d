"""Text files as numbered lines, with errors that say where and what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tasksieve.errors import UserError


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end) of a UTF-8 file.

    Only ``\\n`` and ``\\r\\n`` end a line. A byte-order mark at the start is dropped.

    Raises: UserError: if the file cannot be read, is not UTF-8, or holds a NUL byte.
    """
    for number, raw in enumerate(_raw_lines(path), start=1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            found = raw[error.start : error.start + 1].hex()
            raise UserError(
                f"byte 0x{found} at column {error.start + 1} is not UTF-8; save the file as UTF-8",
                path,
                number,
            ) from None
        if "\0" in line:
            raise UserError("found a NUL byte; expected text", path, number)
        yield number, line


def _raw_lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            for raw in file:
                yield raw.removesuffix(b"\n").removesuffix(b"\r")
    except FileNotFoundError:
        raise UserError("no such file; check the path", path) from None
    except IsADirectoryError:
        raise UserError("is a directory; name a file in it", path) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", path) from None
