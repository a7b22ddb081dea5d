r"""Chat messages, one JSON object a line, as fine-tuning services read them.

Each line is a dialog: ``{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello",
"weight": 1}]}`` (OpenAI's chat fine-tuning format, which other services and libraries share). ``weight`` says how
much an assistant message counts in training: OpenAI takes 0 or 1, others any number.

Facts and the profile are lines of a message with role ``system`` before the turn they belong to; ``developer``,
``tool`` and ``function`` messages are read as facts too. An assistant that calls tools and says nothing responds
``api_call NAME ARGUMENTS``. A user's silence is no message at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import SILENCE, Dialog
from tasksieve.dialogs.formats.assembly import Assembly, turns_with_facts
from tasksieve.dialogs.formats.format import Format
from tasksieve.dialogs.formats.journal import Journal, shown
from tasksieve.dialogs.formats.json_text import json_lines, write_json_lines

_FACT_ROLES = ("system", "developer", "tool", "function")
_READ = {"role", "content", "weight", "tool_calls"}

Weights = Mapping[tuple[int, int], float]
"""Weight by number of dialog and number of turn in it, both from 0."""


def write_chat(dialogs: Iterable[Dialog], path: Path, weights: Weights | None = None) -> None:
    """Write chat messages.

    Args:
        dialogs: written one by one.
        path: the file.
        weights: of the assistant messages, by dialog and turn; those left out get none. Whole numbers are written
            without a decimal point, as services that know only 0 and 1 expect them.
    """
    write_json_lines((_value(dialog, n, weights or {}) for n, dialog in enumerate(dialogs)), path)


def _value(dialog: Dialog, number: int, weights: Weights) -> dict[str, Any]:
    messages: list[dict[str, Any]] = []
    for place, (facts, turn) in enumerate(turns_with_facts(dialog)):
        if facts:
            messages.append({"role": "system", "content": "\n".join(facts)})
        if turn is None:
            continue
        if turn.user != SILENCE:
            messages.append({"role": "user", "content": turn.user})
        response: dict[str, Any] = {"role": "assistant", "content": turn.system}
        weight = weights.get((number, place))
        if weight is not None:
            response["weight"] = int(weight) if weight == int(weight) else weight
        messages.append(response)
    return {"messages": messages}


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    for line, value in json_lines(path, journal):
        messages = value.get("messages")
        if not isinstance(messages, list):
            journal.refuse(f"found no list 'messages' but {shown(sorted(value))}; expected one", line)
            continue
        for key in value.keys() - {"messages"}:
            journal.lose(f"'{key}' of a dialog")
        assembly = Assembly(journal, line)
        for number, message in enumerate(messages, start=1):
            _add(message, f"message {number}", assembly, journal)
        yield from assembly.dialog()


def _add(message: object, place: str, assembly: Assembly, journal: Journal) -> None:
    if not isinstance(message, dict):
        assembly.refuse(f"{place}: found {shown(message)}; expected an object with role and content")
        return
    role, content = message.get("role"), _content(message, journal)
    for key in message.keys() - _READ:
        journal.lose(f"'{key}' of a message")
    if role == "user":
        assembly.user(content, place)
    elif role == "assistant":
        _check_weight(message, place, assembly, journal)
        assembly.system(content, place)
    elif role in _FACT_ROLES:
        assembly.facts(content, place)
    else:
        assembly.refuse(f"{place}: found role {shown(role)}; expected system, user, assistant or tool")


def _content(message: dict[str, Any], journal: Journal) -> object:
    content, calls = message.get("content"), message.get("tool_calls")
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        if len(texts) < len(content):
            journal.lose("part of a message that is not text", len(content) - len(texts))
        content = "\n".join(text for text in texts if isinstance(text, str))
    if not isinstance(calls, list) or not calls:
        return content
    if content:
        journal.lose("'tool_calls' of a message that also has text")
        return content
    functions = [call.get("function") if isinstance(call, dict) else None for call in calls]
    named = [function for function in functions if isinstance(function, dict)]
    return "\n".join(f"api_call {function.get('name')} {function.get('arguments')}" for function in named)


def _check_weight(message: dict[str, Any], place: str, assembly: Assembly, journal: Journal) -> None:
    if "weight" not in message:
        return
    weight = message["weight"]
    number = isinstance(weight, (int, float)) and not isinstance(weight, bool)
    if not number or not math.isfinite(weight):
        assembly.refuse(f"{place}: found weight {shown(weight)}; expected a number")
    journal.lose("'weight' of a message")


CHAT = Format(
    name="chat",
    title="chat messages",
    suffixes=(".jsonl",),
    read=_read,
    write=write_chat,
    example='{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}',
)
"""Chat messages in JSON lines."""
