"""What the files of a folder are: splits of one task, parts of one split, or neither."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tasksieve.dialogs.formats.compressed import compression_named
from tasksieve.dialogs.formats.hub_pages import declared_in
from tasksieve.dialogs.formats.known import format_of, formats
from tasksieve.dialogs.formats.split_names import (
    by_first_word,
    in_order,
    is_split,
    says_split,
    split_meant,
    split_within,
)
from tasksieve.records.parted_paths import with_part

ENDINGS = (".txt", ".jsonl", ".json", ".yml", ".yaml", ".csv")
"""Of the files of one split with different endings the first in this order is taken."""
_A_DIALOG_EACH = ("*/log.json", "*/*/log.json")
"""Of DSTC2: a folder for each session, maybe in one for each collection."""
INNER = "data"
"""A folder of this name is looked into where the folder around it has no dialogs: archives are unpacked into it."""

_ALL_ALIKE = ("dialogues", "dialogs", "dialogue", "dialog", "conversations", "data", "part", "shard")
_PART = re.compile(r"(.+?)[-_]?(\d{2,6})((?:-of-\d+(?:-[0-9a-f]{8,64})?)?)")
_SHARD = re.compile(r"\d-of-\d")
_NOT_DIALOGS = re.compile(
    r"(?:schema|ontology|(?:dialogs?|dialogues?|system)_acts|(?:.*[-_])?db|camrestdb|.*_entities|slot_descriptions"
    r"|shuffled_dial_ids|dummy_data|dataset_(?:infos?|dict)|state|label)\.json"
    r"|(?:val|test)listfile\.(?:txt|json)|(?:readme|licen[cs]e|version_history)\.txt"
    r"|(?:domain|config|credentials|endpoints)\.ya?ml"
)
"""Names of files that lie beside dialogs in public data sets and projects of Rasa, and hold none."""


def name_of(path: Path) -> str:
    """A file's name without its ending, and without that of its compression."""
    return compression_named(path)[1].stem


def ending_of(path: Path) -> str:
    """A file's ending in lower case, not that of its compression."""
    return compression_named(path)[1].suffix.lower()


def dialog_files_in(folder: Path) -> list[Path]:
    """The files of a folder that may hold dialogs, by their names, in the order of these."""
    known = {*ENDINGS, *(ending for one in formats().values() for ending in one.suffixes)}
    return [
        path
        for path in sorted(folder.iterdir())
        if ending_of(path) in known
        and not path.name.startswith(".")
        and not _NOT_DIALOGS.fullmatch(path.name.lower())
        and path.is_file()
    ]


def inner_of(folder: Path) -> Path | None:
    """The folder in a folder that has its dialogs, if it has none itself."""
    inner = folder / INNER
    return inner if inner.is_dir() and not dialog_files_in(folder) else None


def splits_in(folder: Path) -> dict[str, tuple[Path, ...]]:
    """The files of each split that a folder holds; empty if none are told.

    They are told by its page ``README.md`` as on the Hugging Face hub, or by names of files or of folders in it.
    """
    found = _by_page(declared_in(folder).splits) or _by_names(folder)
    return {split: found[split] for split in in_order(found)}


def files_of_split(folder: Path, name: str) -> tuple[Path, ...]:
    """The files of one split by any of its names, also the whole one, ``train_sft``; none if there is no such split.

    That of another data set in the folder than the one that is meant by it is called ``NAME:SPLIT``.
    """
    held, meant = splits_in(folder), split_meant(name)
    if meant in held:
        return held[meant]
    if others := declared_in(folder).by_name.get(name):
        return others
    parts = [files for files in held.values() if all(split_meant(part_of(file)) == meant for file in files)]
    return parts[0] if len(parts) == 1 else ()


def path_of_split(folder: Path, split: str, files: Sequence[Path]) -> Path:
    """One path that means all files of a split."""
    if len(files) == 1 and (files[0].parent == folder or not is_split(files[0].parent.name)):
        return files[0]
    inner = files[0].parent
    return inner if inner.parent == folder and is_split(inner.name) else with_part(folder, split)


def parts_in(folder: Path) -> tuple[Path, ...]:
    """The files of a folder if together they are one: numbered, of one name that says nothing; else none.

    Where a dialog has a folder of its own, with a file ``log.json``, or a file whose name is a number, all are one.
    """
    files = dialog_files_in(folder)
    if not files:
        return tuple(sorted(file for depth in _A_DIALOG_EACH for file in folder.glob(depth)))
    if all(name_of(path).isdecimal() for path in files) and format_of(files[0]).dialog_each:
        return tuple(files)
    wholes = {part_of(path) for path in files}
    alike = len(wholes) == 1 and all(name.lower() in _ALL_ALIKE for name in wholes)
    return tuple(files) if alike and all(part_of(path) != name_of(path) for path in files) else ()


def part_of(path: Path) -> str:
    """What a numbered file is a part of, told from its name; its own name if it is none."""
    name = name_of(path)
    numbered = _PART.fullmatch(name)
    if numbered is None:
        return name
    whole = numbered[1]
    return whole if numbered[3] or whole.lower() in _ALL_ALIKE or is_split(whole) else name


def _by_page(declared: Mapping[str, tuple[Path, ...]]) -> dict[str, tuple[Path, ...]]:
    return {split: declared[name] for name, split in by_first_word(declared).items()}


def _by_names(folder: Path) -> dict[str, tuple[Path, ...]]:
    files = dialog_files_in(folder)
    named: dict[str, list[Path]] = {}
    for path in files:
        whole = part_of(path)
        if is_split(whole) or (says_split(whole) and _SHARD.search(name_of(path))):
            named.setdefault(split_meant(whole), []).append(path)
    found = {split: _of_one_ending(named[name]) for name, split in by_first_word(named).items()}
    for inner in sorted(folder.iterdir()):
        if is_split(inner.name) and inner.is_dir() and (held := dialog_files_in(inner)):
            found.setdefault(split_meant(inner.name), tuple(held))
    return found or _splits_within(files)


def _of_one_ending(files: Iterable[Path]) -> tuple[Path, ...]:
    """Of files of one split those with the first ending; one alone, if they are no parts."""
    ordered = sorted(files, key=lambda path: (_rank(path), path.name))
    first = [path for path in ordered if ending_of(path) == ending_of(ordered[0])]
    whole = next((path for path in first if part_of(path) == name_of(path)), None)
    return tuple(first) if whole is None else (whole,)


def _rank(path: Path) -> int:
    ending = ending_of(path)
    return ENDINGS.index(ending) if ending in ENDINGS else len(ENDINGS)


def _splits_within(files: Iterable[Path]) -> dict[str, tuple[Path, ...]]:
    """Splits that a word of each file's name says, if all else in the names is the same."""
    found: dict[str, Path] = {}
    rests: set[str] = set()
    for path in files:
        split, rest = split_within(name_of(path)) or ("", "")
        rests.add(rest)
        if not split or split in found or len(rests) > 1:
            return {}
        found[split] = path
    return {split: (path,) for split, path in found.items()} if len(found) > 1 else {}
