r"""Chat messages, one JSON object a line, as fine-tuning services read them.

Each line is a dialog: ``{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello",
"weight": 1}]}`` (OpenAI's chat fine-tuning format, which other services and libraries share). ``weight`` says how
much an assistant message counts in training: OpenAI takes 0 or 1, others any number.

What a ``tool`` (or ``function``) message holds as JSON is a record of the tool's name: one for an object, several
for a list of objects, or for an object whose one field is such a list. Other text of theirs, and that of ``system``
and ``developer`` messages, is lines of records (triples, or JSON after a name) and prose, a note. The profile is a
line of the first one. An assistant that calls tools and says nothing responds ``api_call NAME ARGUMENTS``. A user's
silence is no message at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import SILENCE, Dialog
from tasksieve.dialogs.formats.assembly import Assembly, told_texts, turns_with_context
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, shown
from tasksieve.dialogs.formats.json_text import json_lines, write_json_lines
from tasksieve.dialogs.formats.tool_results import results

_TOLD_ROLES = ("system", "developer")
_TOOL_ROLES = ("tool", "function")
_READ = {"role", "content", "weight", "tool_calls"}
_READ_OF_TOOLS = {"role", "content", "name", "tool_call_id"}

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
    for place, (context, turn) in enumerate(turns_with_context(dialog)):
        messages += ({"role": "system", "content": text} for text in told_texts(context))
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
        reading = _Messages(Assembly(journal, line), journal)
        for number, message in enumerate(messages, start=1):
            reading.add(message, f"message {number}")
        yield from reading.assembly.dialog()


class _Messages:
    """The messages of one dialog, read one by one."""

    def __init__(self, assembly: Assembly, journal: Journal) -> None:
        self.assembly = assembly
        self._journal = journal
        self._tools: dict[str, str] = {}

    def add(self, message: object, place: str) -> None:
        if not isinstance(message, dict):
            self.assembly.refuse(f"{place}: found {shown(message)}; expected an object with role and content")
            return
        role = message.get("role")
        for key in message.keys() - (_READ_OF_TOOLS if role in _TOOL_ROLES else _READ):
            self._journal.lose(f"'{key}' of a message")
        if role in _TOOL_ROLES:
            self._add_result(message, place)
            return
        content = _content(message, self._journal)
        if role == "user":
            self.assembly.user(content, place)
        elif role == "assistant":
            self._learn_tools(message)
            _check_weight(message, place, self.assembly, self._journal)
            self.assembly.system(content, place)
        elif role in _TOLD_ROLES:
            self.assembly.told(content, place)
        else:
            self.assembly.refuse(f"{place}: found role {shown(role)}; expected system, user, assistant or tool")

    def _learn_tools(self, message: dict[str, Any]) -> None:
        """Remember which tool a result will be of."""
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else []:
            function = call.get("function") if isinstance(call, dict) else None
            name = function.get("name") if isinstance(function, dict) else None
            if isinstance(name, str) and isinstance(call.get("id"), str):
                self._tools[call["id"]] = name

    def _add_result(self, message: dict[str, Any], place: str) -> None:
        content, called = _content(message, self._journal), message.get("tool_call_id")
        name = self._tools.get(called) if isinstance(called, str) else None
        name = name or message.get("name")
        found = results(content, name if isinstance(name, str) else "")
        if found is None:
            self.assembly.told(content, place)
        for kind, values in found or ():
            self.assembly.record(kind, values, place)


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


def _recognises(start: Start) -> bool:
    return start.line.startswith("{")


CHAT = register(
    Format(
        name="chat",
        title="chat messages",
        suffixes=(".jsonl",),
        read=_read,
        write=write_chat,
        recognises=_recognises,
        example='{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}',
        order=90,
    )
)
"""Chat messages in JSON lines."""
