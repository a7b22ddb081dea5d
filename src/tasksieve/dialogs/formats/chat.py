r"""Chat messages, one JSON object a line, as fine-tuning services read them.

Each line is a dialog: ``{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello",
"weight": 1}]}`` (OpenAI's chat fine-tuning format, which other services and libraries share). ``weight`` says how
much an assistant message counts in training: OpenAI takes 0 or 1, others any number. One of weight 0 is context and
not learned from; other weights are not read. Read, too, are one array of such
objects, objects that go over several lines, a ``system`` beside the messages, and ShareGPT's form,
``{"conversations": [{"from": "human", "value": "hi"}, …]}``. A message's content may be a list of parts.

What a ``tool`` (or ``function``) message holds as JSON is a record of the tool's name: one for an object, several
for a list of objects, or for an object whose one field is such a list. Other text of theirs, and that of ``system``
and ``developer`` messages, is lines of records (triples, or JSON after a name) and prose, a note. The profile is a
line of the first one. An assistant that calls tools (or a function) and says nothing responds ``api_call NAME
ARGUMENTS``; one that refuses responds its ``refusal``. A user's silence is no message at all.

Two keys of an assistant's message are this project's own: ``action``, what it does, as ``request(city) goodbye``, a
list of such acts, or of objects with ``act`` and ``slot``; and ``slots``, where values stand in it, as Schema-Guided
has them, ``[{"slot": "city", "start": 3, "exclusive_end": 7}]``. A call of a tool is an act ``call(NAME)`` too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.dialog import SILENCE, Dialog
from tasksieve.dialogs.formats.annotations import ACTION, SLOTS, annotations_of, annotations_written
from tasksieve.dialogs.formats.assembly import Assembly, told_texts, turns_with_context
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, shown, split_keys, split_said
from tasksieve.dialogs.formats.json_text import json_items, json_lines, json_objects, write_json_lines
from tasksieve.dialogs.formats.parts import are_parts, text_of
from tasksieve.dialogs.formats.tools import CALLS, Call, calls, results

_OWN_KEYS = {"messages", "role", "conversations"}
"""By which an object in an array is known as chat messages, or meant as such."""
_OF_DIALOGS = {"messages", "conversations", "system"}
_SHARED_ROLES = {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "observation": "tool"}
_TOLD_ROLES = ("system", "developer")
_TOOL_ROLES = ("tool", "function")
_READ = {"role", "content"}
_READ_OF_ASSISTANTS = {*_READ, *CALLS, "weight", "refusal", ACTION, SLOTS}
_READ_OF_TOOLS = {*_READ, "name", "tool_call_id"}

Weights = Mapping[tuple[int, int], float]
"""Weight by number of dialog and number of turn in it, both from 0."""


@dataclass(frozen=True, slots=True)
class Source:
    """One object of a file.

    Attributes:
        value: as it stands there.
        dialog: as it is read; None if it has no turn.
        responses: the number of the message that each turn's response is, counted from 0.
    """

    value: dict[str, Any]
    dialog: Dialog | None
    responses: tuple[int, ...]

    def weighted(self, weights: Sequence[float | None]) -> dict[str, Any]:
        """The value with weights beside its responses, one or None a turn, and all else as it is."""
        key = "messages" if "messages" in self.value else "conversations"
        messages = list(self.value[key])
        for place, weight in zip(self.responses, weights, strict=True):
            if weight is not None:
                messages[place] = {**messages[place], "weight": plain_weight(weight)}
        return {**self.value, key: messages}


def plain_weight(weight: float) -> float:
    """A weight as it is written: whole numbers without a decimal point, as services that know 0 and 1 expect."""
    return int(weight) if weight == int(weight) else weight


def write_chat(dialogs: Iterable[Dialog], path: Path, weights: Weights | None = None) -> None:
    """Write chat messages.

    Args:
        dialogs: written one by one.
        path: the file.
        weights: of the assistant messages, by dialog and turn; those left out get none.
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
        response = {"role": "assistant", "content": turn.system, **annotations_written(turn)}
        weight = weights.get((number, place), None if turn.learned else 0)
        if weight is not None:
            response["weight"] = plain_weight(weight)
        messages.append(response)
    return {"messages": messages}


def read_sources(path: Path, journal: Journal) -> Iterator[Source]:
    """Yield what a file holds, dialog by dialog, as it stands there and as it is read.

    Raises: UserError: as reading the dialogs, if the journal does not collect.
    """
    for line, value in _values(path, journal):
        messages = _messages(value) if isinstance(value, dict) else None
        if not isinstance(messages, list):
            found = sorted(value) if isinstance(value, dict) else value
            journal.refuse(f"found no list 'messages' but {shown(found)}; expected one", line)
            continue
        if not journal.takes(split_said(value)):
            continue
        for key in value.keys() - _OF_DIALOGS - split_keys(value):
            journal.lose(f"'{key}' of a dialog")
        reading = _Messages(Assembly(journal, line), journal)
        if "system" in value:
            reading.add({"role": "system", "content": value["system"]}, "'system'")
        responses: list[int] = []
        for number, message in enumerate(messages, start=1):
            turns = reading.assembly.turns
            reading.add(message, f"message {number}")
            if reading.assembly.turns > turns:
                responses.append(number - 1)
        yield Source(value, next(reading.assembly.dialog(), None), tuple(responses))


