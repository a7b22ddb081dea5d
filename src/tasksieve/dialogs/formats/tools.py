"""Calls of tools in chat messages, and what the tools answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasksieve.dialogs.formats.tags import decoded
from tasksieve.dialogs.record import DEEPEST, Pairs, from_json

CALLS = ("tool_calls", "function_call")
"""The keys of an assistant's message that hold calls: a list, or one of the older form."""

_ARGUMENTS = ("arguments", "input", "parameters", "args")


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool.

    Attributes:
        id: by which its result names it; empty if unknown.
        name: of the tool.
        arguments: as they are written, or in compact JSON; empty if there are none.
    """

    id: str
    name: str
    arguments: str

    @property
    def text(self) -> str:
        """The call as a response, ``api_call NAME ARGUMENTS``."""
        return f"api_call {self.name} {self.arguments}".rstrip()


def calls(message: Mapping[str, Any]) -> list[Call]:
    """The calls in an assistant's message, in every shape that there is for them.

    These are ``tool_calls`` with a ``function`` (``name``, ``arguments``), with a ``custom`` tool (``name``,
    ``input``), or with ``name`` and ``arguments`` (or ``parameters``, ``args``) right in them, and the older
    ``function_call``.

    Raises: ValueError: if there is something else; the message says what.
    """
    listed, single = (message.get(key) for key in CALLS)
    if listed is not None and not isinstance(listed, list):
        raise ValueError("'tool_calls' is no list; expected a list of calls")
    return [_call(value) for value in [*(listed or []), *([] if single is None else [single])]]


def _call(value: Any) -> Call:
    outer = value if isinstance(value, Mapping) else {}
    inner = next((outer[key] for key in ("function", "custom") if isinstance(outer.get(key), Mapping)), outer)
    name, identity = inner.get("name"), outer.get("id")
    if not isinstance(name, str) or not name.strip():
        raise ValueError("found a call of a tool without its name; expected 'function' with 'name' and 'arguments'")
    given = next((inner[key] for key in _ARGUMENTS if inner.get(key) is not None), None)
    if not isinstance(given, str):
        given = "" if given is None else json.dumps(given, ensure_ascii=False, separators=(",", ":"))
    return Call(identity if isinstance(identity, str) else "", name, given)


def results(content: Any, tool: str) -> list[tuple[str, Any]] | None:
    """The objects of an answer, each with the kind of record it is; None if the answer is not made of objects.

    Args:
        content: JSON, as text or decoded, or a short literal of Python: an object, a list of objects, or an object
            in which one field is such a list, or again such an object, and the others are single values, such as a
            count. Those are one more answer.
        tool: the kind; empty if unknown. Then the name of the field with the list is the kind of what is in it.

    >>> results('{"count": 1, "hotels": [{"name": "Inn"}]}', "")
    [('hotels', [('name', 'Inn')]), ('', [('count', '1')])]
    """
    try:
        value = from_json(content) if isinstance(content, str) else content
    except (ValueError, RecursionError):
        value = decoded(content)
    if _are_objects(value):
        return [(tool, item) for item in value]
    if not _is_object(value):
        return None
    others = Pairs()
    key, items = _listed(value, others)
    if not items:
        return [(tool, value)]
    return [*((tool or key, item) for item in items), *([(tool, others)] if others else [])]


def _listed(value: Any, others: Pairs) -> tuple[str, list[Any]]:
    """The one list of objects in an object, however deep, and its field's name; what is beside it goes to others.

    Returns: nothing if there is no such list, or anything but single values beside it on any level.
    """
    key, levels = "", 0
    while _is_object(value) and levels < DEEPEST:
        pairs = value if isinstance(value, Pairs) else list(value.items())
        inner = [pair for pair in pairs if isinstance(pair[1], list) or _is_object(pair[1])]
        if len(inner) != 1:
            return "", []
        others.extend(pair for pair in pairs if pair is not inner[0])
        key, value = str(inner[0][0]), inner[0][1]
        levels += 1
    return (key, value) if _are_objects(value) else ("", [])


def _is_object(value: Any) -> bool:
    return isinstance(value, (Mapping, Pairs))


def _are_objects(value: Any) -> bool:
    """Whether it is a list of objects, at least one."""
    return isinstance(value, list) and not isinstance(value, Pairs) and bool(value) and all(map(_is_object, value))
