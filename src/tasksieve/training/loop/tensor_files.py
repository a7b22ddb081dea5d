"""Tensors on disk: safetensors (nothing pickled) with a format number and a checksum over every byte.

The header's ``__metadata__`` has one entry, ``tasksieve``: JSON with ``format``, ``kind`` (``state`` to go on from,
``model`` to use), ``facts`` and ``sha256``, the checksum of the file with these 64 digits as zeros. It is one, as
safetensors does not write several entries in a fixed order, and equal states are to give equal files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from tasksieve.errors import UserError
from tasksieve.records.files import read_bytes, write_bytes

FORMAT = 2
LARGEST = 1 << 32
"""Bytes of a checkpoint that is read."""
Kind = Literal["state", "model"]
_NAME = "tasksieve"
_ZEROS = b"0" * 64


Submit = Callable[[Callable[[], None]], None]
"""Is given work that may be done later; works are done in the order in which they are given."""


def at_once(work: Callable[[], None]) -> None:
    """Do it now."""
    work()


def write_tensors(
    path: Path,
    tensors: Mapping[str, Tensor],
    facts: Mapping[str, str],
    kind: Kind,
    keep: Path | None = None,
    submit: Submit = at_once,
) -> None:
    """Write a tensor file whole.

    Args:
        path: the file.
        tensors: by name.
        facts: what else it says.
        kind: what it is for.
        keep: where the file that was there goes; see :func:`tasksieve.records.files.write_whole`.
        submit: is given the part of the work that needs the tensors no more, and may do it later.
    Raises: UserError: if the disk does not take it; the file that was there stays. Raised by what was submitted.
    """
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    entry = {"facts": dict(facts), "format": FORMAT, "kind": kind, "sha256": _ZEROS.decode()}
    data = safetensors.torch.save(plain, {_NAME: json.dumps(entry)})
    submit(lambda: _write(path, data, keep))


def _write(path: Path, data: bytes, keep: Path | None) -> None:
    digest = hashlib.sha256(data).hexdigest().encode()
    place = data.index(_ZEROS, 8)
    write_bytes(path, b"".join((data[:place], digest, data[place + len(_ZEROS) :])), keep)


def read_tensors(path: Path, kind: Kind = "model") -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a tensor file with its facts.

    Raises: UserError: if it is missing, damaged, of another making, format or kind.
    """
    data = read_bytes(path, LARGEST, "no such checkpoint; train first")
    entry = _entry(data, path)
    if entry.get("format") != FORMAT:
        raise UserError(
            f"is of checkpoint format {entry.get('format')!r}, of another version of tasksieve; this one reads "
            f"{FORMAT}: train again into a new folder",
            path,
        )
    if not _whole(data, entry.get("sha256")):
        raise UserError("is damaged: its checksum does not match; remove it and train again", path)
    facts = entry.get("facts")
    if entry.get("kind") != kind or not isinstance(facts, dict):
        raise UserError(f"is a checkpoint of kind {entry.get('kind')!r}; expected '{kind}'", path)
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(data)
    except (SafetensorError, KeyError, ValueError, RuntimeError, TypeError, AttributeError) as error:
        raise UserError(f"is no readable checkpoint ({error}); remove it and train again", path) from None
    return tensors, {str(name): str(value) for name, value in facts.items()}


def _entry(data: bytes, path: Path) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + length]) if 2 <= length <= len(data) - 8 else None
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise UserError("is no readable checkpoint (its header is damaged); remove it and train again", path)
    metadata = header.get("__metadata__")
    if not isinstance(metadata, dict):
        metadata = {}
    if metadata.get("format") == _NAME:
        return {"format": 1}
    try:
        entry = json.loads(metadata[_NAME])
    except (KeyError, TypeError, ValueError, RecursionError):
        entry = None
    if not isinstance(entry, dict):
        raise UserError("holds tensors, but is no checkpoint of tasksieve; remove it and train again", path)
    return entry


def _whole(data: bytes, digest: object) -> bool:
    if not isinstance(digest, str) or len(digest) != len(_ZEROS) or not digest.isascii():
        return False
    place = data.find(digest.encode(), 8)
    if place < 0:
        return False
    found = hashlib.sha256()
    for part in (memoryview(data)[:place], _ZEROS, memoryview(data)[place + len(_ZEROS) :]):
        found.update(part)
    return found.hexdigest() == digest
