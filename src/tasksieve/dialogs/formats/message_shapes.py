"""Messages as services and libraries have them, in one shape: that of OpenAI's chat completions.

Read are OpenAI's own messages and the items of its Responses API, Anthropic's and Bedrock's content blocks
(``tool_use``, ``tool_result``, ``toolUse``, ``toolResult``), Gemini's ``parts`` (``functionCall``,
``functionResponse``), LLaMA-Factory's parts with a ``value``, and ShareGPT's ``from`` and ``value``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

from tasksieve.dialogs.formats.journal import shown
from tasksieve.dialogs.formats.parts import parts_of

Plain = dict[str, Any]
"""A message with the role ``user``, ``assistant``, ``system``, ``developer`` or ``tool``, and maybe ``content``."""

_ROLES = {
    "user": ("user", "human", "prompter", "customer"),
    "assistant": ("assistant", "gpt", "chatgpt", "model", "bot", "chatbot", "bing", "bard", "claude", "agent", "ai"),
    "system": ("system",),
    "developer": ("developer",),
    "tool": ("tool", "function", "observation", "ipython", "tool_response", "function_response"),
    "call": ("function_call", "tool_call"),
}
_ROLE_OF = {name: role for role, names in _ROLES.items() for name in names}
_PLAIN_ROLES = ("user", "assistant", "system", "developer", "tool")
SPEAKER_KEYS = ("role", "from", "author", "speaker")
_CONTENTS = ("content", "value", "parts", "text", "message", "utterance")
_CALL_PARTS = {"toolUse": "toolUseId", "functionCall": "id", "function_call": "id"}
_RESULT_PARTS = {"toolResult": "toolUseId", "functionResponse": "id", "function_response": "id"}
_CALL_TYPES, _RESULT_TYPES = ("tool_use", "tool_call"), ("tool_result",)
_ITEM_CALLS = ("function_call", "custom_tool_call")
_ITEM_RESULTS = ("function_call_output", "custom_tool_call_output")


def stands_alone(value: Any) -> bool:
    """Whether a value is a message: an object that says who speaks, or a call or result among messages."""
    if not isinstance(value, Mapping):
        return False
    return any(key in value for key in SPEAKER_KEYS) or value.get("type") in (*_ITEM_CALLS, *_ITEM_RESULTS)


def has_words(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether a value says who speaks, and what."""
    return isinstance(value, Mapping) and stands_alone(value) and any(key in value for key in _CONTENTS)


def answering(message: Any) -> Any:
    """A message as it is, but ``system`` in it responds and gives no prompt."""
    if not isinstance(message, Mapping):
        return message
    named = {key: message[key] for key in SPEAKER_KEYS if isinstance(message.get(key), str)}
    return {**message, **{key: "assistant" for key, name in named.items() if name.strip().lower() == "system"}}


def speakers_in(messages: Iterable[Any]) -> list[str]:
    """What messages call who speaks, where they say it."""
    held = [message for message in messages if isinstance(message, Mapping)]
    found = (next((message[key] for key in SPEAKER_KEYS if key in message), None) for message in held)
    return [name for name in found if isinstance(name, str)]


def is_response(message: Any) -> bool:
    """Whether a message says that the assistant speaks, or calls a tool."""
    if not isinstance(message, Mapping):
        return False
    given = next((message[key] for key in SPEAKER_KEYS if message.get(key) is not None), None)
    return isinstance(given, str) and _ROLE_OF.get(given.strip().lower()) in ("assistant", "call")


def other_item(value: Mapping[str, Any]) -> str | None:
    """The type of an item that is no message, call or result, such as ``reasoning``; None if it is one of these."""
    kind = None if "role" in value else value.get("type")
    return kind if isinstance(kind, str) and not stands_alone(value) else None