def dialog_of(messages: Sequence[object]) -> Dialog | None:
    """The dialog that a list of chat messages is, by itself; None if it has no turn.

    Raises: UserError: if a message is not of the form; what it says of a place is the number of the message.
    """
    journal = Journal(Path("messages"))
    reading = _Messages(Assembly(journal, 0), journal)
    for number, message in enumerate(messages, start=1):
        reading.add(message, f"message {number}")
    return next(reading.assembly.dialog(), None)


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    return (source.dialog for source in read_sources(path, journal) if source.dialog is not None)


def _values(path: Path, journal: Journal) -> Iterator[tuple[int, Any]]:
    start = Start(path)
    if start.line.startswith("["):
        return json_items(path, journal)
    return json_objects(path, journal) if _goes_on(start) else json_lines(path, journal)


def _goes_on(start: Start) -> bool:
    """Whether the first object goes on after its line: it is cut at the line's end, and the next is no object."""
    lines = (line for line in start.text.splitlines() if line.strip())
    first, second = next(lines, ""), next(lines, "{}")
    try:
        json.loads(first)
    except json.JSONDecodeError as error:
        if not first.startswith("{") or error.pos < len(first.rstrip()):
            return False
    except (ValueError, RecursionError):
        return False
    else:
        return False
    return not _is_object(second)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _messages(value: dict[str, Any]) -> object:
    """The messages; those of ShareGPT's form under the names of this one."""
    shared = value.get("conversations")
    if "messages" in value or not isinstance(shared, list):
        return value.get("messages")
    return [_renamed(message) if isinstance(message, dict) else message for message in shared]


def _renamed(message: dict[str, Any]) -> dict[str, Any]:
    speaker = message.get("from")
    role = _SHARED_ROLES.get(speaker, speaker) if isinstance(speaker, str) else speaker
    others = {key: value for key, value in message.items() if key not in ("from", "value")}
    return {**others, "role": role, "content": message.get("value")}


class _Messages:
    """The messages of one dialog, read one by one."""

    def __init__(self, assembly: Assembly, journal: Journal) -> None:
        self.assembly = assembly
        self._journal = journal
        self._tools: dict[str, str] = {}  # by the id of the call; the last one without an id under ""

    def add(self, message: object, place: str) -> None:
        if not isinstance(message, dict):
            self.assembly.refuse(f"{place}: found {shown(message)}; expected an object with role and content")
            return
        role = message.get("role")
        if role in _TOOL_ROLES:
            self._lose_all_but(_READ_OF_TOOLS, message)
            self._add_result(message, place)
        elif role == "assistant":
            self._lose_all_but(_READ_OF_ASSISTANTS, message)
            self._add_response(message, place)
        elif role == "user":
            self._lose_all_but(_READ, message)
            self.assembly.user(_content(message.get("content"), self._journal), place)
        elif role in _TOLD_ROLES:
            self._lose_all_but(_READ, message)
            self.assembly.told(_content(message.get("content"), self._journal), place)
        else:
            self.assembly.refuse(f"{place}: found role {shown(role)}; expected system, user, assistant or tool")

    def _lose_all_but(self, read: set[str], message: dict[str, Any]) -> None:
        for key in message.keys() - read:
            self._journal.lose(f"'{key}' of a message")

    def _add_response(self, message: dict[str, Any], place: str) -> None:
        _check_weight(message, place, self.assembly, self._journal)
        try:
            called = calls(message)
        except ValueError as error:
            self.assembly.refuse(f"{place}: {error}")
            return
        self._tools.update({call.id: call.name for call in called})
        acts, spans = annotations_of(message, "a message", self._journal)
        self.assembly.system(
            self._response(message, called),
            place,
            learned=message.get("weight") != 0,
            acts=(*acts, *(Act("call", call.name) for call in called)),
            spans=spans,
        )

    def _response(self, message: dict[str, Any], called: list[Call]) -> object:
        """What is said; else the refusal; else the calls."""
        content, refusal = _content(message.get("content"), self._journal), message.get("refusal")
        said = content or refusal
        if said and called:
            self._journal.lose("call of a tool in a message that also has text", len(called))
        if content and refusal:
            self._journal.lose("'refusal' of a message that also has text")
        return said or "\n".join(call.text for call in called) or content

    def _add_result(self, message: dict[str, Any], place: str) -> None:
        content, name, called = message.get("content"), message.get("name"), message.get("tool_call_id", "")
        if are_parts(content):
            content = _content(content, self._journal)
        if not isinstance(name, str):
            name = self._tools.get(called, "") if isinstance(called, str) else ""
        found = results(content, name)
        if found is None:
            self.assembly.told(content, place)
        for kind, values in found or ():
            self.assembly.record(kind, values, place)


def _content(content: object, journal: Journal) -> object:
    """A content's text; of parts that are no text their number is lost. What is no list of parts stays as it is."""
    if not isinstance(content, list):
        return content
    text, others = text_of(content)
    journal.lose("part of a message that is not text", others)
    return text


def _check_weight(message: dict[str, Any], place: str, assembly: Assembly, journal: Journal) -> None:
    if "weight" not in message:
        return
    weight = message["weight"]
    number = isinstance(weight, (int, float)) and not isinstance(weight, bool)
    if not number or not math.isfinite(weight):
        assembly.refuse(f"{place}: found weight {shown(weight)}; expected a number")
    elif weight not in (0, 1):
        journal.lose("'weight' of a message other than 0 and 1")


def _recognises(start: Start) -> bool:
    if start.line.startswith("{"):
        return True
    return start.line.startswith("[") and isinstance(start.value, dict) and bool(start.value.keys() & _OWN_KEYS)


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
