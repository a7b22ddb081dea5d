"""Calls of tools and their answers that stand between tags in a text, as open models write them.

An assistant's text may have ``<tool_call>{"name": "book", "arguments": {"people": 2}}</tool_call>`` (Hermes, Qwen),
``<function=book>{"people": 2}</function>`` (Llama), also with ``<parameter=people>2</parameter>`` in it, or
``<functioncall> {"name": …}`` (Glaive); that of a tool, or of the user, ``<tool_response>…</tool_response>``; and a
system prompt the tools themselves, ``<tools>…</tools>``. Some data sets have the literals of Python in place of JSON.
What is between tags but no call stays text.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

Plain = dict[str, Any]

_OPEN = re.compile(r"<(tool_call|functioncall|tool_response|tools)>|<function=([^<>\s]{1,200})>")
_CLOSED_BY_THE_END = ("functioncall",)
_PARAMETER = re.compile(r"\s*<parameter=([^<>\s]{1,200})>")
_CALLS, _ANSWER, _TOOLS = ("tool_call", "functioncall", "function"), "tool_response", "tools"
_AFTER = "<|endoftext|>"
_IN_QUOTES = re.compile(r"\"arguments\"\s*:\s*'")
_LONGEST_LITERAL = 1 << 16


def untagged(message: Plain) -> list[Plain]:
    """A plain message without tags in it, and before it what the tools answered, a message each.

    Calls stand under ``tool_calls``, and what was between ``<tools>`` under that name.
    """
    content, role = message.get("content"), message["role"]
    if not isinstance(content, (str, list)):
        return [message]
    calls: list[Plain] = []
    answers: list[Plain] = []
    tools: list[str] = []
    rest = _each_text(content, lambda text: _without_tags(text, role, calls, answers, tools))
    if not (calls or answers or tools):
        return [message]
    held = {**message, "content": rest}
    if calls:
        listed = message.get("tool_calls")
        held["tool_calls"] = [*(listed if isinstance(listed, list) else []), *calls]
    if tools:
        held[f"<{_TOOLS}>"] = tools
    given = {key: message[key] for key in ("name", "tool_call_id") if role == "tool" and key in message}
    named = [{"role": "tool", **given, **answer} for answer in answers]
    if role == "tool" and answers and not _says(rest):
        others = {key: value for key, value in held.items() if key not in ("role", "content", *given)}
        return [{**others, **named[0]}, *named[1:]]
    return [*named, held] if _says(rest) or not answers else named


def _each_text(content: Any, change: Callable[[str], str]) -> Any:
    """A content, or a part of one, with each text in it changed."""
    if isinstance(content, str):
        return change(content)
    if isinstance(content, list):
        return [_each_text(part, change) for part in content]
    if isinstance(content, dict) and isinstance(content.get("text"), str):
        return {**content, "text": change(content["text"])}
    return content


def _says(content: Any) -> bool:
    if isinstance(content, str):
        return bool(content.strip())
    return any(part.get("text") != "" if isinstance(part, dict) else part != "" for part in content)


def _without_tags(text: str, role: str, calls: list[Plain], answers: list[Plain], tools: list[str]) -> str:
    """The text without what is read of its tags, which is added to the lists."""
    kept, at = [], 0
    for tag, name, start, inner, end in _tagged(text):
        if role == "assistant" and tag in _CALLS:
            found = _calls(inner) if not name else _named_call(name, inner)
            if not found:
                continue
            calls += found
        elif tag == _ANSWER and role in ("tool", "user"):
            answers.append(_answer(inner.strip()))
        elif tag == _TOOLS and role in ("system", "developer"):
            tools.append(inner.strip())
        else:
            continue
        kept.append(text[at:start])
        at = end
    return text if not at else "".join((*kept, text[at:])).strip()


def _tagged(text: str) -> Iterator[tuple[str, str, int, str, int]]:
    """Tag, name in it, start, what is in it, and end of each; in time that grows as the text does."""
    at, unclosed = 0, set[str]()
    while (opened := _OPEN.search(text, at)) is not None:
        tag = opened[1] or "function"
        closing = f"</{tag}>"
        end = -1 if tag in unclosed else text.find(closing, opened.end())
        if end < 0 and tag in _CLOSED_BY_THE_END:
            inner, end = text[opened.end() :].replace(_AFTER, ""), len(text)
            yield tag, "", opened.start(), inner, end
            return
        if end < 0:
            unclosed.add(tag)
            at = opened.end()
            continue
        at = end + len(closing)
        yield tag, opened[2] or "", opened.start(), text[opened.end() : end], at


def _calls(inner: str) -> list[Plain]:
    """The calls between ``<tool_call>``: one, or a list, or one with its name in a tag; none if it is none."""
    found = next(_tagged(inner), None) if "<function=" in inner else None
    if found is not None and found[1]:
        return _named_call(found[1], found[3])
    value = decoded(inner)
    values = value if isinstance(value, list) else [value]
    named = [one for one in values if isinstance(one, dict) and isinstance(one.get("name"), str) and one["name"]]
    return named if values and len(named) == len(values) else []


def _named_call(name: str, inner: str) -> list[Plain]:
    """A call whose name stands in its tag: its arguments are JSON, or each in a tag of its own."""
    arguments: dict[str, str] = {}
    at = 0
    while (opened := _PARAMETER.match(inner, at)) is not None:
        end = inner.find("</parameter>", opened.end())
        if end < 0:
            return []
        arguments[opened[1]] = inner[opened.end() : end].strip("\n")
        at = end + len("</parameter>")
    rest = inner[at:].strip()
    if arguments:
        return [] if rest else [{"name": name, "arguments": arguments}]
    given = decoded(rest) if rest else {}
    return [{"name": name, "arguments": given}] if isinstance(given, dict) else []


def _answer(inner: str) -> Plain:
    """What a tool answered; it may stand with the tool's name in an object."""
    value = decoded(inner)
    if isinstance(value, dict) and "content" in value and value.keys() <= {"name", "content", "tool_call_id"}:
        return value
    return {"content": value if isinstance(value, (dict, list)) and not _is_json(inner) else inner}


def _is_json(text: str) -> bool:
    """Whether it is JSON, whose numbers are kept as they are written if it is read as it stands."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def decoded(text: str) -> Any:
    """A value from JSON, or from a literal of Python if it is short; None if it is neither."""
    text = text.strip()
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if len(text) > _LONGEST_LITERAL or text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(_without_quotes(text) or json.dumps(_literal(text)))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


def _without_quotes(text: str) -> str | None:
    """``{"name": "book", "arguments": '{"people": 2}'}``, as Glaive has it, as JSON; None if it is none of these."""
    opened, end = _IN_QUOTES.search(text), text.rfind("'")
    if opened is None or end < opened.end() or text[end + 1 :].strip() != "}":
        return None
    return f"{text[: opened.end() - 1]}{json.dumps(text[opened.end() : end])}{text[end + 1 :]}"


def _literal(text: str) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of backslashes in what is read
        return ast.literal_eval(text)
