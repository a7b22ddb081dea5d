"""The calls of tools in an answer, as programs take them."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

from tasksieve.dialogs.record import DEEPEST
from tasksieve.encoding.calls import CALL, arguments_of, is_call, tool_of

_NEXT = re.compile(rf"\n(?={CALL}\b)")
_NAME = re.compile(rf"\s*{CALL}\s+(\S+)\s*$")


def calls_in(answer: str) -> list[str]:
    """The calls in an answer, one after the other; none if it is words.

    >>> calls_in('api_call find {"city":"Rome"}\\napi_call weather {"city":"Rome"}')
    ['api_call find {"city":"Rome"}', 'api_call weather {"city":"Rome"}']
    >>> calls_in("Which city?")
    []
    """
    return _NEXT.split(answer) if is_call(answer) else []


def tool_calls(answer: str, place: int = 0) -> list[dict[str, Any]]:
    """The calls in an answer in the shape of chat files, but with an object for arguments.

    Empty if the answer is words, or calls without a tool's name, as in ``api_call italian rome six``.

    Args:
        answer: as it is said.
        place: of the answer in its dialog; it makes the identities, so that no other answer of the dialog has them.

    >>> tool_calls('api_call find {"city":"Rome","nights":2}', 4)[0]["function"]
    {'name': 'find', 'arguments': {'city': 'Rome', 'nights': 2}}
    """
    found = [(_name_of(call), _object_of(call)) for call in calls_in(answer)]
    return [
        {"id": f"call_{place}_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for number, (name, arguments) in enumerate(found)
        if name
    ]


def waits_for(answer: str) -> Literal["user", "tool"]:
    """Whom a dialog waits for after an answer: the tools that it calls, or else the user."""
    return "tool" if is_call(answer) else "user"


def _name_of(call: str) -> str:
    """The tool's name; empty if the words after the call are its values."""
    alone = _NAME.match(call)
    return tool_of(call) or (alone[1] if alone else "")


def _object_of(call: str) -> dict[str, Any]:
    """The arguments; values that are in no readable object go by their keys, or by their numbers."""
    brace = call.find("{")
    if brace >= 0 and (found := _read(call[brace:])) is not None:
        return found
    if brace < 0 and _NAME.match(call):
        return {}
    values = enumerate(arguments_of(call), 1)
    return {_writable(given.key or str(number)): _writable(given.text) for number, given in values}


def _writable(text: str) -> str:
    """A text without halves of characters, which JSON can name and nobody can write."""
    return text.encode("utf-8", "replace").decode()


def _read(text: str) -> dict[str, Any] | None:
    """An object in JSON that can be written again; None if it is damaged, or nested too deep."""
    try:
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and _within(found, DEEPEST) else None


def _within(value: Any, depth: int) -> bool:
    """Whether a value is nested at most so deep."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth >= 0 and all(_within(one, depth - 1) for one in inner)
