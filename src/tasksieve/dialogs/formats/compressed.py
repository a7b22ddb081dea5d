"""Compressed files (gzip, zstd, xz, bzip2): read as a stream of what is in them, and made from a whole file.

A file is known as compressed by how it starts, whatever its name. Of what is unpacked no more is held than was asked
for, so that a small file with much in it fills no memory.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import shutil
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, Protocol

from tasksieve.errors import UserError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    import backports.zstd as zstd

_CHUNK = 1 << 16
_LARGEST_WINDOW = 27
"""Of zstd, as a power of two: 128 MiB, what it takes itself if not asked for more."""
_LARGEST_DICTIONARY = 192 << 20
"""Bytes that xz may take to unpack; its strongest usual setting takes 65 MiB."""


class _Unpacker(Protocol):
    """What unpacks one stream of a file, as the standard library has it for xz and bzip2."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """Unpacks one member of a gzip file."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


def _zstd() -> Any:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _LARGEST_WINDOW})


def _zstd_file(file: IO[bytes]) -> Any:
    """With a checksum, as the program of that name writes it."""
    return zstd.ZstdFile(file, "wb", options={zstd.CompressionParameter.checksum_flag: 1})


@dataclass(frozen=True, slots=True)
class Compression:
    """A way to compress a file.

    Attributes:
        name: as a person calls it.
        ending: of names of such files, after the ending of what is in them.
        mark: how such a file starts.
        unpacker: makes what unpacks one stream; a file may have several, one after the other.
        pack: a file to write bytes to, which it packs into another.
    """

    name: str
    ending: str
    mark: re.Pattern[bytes]
    unpacker: Callable[[], _Unpacker]
    pack: Callable[[IO[bytes]], Any]


COMPRESSIONS = (
    Compression("gzip", ".gz", re.compile(rb"\x1f\x8b\x08"), _Gzip, lambda file: gzip.GzipFile("", "wb", 6, file, 0)),
    Compression("zstd", ".zst", re.compile(rb"\x28\xb5\x2f\xfd"), _zstd, _zstd_file),
    Compression(
        "xz",
        ".xz",
        re.compile(rb"\xfd7zXZ\0"),
        lambda: lzma.LZMADecompressor(memlimit=_LARGEST_DICTIONARY),
        lambda file: lzma.LZMAFile(file, "wb"),  # noqa: SIM115
    ),
    Compression(
        "bzip2",
        ".bz2",
        re.compile(rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)"),
        bz2.BZ2Decompressor,
        lambda file: bz2.BZ2File(file, "wb"),
    ),
)
"""Every way to compress a file that is read and written."""


def open_plain(path: Path) -> BufferedReader:
    """Open a file to read its bytes; of a compressed one, those of what is in it.

    Reading raises UserError, in one sentence, where what is compressed is damaged or cut.

    Raises: OSError: if the file cannot be opened.
    """
    file = path.open("rb")
    found = _by_mark(file.peek(_CHUNK))
    return file if found is None else BufferedReader(_Unpacked(path, file, found), _CHUNK)


def compression_of(path: Path) -> Compression | None:
    """How a file is compressed, told from how it starts; None if it is not.

    Raises: OSError: if the file cannot be read.
    """
    with path.open("rb") as file:
        return _by_mark(file.peek(_CHUNK))


def compression_named(path: Path) -> tuple[Compression | None, Path]:
    """How a file of this name is compressed, and the name without that.

    >>> compression_named(Path("a.jsonl.gz"))[1]
    PosixPath('a.jsonl')
    """
    found = next((known for known in COMPRESSIONS if path.suffix.lower() == known.ending), None)
    return found, path if found is None else path.with_suffix("")


def pack(plain: Path, target: Path, compression: Compression) -> None:
    """Write a file compressed, whose bytes follow from the given one's alone."""
    with plain.open("rb") as source, target.open("wb") as file, compression.pack(file) as packed:
        shutil.copyfileobj(source, packed, _CHUNK)


def _by_mark(start: bytes) -> Compression | None:
    return next((known for known in COMPRESSIONS if known.mark.match(start)), None)


class _Unpacked(io.RawIOBase):
    """What is in a compressed file."""

    def __init__(self, path: Path, file: BufferedReader, compression: Compression) -> None:
        self._path = path
        self._file = file
        self._compression = compression
        self._unpacker: _Unpacker | None = compression.unpacker()
        self._packed = b""  # what was read already of the stream at hand

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, at least in part; 0 at the end."""
        data = b""
        while not data and self._unpacker is not None:
            if self._unpacker.eof:
                self._unpacker = self._next(self._unpacker.unused_data)
            else:
                data = self._unpack(self._unpacker, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _next(self, rest: bytes) -> _Unpacker | None:
        """What unpacks the next stream of the file, if there is one; zeros may stand before it."""
        while not (rest := rest.lstrip(b"\0")):
            rest = self._file.read(_CHUNK)
            if not rest:
                return None
        self._packed = rest
        return self._compression.unpacker()

    def _unpack(self, unpacker: _Unpacker, size: int) -> bytes:
        name, packed = self._compression.name, b""
        if unpacker.needs_input:
            packed, self._packed = self._packed or self._file.read(_CHUNK), b""
        try:
            data = unpacker.decompress(packed, size)
        except (zlib.error, lzma.LZMAError, zstd.ZstdError, OSError, EOFError, MemoryError) as error:
            reason = str(error).rstrip(".") or "too much memory"
            raise UserError(f"cannot be unpacked as {name} ({reason}); is it damaged?", self._path) from None
        if not data and not packed and unpacker.needs_input and not unpacker.eof:
            raise UserError(f"ends in the middle of its {name} data; is it whole?", self._path)
        return data
