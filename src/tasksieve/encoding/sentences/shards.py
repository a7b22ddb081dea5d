"""Vectors on the disk: files of some thousand rows each, whole or not there, with a checksum."""

from __future__ import annotations

import logging
import os
import time
import zlib
from collections.abc import Mapping, Set
from contextlib import suppress
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tasksieve.records.files import write_whole

FULL = 4096
"""Rows; files with fewer are merged when rows are added."""
KEY = 16
"""Bytes of a key."""
_SUFFIX = ".safetensors"
_log = logging.getLogger("tasksieve")


class Shards:
    """The files of one folder; several processes may read while one adds.

    A file has a name that says when it was made, by which process and how many rows it has, and never changes.

    Args:
        folder: is made when the first row is added.
        dim: length of a row.
    """

    def __init__(self, folder: Path, dim: int) -> None:
        self._folder, self._dim = folder, dim

    def find(self, places: Mapping[bytes, int], rows: Float[Tensor, "rows dim"], looked: set[Path]) -> set[bytes]:
        """Look rows up.

        Args:
            places: of the wanted keys in ``rows``.
            rows: is filled there.
            looked: files that are left out; those that were looked into are added.
        Returns: the keys that were found.
        """
        found: set[bytes] = set()
        for path in self._paths():
            if len(found) == len(places):
                break
            if path not in looked:
                looked.add(path)
                left = places.keys() - found
                if (read := self._read(path, left)) is not None:
                    keys, vectors = read
                    there = {key: row for row, key in enumerate(keys) if key in left}
                    rows[[places[key] for key in there]] = vectors[list(there.values())]
                    found |= there.keys()
        return found

    def add(self, keys: list[bytes], rows: Float[Tensor, "rows dim"]) -> None:
        """Keep rows; one process at a time may.

        Raises: UserError: if they cannot be written.
        """
        for part in self._folder.glob(".*.part"):  # of a process that was killed
            part.unlink(missing_ok=True)
        small = [path for path in self._paths() if _size(path) < FULL]
        kept = dict(zip(keys, rows, strict=True))
        for path in small:
            read = self._read(path)
            if read is not None:
                kept |= {key: row for key, row in zip(*read, strict=True) if key not in kept}
        together = list(kept)
        for start in range(0, len(together), FULL):
            self._write(together[start : start + FULL], kept)
        for path in small:
            path.unlink(missing_ok=True)

    def _write(self, keys: list[bytes], rows: Mapping[bytes, Tensor]) -> None:
        tensors = {
            "keys": torch.frombuffer(bytearray(b"".join(keys)), dtype=torch.uint8).view(-1, KEY),
            "vectors": torch.stack([rows[key] for key in keys]),
        }
        path = self._folder / f"{time.time_ns()}-{os.getpid()}-{len(keys)}{_SUFFIX}"
        metadata = {"crc32": str(_checksum(tensors["keys"], tensors["vectors"]))}
        write_whole(path, lambda part: save_file(tensors, part, metadata))

    def _read(self, path: Path, wanted: Set[bytes] | None = None) -> tuple[list[bytes], Tensor] | None:
        """Keys and rows of a file; None if it is gone or damaged, or has no row that is wanted."""
        try:
            with safe_open(path, framework="pt") as file:
                keys = file.get_tensor("keys")
                data = keys.numpy().tobytes()
                split = [data[start : start + KEY] for start in range(0, len(data), KEY)]
                if wanted is not None and wanted.isdisjoint(split):
                    return None
                vectors = file.get_tensor("vectors")
                sound = file.metadata()["crc32"] == str(_checksum(keys, vectors))
            if not sound or vectors.shape != (len(split), self._dim) or vectors.dtype != torch.float32:
                raise ValueError("its checksum or its shape is wrong")
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            _log.warning("%s is damaged (%s); its sentences are embedded again", path, error)
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)  # what is used is not old
        return split, vectors

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob(f"[0-9]*{_SUFFIX}"))


def drop_oldest(root: Path, limit: int) -> None:
    """Delete the files below a folder that were not used for longest, until those left have ``limit`` bytes."""
    files: list[tuple[float, int, Path]] = []
    for path in root.glob(f"*/[0-9]*{_SUFFIX}"):
        with suppress(OSError):
            status = path.stat()
            files.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= limit:
            return
        with suppress(OSError):
            path.unlink()
        total -= size


def _size(path: Path) -> int:
    """How many rows a file's name says it has."""
    digits = path.stem.rpartition("-")[2]
    return int(digits) if digits.isdigit() else 0


def _checksum(keys: Tensor, vectors: Tensor) -> int:
    return zlib.crc32(vectors.contiguous().numpy().data, zlib.crc32(keys.contiguous().numpy().data))
