"""Text files as numbered lines, with errors that say where and what."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from tasksieve.dialogs.formats.compressed import open_plain
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.errors import UserError

MAX_LINE = 8 << 20
"""Bytes that a line may have, so that no file fills the memory; a dialog in JSON may have as many characters."""

_MARKS = {
    b"PK\x03\x04": "a zip archive, or a document made of one; unpack it, or save it as text",
    b"\x1f\x8b": "compressed by gzip twice; unpack it",
    b"\xfd7zXZ\0": "compressed by xz twice; unpack it",
    b"\x28\xb5\x2f\xfd": "compressed by zstd twice; unpack it",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it",
    b"PAR1": "a Parquet table; leave --from out, and unpack the file if it is compressed",
    b"ARROW1": "an Arrow table; leave --from out, and unpack the file if it is compressed",
    b"\xff\xff\xff\xff": "an Arrow stream; leave --from out, and unpack the file if it is compressed",
    b"version https://git-lfs.github.com/": "a pointer of Git LFS, not the file itself; fetch it with `git lfs pull`",
    b"%PDF-": "a PDF document; save it as text",
    b"\xff\xfe\0\0": "UTF-32 text; save it as UTF-8",
    b"\0\0\xfe\xff": "UTF-32 text; save it as UTF-8",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
}
"""How files start that are no text, what they are and what to do."""
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\f\r\x1b")
_FEW_CONTROLS = 16
"""So many may come from an accident, and are named with their lines."""
_SEVERAL = 2


def numbered_lines(path: Path, journal: Journal | None = None) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end) of a UTF-8 file.

    Only ``\\n`` and ``\\r\\n`` end a line. A byte-order mark at the start is dropped.

    Args:
        path: the file.
        journal: where problems go, and their lines are left out; without it the first one is raised.
    Raises: UserError: if the file cannot be read, is not UTF-8, holds a NUL byte or a line beyond all measure; at
        once, whatever the journal, if it is no text at all.
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


def refuse_binary(path: Path, file: BufferedReader) -> None:
    """Raise UserError, in one sentence, if a file that was just opened holds no text at all; nothing is consumed."""
    start = file.peek()
    found = next((kind for mark, kind in _MARKS.items() if start.startswith(mark)), None)
    if start[257:262] == b"ustar":
        found = "a tar archive; unpack it"
    if found is not None:
        raise UserError(f"is {found}", path)
    controls = len(start) - len(start.translate(None, _CONTROLS))
    if controls > _FEW_CONTROLS and controls > len(start) / 20:
        counted = f"{controls:,} of its first {len(start):,} bytes are control characters"
        raise UserError(f"is no text: {counted}; expected dialogs as UTF-8 text", path)


def _raw_lines(path: Path) -> Iterator[bytes | None]:
    """Lines without their ends; None for one that is too long."""
    try:
        with open_plain(path) as file:
            refuse_binary(path, file)
            if b"\n" not in (start := file.peek()) and start.count(b"\r") >= _SEVERAL:
                raise UserError("has line ends of old Macintosh programs, CR alone; save it with LF or CR LF", path)
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
