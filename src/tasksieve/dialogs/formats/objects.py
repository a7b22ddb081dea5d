"""Objects of JSON as public data sets hold their dialogs: by what they are known, and what of them is not read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tasksieve.dialogs.formats.assembly import Assembly
from tasksieve.dialogs.formats.format import Start
from tasksieve.dialogs.formats.journal import Journal, shown, split_keys, split_said
from tasksieve.dialogs.formats.json_text import json_items, json_objects
from tasksieve.dialogs.formats.utterances import filled

_NAME = re.compile(r'"((?:[^"\\]|\\.){1,40})"\s*:')


def dialog_objects(path: Path, journal: Journal) -> Iterator[tuple[int, Any]]:
    """Yield (line, value) of the items of one array, or of objects that follow each other, one by one.

    Raises: UserError: if the file cannot be read, or holds something else, if the journal does not collect.
    """
    listed = Start(path).line.startswith("[")
    return json_items(path, journal) if listed else json_objects(path, journal)


def dialogs_of_turns(
    path: Path, journal: Journal, read: Iterable[str]
) -> Iterator[tuple[Mapping[str, Any], list[Any], Assembly]]:
    """Yield (dialog, its turns, where to put them) of the objects with a list ``turns`` that a split takes.

    What is no such object is refused, and what else one has is counted as lost.

    Args:
        path, journal: as for :func:`dialog_objects`.
        read: the fields of a dialog that are read.
    """
    for line, value in dialog_objects(path, journal):
        assembly = Assembly(journal, line)
        turns = value.get("turns") if isinstance(value, dict) else None
        if not isinstance(turns, list):
            assembly.refuse(f"found {shown(value)}; expected an object with a list 'turns'")
        elif journal.takes(split_said(value)):
            lose_rest(value, {*read, *split_keys(value)}, "a dialog", journal)
            yield value, turns, assembly


def names_in(start: Start) -> set[str]:
    """All names of fields in the start of a file of JSON, however deep; of another file none."""
    return set(_NAME.findall(start.text)) if start.line.startswith(("[", "{")) else set()


def listed(value: object) -> list[Any]:
    """The items of a list; what is none is one item of its own, so that it is counted, if it says anything."""
    if isinstance(value, list):
        return value
    return [value] if filled(value) else []


def lose_rest(fields: Mapping[str, Any], kept: Collection[str], owner: str, journal: Journal) -> None:
    """Count the fields that are not kept and say anything; ``owner`` names what they are of, e.g. ``a turn``."""
    for name, value in fields.items():
        if name not in kept and filled(value):
            journal.lose(f"'{name}' of {owner}")
