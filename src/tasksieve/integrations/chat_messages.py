"""An example's messages and tools as a chat template is to have them, and what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tasksieve.errors import UserError
from tasksieve.integrations.chat_text import ASSISTANT, Text

Message = dict[str, Any]


def messages_of(example: Mapping[str, Any], where: str) -> list[Message]:
    """The messages of an example, without weights and without what is None.

    Content in parts becomes one text, and the arguments of calls that are JSON text of an object become that object:
    templates write them as JSON themselves.

    Args:
        example: with ``messages``.
        where: it is, for errors.
    Raises: UserError: if there are none, none is the assistant's, or one has no role or no text.
    """
    found = example.get("messages")
    if not isinstance(found, Sequence) or isinstance(found, str | bytes) or not found:
        raise UserError(f"{where} has no messages; give a list with role and content of each turn")
    messages = [_message(one, f"message {number + 1} of {where}") for number, one in enumerate(found)]
    if not any(one["role"] == ASSISTANT for one in messages):
        raise UserError(f"{where} has no message of the assistant, so nothing is learned of it; leave it out")
    return messages


def tools_of(example: Mapping[str, Any], where: str) -> list[Any] | None:
    """The tools that an example's template is to write, a list or JSON text of one; None where there are none.

    Raises: UserError: if they are something else.
    """
    tools = example.get("tools")
    if isinstance(tools, str) and tools.strip():
        tools = _of_json(tools)
        if tools is None:
            raise UserError(f"the tools of {where} are a text that is no JSON list; give a list, or JSON text of one")
    if not tools:
        return None
    if not isinstance(tools, Sequence) or isinstance(tools, str | bytes):
        raise UserError(f"the tools of {where} are {_kind(tools)}; give a list, or JSON text of one")
    return list(tools)


def names_of(calls: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the functions that calls, or tools, are of."""
    functions = [_function(one) for one in calls]
    return [str(one["name"]) for one in functions if one is not None and one.get("name")]


def assert_written(texts: Sequence[Text], messages: Sequence[Message], where: str) -> None:
    """Be sure that a chat template wrote what the assistant's messages say, and their calls.

    Args:
        texts: of the conversation, with the assistant's messages in them.
        messages: of :func:`messages_of`.
        where: they are, for errors.
    Raises: UserError: if a call's name, or the last word of the content, is missing where its message is.
    """
    for text, span in ((one.text, span) for one in texts for span in one.spans):
        said = text[span.start : span.end]
        if any(word not in said for word in messages[span.message].get("content", "").split()[-1:]):
            raise UserError(
                f"message {span.message + 1} of {where} has content that the tokenizer's chat template does not "
                "write; take a template for texts, or none"
            )
        calls = messages[span.message].get("tool_calls", ())
        missing = [name for name in names_of(calls) if name not in said]
        if missing:
            raise UserError(
                f"message {span.message + 1} of {where} calls {missing[0]!r}, which the tokenizer's chat template "
                "does not write; take a template for tools, or leave the call out"
            )


def _message(message: Any, where: str) -> Message:
    if not isinstance(message, Mapping):
        raise UserError(f"{where} is {_kind(message)}; give a mapping with role and content")
    if not isinstance(message.get("role"), str):
        raise UserError(f"{where} has no role; give 'user', 'assistant', 'system' or 'tool'")
    found = {key: value for key, value in message.items() if key != "weight" and value is not None}
    calls = found.pop("tool_calls", None)
    if calls is not None and (not isinstance(calls, Sequence) or isinstance(calls, str | bytes)):
        raise UserError(f"{where} has tool_calls that are {_kind(calls)}; give a list of calls")
    if calls:
        found["tool_calls"] = [_call(one, where) for one in calls]
    if found.get("content") is not None or not calls:
        found["content"] = _content(found.get("content"), where)
    return found


def _content(content: Any, where: str) -> str:
    if isinstance(content, str):
        return content
    if content is None:
        raise UserError(f"{where} has no content; give its text, or leave the message out")
    if not isinstance(content, Sequence) or isinstance(content, bytes):
        raise UserError(f"{where} has content that is {_kind(content)}; give a text")
    return "".join(_part(part, where) for part in content)


def _part(part: Any, where: str) -> str:
    if isinstance(part, str):
        return part
    text = part.get("text") if isinstance(part, Mapping) and part.get("type", "text") == "text" else None
    if not isinstance(text, str):
        kind = (
            f"of type {part['type']!r}" if isinstance(part, Mapping) and "type" in part else f"that is {_kind(part)}"
        )
        raise UserError(f"{where} has a part {kind}; only text can be learned from, leave it out")
    return text


def _call(call: Any, where: str) -> dict[str, Any]:
    function = _function(call)
    if function is None or not isinstance(function.get("name"), str) or not function["name"]:
        raise UserError(f"{where} has a call without the name of its function; give name and arguments")
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        read = _of_json(arguments)
        function = {**function, "arguments": read if isinstance(read, dict) else arguments}
    return {**call, "function": function} if "function" in call else function


def _function(call: Any) -> dict[str, Any] | None:
    function = call.get("function", call) if isinstance(call, Mapping) else None
    return dict(function) if isinstance(function, Mapping) else None


def _of_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _kind(value: Any) -> str:
    return f"of type {type(value).__name__}"
