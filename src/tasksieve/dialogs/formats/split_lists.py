"""Lists of dialogs beside a file, which say of which split each is, as MultiWOZ has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tasksieve.records.files import read_bytes

OTHERS = "train"
"""The split of the dialogs that no list names."""

_LISTS = {"valListFile": "val", "testListFile": "test"}
_ENDINGS = (".txt", ".json")
_LARGEST = 1 << 24
"""Bytes of a list."""
_NAME = re.compile(r"[^\s\",\[\]]+")


def splits_beside(path: Path) -> dict[str, str]:
    """The split of each dialog that a list beside the file names, without ``.json``; empty if there are no lists.

    Raises: UserError: if a list cannot be read.
    """
    return {
        name.removesuffix(".json"): split
        for file, split in _lists_beside(path)
        for name in _NAME.findall(read_bytes(file, _LARGEST, "no such file").decode("utf-8", "replace"))
    }


def has_splits_beside(path: Path) -> bool:
    """Whether there are such lists beside a file."""
    return any(True for _ in _lists_beside(path))


def _lists_beside(path: Path) -> Iterator[tuple[Path, str]]:
    for name, split in _LISTS.items():
        for ending in _ENDINGS:
            file = path.with_name(f"{name}{ending}")
            if file.is_file():
                yield file, split
