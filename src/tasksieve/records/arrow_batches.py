"""Arrow's streams cut into batches of rows, so that none is ever in memory whole.

A stream is a schema, then batches of rows, with batches of dictionaries between them. Each message is framed by the
length of its metadata, and that tells what the message is and how long its body. Columns are left to a library.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

STREAM_MARK = b"\xff\xff\xff\xff"
"""How each message of a stream starts."""
_END = STREAM_MARK + b"\0\0\0\0"
_SCHEMA, _DICTIONARY, _ROWS = 1, 2, 3


def arrow_batches(path: Path) -> Iterator[bytes]:
    """Yield each batch of rows as a whole stream of its own.

    Raises: ValueError: if a file is no stream, or ends early.
    """
    with path.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(0)
        before: list[bytes] = []
        rows = False
        while (found := _message(file, end)) is not None:
            kind, message = found
            if (kind == _SCHEMA) == bool(before):
                raise ValueError("its schema is not its first message")
            if kind == _ROWS:
                rows = True
                yield b"".join((*before, message, _END))
            elif kind in (_SCHEMA, _DICTIONARY):
                before.append(message)
        if before and not rows:
            yield before[0] + _END


def _message(file: IO[bytes], end: int) -> tuple[int, bytes] | None:
    """The kind of the next message and all its bytes; None if there is no more."""
    start = file.tell()
    frame = file.read(min(8, end - start))
    if frame in (b"", _END):
        return None
    if len(frame) < 8 or not frame.startswith(STREAM_MARK):
        raise ValueError(f"there is no message at byte {start}")
    size = int.from_bytes(frame[4:], "little")
    metadata = _read(file, size, end)
    try:
        kind, length = _kind_and_length(metadata)
    except struct.error:
        raise ValueError(f"the message at byte {start} has no metadata") from None
    return kind, frame + metadata + _read(file, length, end)


def _read(file: IO[bytes], size: int, end: int) -> bytes:
    if not 0 <= size <= end - file.tell():
        raise ValueError("it ends early")
    return file.read(size)


def _kind_and_length(metadata: bytes) -> tuple[int, int]:
    """The kind of a message and the length of its body: the second and fourth field of a table of FlatBuffers."""
    (table,) = struct.unpack_from("<I", metadata)
    (back,) = struct.unpack_from("<i", metadata, table)
    if table < back:
        raise struct.error
    (size,) = struct.unpack_from("<H", metadata, table - back)
    kind, _, length = (struct.unpack_from("<H", metadata, table - back + 6 + 2 * n)[0] for n in range(3))
    has_length = size >= 12 and length
    return (
        struct.unpack_from("<B", metadata, table + kind)[0] if kind else 0,
        struct.unpack_from("<q", metadata, table + length)[0] if has_length else 0,
    )
