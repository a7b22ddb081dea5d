"""What a tool answered, in chat messages: JSON, as text or as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasksieve.dialogs.record import Pairs, from_json


def results(content: Any, tool: str) -> list[tuple[str, Any]] | None:
    """The objects of an answer, each with the kind of record it is; None if the answer is not made of objects.

    Args:
        content: JSON, as text or decoded: an object, a list of objects, or an object whose one field is such a list.
        tool: the kind; empty if unknown. Then that one field's name is the kind.

    >>> results('{"hotels": [{"name": "Inn"}]}', "")
    [('hotels', [('name', 'Inn')])]
    """
    try:
        value = from_json(content) if isinstance(content, str) else content
    except (ValueError, RecursionError):
        return None
    if _are_objects(value):
        return [(tool, item) for item in value]
    if not _is_object(value):
        return None
    pairs = value if isinstance(value, Pairs) else list(value.items())
    if len(pairs) == 1 and _are_objects(pairs[0][1]):
        return [(tool or str(pairs[0][0]), item) for item in pairs[0][1]]
    return [(tool, value)]


def _is_object(value: Any) -> bool:
    return isinstance(value, (Mapping, Pairs))


def _are_objects(value: Any) -> bool:
    """Whether it is a list of objects, at least one."""
    return isinstance(value, list) and not isinstance(value, Pairs) and bool(value) and all(map(_is_object, value))
