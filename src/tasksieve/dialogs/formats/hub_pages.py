"""What the page of a folder, ``README.md``, says of its files, as data sets on the Hugging Face hub have it.

At its start, between two lines ``---``, stands YAML, and in it maybe::

    configs:
    - config_name: default
      data_files:
      - split: train
        path: data/train-*
      - split: test
        path: [data/test-00000-of-00001.parquet]

``data_files`` may also be one pattern or a list of them, all of the training split, and a mapping of splits to
patterns. A folder may hold several data sets; the one called ``default``, or with ``default: true``, is then meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tasksieve.dialogs.formats.split_names import TRAIN
from tasksieve.dialogs.formats.yaml_nodes import Node, front_matter
from tasksieve.errors import UserError

PAGE = "README.md"
_DEFAULT = "default"
_ELSEWHERE = re.compile(r"[a-z0-9]+://")

Splits = dict[str, tuple[Path, ...]]


@dataclass(frozen=True, slots=True)
class Declared:
    """The splits that a page names, of which there are files.

    Attributes:
        splits: those that the folder means, by their names; of several data sets without a default all of them, each
            as ``NAME:SPLIT``.
        by_name: all of them by ``NAME:SPLIT``.
    """

    splits: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    by_name: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)


def declared_in(folder: Path) -> Declared:
    """What the page of a folder says of it; nothing if there is no such page, or it cannot be read."""
    page = folder / PAGE
    if not page.is_file():
        return Declared()
    try:
        configs = next((node.items for key, node in front_matter(page) if key == "configs"), [])
    except UserError:
        return Declared()
    named: dict[str, Splits] = {}
    meant = ""
    for config in configs:
        name = _text(config, "config_name") or _DEFAULT
        named[name] = _splits(config, folder)
        if name == _DEFAULT or _text(config, "default").lower() == "true":
            meant = name
    named = {name: splits for name, splits in named.items() if splits}
    by_name = {f"{name}:{split}": files for name, splits in named.items() for split, files in splits.items()}
    if len(named) == 1:
        meant = next(iter(named))
    return Declared(named.get(meant, by_name), by_name)


def _splits(config: Node, folder: Path) -> Splits:
    inner = folder / (_text(config, "data_dir") or ".")
    files = config.entries.get("data_files")
    found: dict[str, list[Path]] = {}
    for split, pattern in _patterns(files) if files is not None and _is_inside(inner, folder) else ():
        held = found.setdefault(split, [])
        held += [file for file in _matching(inner, pattern) if file not in held]
    return {split: tuple(held) for split, held in found.items() if held}


def _patterns(files: Node) -> Iterator[tuple[str, str]]:
    """Each pattern with its split."""
    for pattern in _texts(files):
        yield TRAIN, pattern
    for item in files.items:
        for pattern in _texts(item.entries.get("path")):
            yield _text(item, "split") or TRAIN, pattern
    for split, paths in files.entries.items():
        for pattern in _texts(paths):
            yield split, pattern


def _texts(node: Node | None) -> list[str]:
    """The text that a value is, or the texts in a list."""
    found = [] if node is None else [node.text, *(item.text for item in node.items)]
    return [text for text in found if text]


def _text(node: Node, key: str) -> str:
    value = node.entries.get(key)
    return (value.text if value is not None else None) or ""


def _matching(folder: Path, pattern: str) -> list[Path]:
    """The files that a pattern means, all of which lie in the folder."""
    parts = PurePosixPath(pattern.removeprefix("./")).parts
    if _ELSEWHERE.match(pattern) or not parts or parts[0] == "/" or ".." in parts:
        return []
    try:
        found = sorted(path for path in folder.glob("/".join(parts)) if path.is_file())
    except (ValueError, OSError, NotImplementedError):
        return []
    return [path for path in found if not path.name.startswith(".")]


def _is_inside(inner: Path, folder: Path) -> bool:
    try:
        return inner.is_dir() and inner.resolve().is_relative_to(folder.resolve())
    except (ValueError, OSError, RuntimeError):  # a name that no folder can have
        return False
