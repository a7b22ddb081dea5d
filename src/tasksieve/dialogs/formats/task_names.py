"""What tasks are called: as the files that their dialogs are in, or as the folders that hold these."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tasksieve.dialogs.formats.folders import INNER, name_of
from tasksieve.dialogs.formats.rasa_project import project_of
from tasksieve.dialogs.formats.split_names import is_split
from tasksieve.records.parted_paths import parted


def service_names(files: Sequence[Path]) -> list[str]:
    """Names of related tasks by their files, no two the same.

    A file of one split is called as its folder, and one of a project of Rasa as that project's.

    >>> service_names([Path("old/billing.jsonl"), Path("hotel/train.txt"), Path("new/billing.jsonl")])
    ['old/billing', 'hotel', 'new/billing']
    """
    wholes = [parted(file)[0] for file in files]
    plain = [_name(file) for file in wholes]
    longer = [name if plain.count(name) == 1 else _longer(file) for name, file in zip(plain, wholes, strict=True)]
    return [
        name if longer.count(name) == 1 else f"{name} ({longer[:number].count(name) + 1})"
        for number, name in enumerate(longer)
    ]


def _name(file: Path) -> str:
    project = project_of(file)
    if project is not None and project.name:
        return project.name
    name, folder = name_of(file), file.parent
    if folder.name == INNER and folder.parent.name:
        folder = folder.parent
    return folder.name if is_split(name) and folder.name else name


def _longer(file: Path) -> str:
    project = project_of(file)
    folders = [file.parent] if project is None else [project.parent, project]
    return "/".join([*(folder.name for folder in folders), name_of(file)])
