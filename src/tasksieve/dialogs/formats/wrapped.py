"""Objects of JSON that hold dialogs under a key of their own, as in ``{"version": 1, "data": [{"messages": …}, …]}``.

The keys may be splits: ``{"train": […], "validation": […]}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tasksieve.dialogs.formats.chat_rows import LISTS, is_row, shape_of
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.parts import says
from tasksieve.dialogs.formats.split_names import says_split

BESIDE = " beside the dialogs"
"""How the names of losses end that are not even kept from chat to chat."""


def unwrapped(values: Iterable[tuple[int, Any]], journal: Journal) -> Iterator[tuple[int, Any]]:
    """Yield the values of a file, each with its line; in place of one that holds dialogs these, with its line.

    Args:
        values: of the file.
        journal: told of what is beside the dialogs in such an object, and of which split they are.
    """
    for line, value in values:
        keys = _keys(value)
        if not keys:
            yield line, value
            continue
        for key, inner in value.items():
            if key not in keys and says(inner):
                journal.lose(f"'{key}'{BESIDE}")
        whole = journal.split_of_file
        for key in keys:
            journal.split_of_file = key if says_split(key) else whole
            yield from ((line, item) for item in value[key])
        journal.split_of_file = whole


def _keys(value: Any) -> list[str]:
    """The keys of an object under which there are lists of dialogs."""
    if not isinstance(value, Mapping):
        return []
    lists = {key: inner[0] for key, inner in value.items() if isinstance(inner, list) and inner}
    objects = {key: first for key, first in lists.items() if isinstance(first, Mapping)}
    nested = [key for key, first in objects.items() if key in LISTS and shape_of(first) is not None]
    others = [key for key in objects if key not in LISTS]
    return nested or (others and not is_row(value) and [key for key in others if is_row(objects[key])]) or []
