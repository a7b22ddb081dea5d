"""Tensors on disk: safetensors (nothing pickled) with a format number and a checksum over every byte.

The header's ``__metadata__`` has one entry, ``tasksieve``: JSON with ``format``, ``kind`` (``state`` to go on from,
``model`` to use, ``prepared`` for what was found before the first iteration), ``facts`` and ``sha256``, the checksum
of the file with these 64 digits as zeros. It is one, as safetensors does not write several entries in a fixed order,
and equal states are to give equal files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from tasksieve.errors import UserError
from tasksieve.records.files import write_whole

FORMAT = 2
LONGEST_HEADER = 100_000_000
"""Bytes; of the file itself there may be any number."""
Kind = Literal["state", "model", "prepared"]
_NAME = "tasksieve"
_ZEROS = b"0" * 64
_BLOCK = 1 << 20
_TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, str], kind: Kind, keep: Path | None = None
) -> None:
    """Write a tensor file whole, one tensor after the other, without a copy in memory of those on the CPU.

    Args:
        path: the file.
        tensors: by name.
        facts: what else it says.
        kind: what it is for.
        keep: where the file that was there goes; see :func:`tasksieve.records.files.write_whole`.
    Raises: UserError: if the disk does not take it; the file that was there stays.
    """
    entry = {"facts": dict(facts), "format": FORMAT, "kind": kind, "sha256": _ZEROS.decode()}
    write_whole(path, lambda part: _write(part, tensors, entry), keep)


def _write(part: Path, tensors: Mapping[str, Tensor], entry: Mapping[str, Any]) -> None:
    # Wider types come first, so that each tensor lies where a reader that maps the file into memory can use it.
    ordered = dict(sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0])))
    header = _header(ordered, entry)
    digest = hashlib.sha256(header)
    with part.open("wb") as file:
        file.write(header)
        for tensor in ordered.values():
            data = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
            digest.update(data)
            file.write(data)
        file.seek(header.index(_ZEROS))
        file.write(digest.hexdigest().encode())


def _header(tensors: Mapping[str, Tensor], entry: Mapping[str, Any]) -> bytes:
    """Its length in 8 bytes, then JSON that says where each tensor lies, filled up to a multiple of 8 bytes."""
    header: dict[str, Any] = {"__metadata__": {_NAME: json.dumps(entry)}}
    end = 0
    for name, tensor in tensors.items():
        start, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": _TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def read_tensors(path: Path, kind: Kind = "model") -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a tensor file with its facts; first its sum, then the tensors, of which the memory holds one copy.

    The tensors may be the file itself, mapped into memory: copy what is to be kept.

    Raises: UserError: if it is missing, damaged, of another making, format or kind.
    """
    facts = read_facts(path, kind)
    try:
        with safe_open(path, "pt") as file:
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError, TypeError, AttributeError) as error:
        raise UserError(f"is no readable checkpoint ({error}); remove it and train again", path) from None
    return tensors, facts


def read_facts(path: Path, kind: Kind = "model") -> dict[str, str]:
    """Read the facts of a tensor file that is whole. Raises: UserError: as :func:`read_tensors`."""
    try:
        with path.open("rb") as file:
            header = _read_header(file, path)
            entry = _entry(header, path)
            if entry.get("format") != FORMAT:
                other = f"is of checkpoint format {entry.get('format')!r}, of another version of tasksieve"
                raise UserError(f"{other}; this one reads {FORMAT}: train again into a new folder", path)
            if not _whole(header, file, entry.get("sha256")):
                raise UserError("is damaged: its checksum does not match; remove it and train again", path)
    except FileNotFoundError:
        raise UserError("no such checkpoint; train first", path) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror or error}", path) from None
    facts = entry.get("facts")
    if entry.get("kind") != kind or not isinstance(facts, dict):
        raise UserError(f"is a checkpoint of kind {entry.get('kind')!r}; expected '{kind}'", path)
    return {str(name): str(value) for name, value in facts.items()}


def _read_header(file: BinaryIO, path: Path) -> bytes:
    """The first bytes of a file, its header's length among them."""
    first = file.read(8)
    length = int.from_bytes(first, "little")
    header = file.read(length) if len(first) == 8 and 2 <= length <= LONGEST_HEADER else b""
    if len(header) < max(2, length):
        raise UserError("is no readable checkpoint (its header is damaged); remove it and train again", path)
    return first + header


def _entry(data: bytes, path: Path) -> dict[str, Any]:
    try:
        header = json.loads(data[8:])
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


def _whole(header: bytes, file: BinaryIO, digest: object) -> bool:
    """Whether the sum is that of the header and of what follows in the file."""
    if not isinstance(digest, str) or len(digest) != len(_ZEROS) or not digest.isascii():
        return False
    place = header.find(digest.encode(), 8)
    if place < 0:
        return False
    digest_of_file = hashlib.sha256(header[:place] + _ZEROS + header[place + len(_ZEROS) :])
    while block := file.read(_BLOCK):
        digest_of_file.update(block)
    return digest_of_file.hexdigest() == digest
