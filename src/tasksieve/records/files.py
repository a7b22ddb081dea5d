"""Files that are whole or absent: written beside, brought to the disk, then renamed; and read within bounds."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasksieve.errors import UserError

LARGEST_JSON = 1 << 28
"""Bytes; no record comes near."""


def write_whole(path: Path, write: Callable[[Path], object], keep: Path | None = None) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then rename it, so that no reader sees a part.

    What was written survives a power failure: file and folder are brought to the disk before this returns.

    Args:
        path: the file.
        write: is given the temporary file's name.
        keep: where the file that ``path`` names so far goes, in the same folder; by default it is replaced. If the
            program is killed just then, ``keep`` is there and ``path`` is not.
    Raises: UserError: if the folder cannot be made or written to; the file that was there stays.
    """
    temporary = unfinished(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(temporary)
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            if keep is not None and path.exists():
                path.replace(keep)
            temporary.replace(path)
            _bring_to_disk(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror or error}", path) from None


def unfinished(path: Path) -> Path:
    """The name of a file while it is written: no other writer's, on this machine or on another one.

    The number of the process would not do: in containers it is often the same on all machines.
    """
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


def write_bytes(path: Path, data: bytes, keep: Path | None = None) -> None:
    """Write a file whole; see :func:`write_whole`."""
    write_whole(path, lambda part: part.write_bytes(data), keep)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole, indented, keys in the order given."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def append_line(path: Path, line: str) -> None:
    """Add a line to a text file and bring it to the disk.

    Raises: UserError: if the disk does not take it; then the line may be there in part, without its end.
    """
    try:
        _append(path, f"{line}\n".encode())
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror or error}", path) from None


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read_bytes(path: Path, largest: int, missing: str) -> bytes:
    """Read a file of limited size.

    Args:
        path: the file.
        largest: bytes that it may have.
        missing: what to say if there is none.
    Raises: UserError: if it is missing, larger, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except FileNotFoundError:
        raise UserError(missing, path) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror or error}", path) from None
    if len(data) > largest:
        raise UserError(f"is larger than {largest:,} bytes; is this the right file?", path)
    return data


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises: UserError: if it is missing, too large or not JSON.
    """
    data = read_bytes(path, LARGEST_JSON, "no such file; is this the folder of a finished run?")
    try:
        return json.loads(data.decode("utf-8"))
    except RecursionError:
        raise UserError("is not readable JSON: it is nested too deeply", path) from None
    except ValueError as error:
        raise UserError(f"is not readable JSON: {error}", path) from None


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal.

    Raises: UserError: if it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except FileNotFoundError:
        raise UserError("no such file; check the path", path) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", path) from None
    return digest.hexdigest()


def _bring_to_disk(folder: Path) -> None:
    """Make a rename in a folder last; Windows has no such call, and needs none."""
    if sys.platform != "win32":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