def plain_messages(message: Mapping[str, Any]) -> list[Plain]:
    """The plain messages that one message stands for: results of tools in it are messages of their own, and first.

    Keys that are not known stay, for who reads on to name; one that is null says nothing.

    Raises: ValueError: if its role is not known, or it has none; the message says what was found.
    """
    plain = isinstance(message.get("content"), str) and "type" not in message
    if plain and message.get("role") in _PLAIN_ROLES:
        return [dict(message)]
    held = {key: value for key, value in message.items() if value is not None}
    item = held.get("type")
    if "role" not in held and item in (*_ITEM_CALLS, *_ITEM_RESULTS):
        return [_item(held, item)]
    speaker = next((key for key in SPEAKER_KEYS if key in held), "role")
    given = held.pop(speaker, None)
    role = _ROLE_OF.get(given.strip().lower()) if isinstance(given, str) else None
    if given is None:
        raise ValueError(f"found keys {shown(sorted(message))}; expected an object with role and content")
    if role is None:
        raise ValueError(f"found role {shown(given)}; expected system, user, assistant or tool")
    key = next((key for key in _CONTENTS if key in held), None)
    if key is None and role not in ("assistant", "tool") and not any(key in message for key in _CONTENTS):
        raise ValueError(f"found keys {shown(sorted(message))}; expected an object with role and content")
    content = None if key is None else held.pop(key)
    if item == "message":
        del held["type"]
    if role == "call":
        return [{**held, "role": "assistant", "tool_calls": _called(content)}]
    return list(_parted(held, role, content))


def _parted(held: Plain, role: str, content: Any) -> Iterator[Plain]:
    """A message without the calls and results of tools among its parts, which come as they are elsewhere."""
    parts = None if role == "tool" and not isinstance(content, list) else parts_of(content)
    if parts is None:
        yield {**held, "role": role, "content": content}
        return
    rest, calls, results = [], [], list[Plain]()
    for part in parts:
        found = _result(part)
        if found is not None:
            results += found
        elif (call := _call(part)) is not None:
            calls.append(call)
        else:
            rest.append(part)
    yield from results
    if results and not rest and not calls:
        return
    if calls:
        listed = held.get("tool_calls")
        held = {**held, "tool_calls": [*(listed if isinstance(listed, list) else []), *calls]}
    yield {**held, "role": role, "content": rest}


def _item(held: Plain, item: str) -> Plain:
    """A call of a tool, or what it answered, that is no part of a message."""
    held = {key: value for key, value in held.items() if key not in ("type", "id", "status")}
    identity = held.pop("call_id", "")
    if item in _ITEM_RESULTS:
        output = held.pop("output", None)
        return {**held, "role": "tool", "tool_call_id": identity, "content": output}
    named = {key: held.pop(key) for key in ("name", "arguments", "input") if key in held}
    return {**held, "role": "assistant", "tool_calls": [{"id": identity, **named}]}


def _called(content: Any) -> Any:
    """The calls that a message of them holds, as JSON or decoded: one, or a list."""
    try:
        value = json.loads(content) if isinstance(content, str) else content
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, (dict, list)):
        raise ValueError(f"found {shown(content)}; expected a call of a tool in JSON, with 'name' and 'arguments'")
    return value if isinstance(value, list) else [value]


def _call(part: Any) -> Plain | None:
    """The call that a part is; None if it is none."""
    if not isinstance(part, dict):
        return None
    if part.get("type") in _CALL_TYPES:
        held = {key: value for key, value in part.items() if key != "type"}
        return _called(held["value"])[0] if held.keys() == {"value"} else held
    key = next((key for key in _CALL_PARTS if isinstance(part.get(key), dict)), None)
    return None if key is None else {**part[key], "id": part[key].get(_CALL_PARTS[key])}


def _result(part: Any) -> list[Plain] | None:
    """What a part answers for a tool, one message a piece of it; None if it is no answer."""
    if not isinstance(part, dict):
        return None
    if part.get("type") in _RESULT_TYPES:
        held = {key: value for key, value in part.items() if key not in ("type", "tool_use_id")}
        return [{**held, "role": "tool", "tool_call_id": part.get("tool_use_id")}]
    key = next((key for key in _RESULT_PARTS if isinstance(part.get(key), dict)), None)
    if key is None:
        return None
    held = dict(part[key])
    answer = {"role": "tool", "tool_call_id": held.pop(_RESULT_PARTS[key], None)}
    answer |= {"name": held.pop("name")} if "name" in held else {}
    content = held.pop("response", held.pop("content", None))
    pieces = content if key == "toolResult" and isinstance(content, list) else [content]
    first, *others = [_piece(piece) for piece in pieces] or [None]
    return [{**held, **answer, "content": first}, *({**answer, "content": piece} for piece in others)]


def _piece(piece: Any) -> Any:
    """A piece of an answer of Bedrock's, without what says that it is JSON; text stays a part."""
    if isinstance(piece, dict) and piece.keys() == {"json"}:
        return piece["json"]
    return [piece] if isinstance(piece, dict) and "text" in piece and len(piece) == 1 else piece
