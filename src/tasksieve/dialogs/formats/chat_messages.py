"""The dialog that chat messages are, read one by one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.formats.annotations import ACTION, SLOTS, WEIGHT, annotations_of
from tasksieve.dialogs.formats.assembly import Assembly
from tasksieve.dialogs.formats.internal_notes import INTERNAL_NOTE, is_internal_message
from tasksieve.dialogs.formats.journal import Journal, shown
from tasksieve.dialogs.formats.message_shapes import SPEAKER_KEYS, Plain, other_item, plain_messages
from tasksieve.dialogs.formats.parts import are_parts, parts_of, says, text_of
from tasksieve.dialogs.formats.tags import untagged
from tasksieve.dialogs.formats.tools import CALLS, Call, calls, results

MESSAGE = "message"
"""A place that starts with this is a message as it stands in the file, with the file's name for who speaks."""
_READ = {"role", "content"}
_READ_OF_ASSISTANTS = {*_READ, *CALLS, WEIGHT, "refusal", ACTION, SLOTS}
_CALLS, _RESULTS = "call of a tool, which is text there", "result of a tool, which is text there"
_READ_OF_TOOLS = {*_READ, "name", "tool_call_id"}


class Messages:
    """The messages of one dialog.

    Args:
        assembly: takes what they say.
        journal: is told what of them is lost.
    """

    def __init__(self, assembly: Assembly, journal: Journal) -> None:
        self.assembly = assembly
        self._journal = journal
        self._tools: dict[str, str] = {}  # by the id of the call
        self._unnamed: list[str] = []  # those without an id that wait for their results, in order
        self._line: int | None = None
        self._speaker = ""

    def add(self, message: object, place: str, line: int | None = None) -> None:
        """The next message; ``place`` names it in an error, which has the line, or else that of the dialog."""
        self._line = line
        if not isinstance(message, dict):
            self.assembly.refuse(f"{place}: found {shown(message)}; expected an object with role and content", line)
            return
        if (item := other_item(message)) is not None:
            self._journal.lose(f"item '{item}' of a dialog")
            return
        if is_internal_message(message):
            self._journal.lose(INTERNAL_NOTE)
            return
        self._speaker = _speaker_in(message) if place.startswith(MESSAGE) else "system"
        try:
            for plain in plain_messages(message):
                for one in untagged(plain):
                    self._add(one, place)
        except ValueError as error:
            self.assembly.refuse(f"{place}: {error}", line)

    def _add(self, message: Plain, place: str) -> None:
        role = message["role"]
        if role == "tool":
            self._lose_all_but(_READ_OF_TOOLS, message)
            self._add_result(message, place)
        elif role == "assistant":
            self._lose_all_but(_READ_OF_ASSISTANTS, message)
            self._add_response(message, place)
        else:
            self._lose_all_but(_READ, message)
            add = self.assembly.user if role == "user" else self.assembly.told
            add(self._text(message.get("content")), place, self._line)

    def _lose_all_but(self, read: Iterable[str], message: Plain) -> None:
        for key in message.keys() - read:
            if says(message[key]):
                self._journal.lose(f"'{key}' of a message")

    def _add_response(self, message: Plain, place: str) -> None:
        called = calls(message)
        self._journal.reworded[_CALLS] += len(called)
        self._tools.update({call.id: call.name for call in called if call.id})
        self._unnamed = [call.name for call in called if not call.id] or self._unnamed
        acts, spans = annotations_of(message, "a message", self._journal)
        self.assembly.system(
            self._response(message, called),
            place,
            self._line,
            weight=message.get(WEIGHT),
            acts=(*acts, *(Act("call", call.name) for call in called)),
            spans=spans,
            speaker=shown(self._speaker).strip("'\""),
        )

    def _response(self, message: Plain, called: list[Call]) -> object:
        """What is said; else the refusal; else the calls."""
        content, refusal = self._text(message.get("content")), message.get("refusal")
        if isinstance(content, str) and not content.strip() and (called or refusal):
            content = ""
        said = content or refusal
        if said and called:
            self._journal.lose("call of a tool in a message that also has text", len(called))
        if content and refusal:
            self._journal.lose("'refusal' of a message that also has text")
        return said or "\n".join(call.text for call in called) or content

    def _add_result(self, message: Plain, place: str) -> None:
        self._journal.reworded[_RESULTS] += 1
        content, name, called = message.get("content"), message.get("name"), message.get("tool_call_id") or ""
        if are_parts(content):
            content = self._text(content)
        if not isinstance(name, str):
            name = self._tools.get(called, "") if isinstance(called, str) and called else self._next_unnamed()
        elif len(self._unnamed) > 1 and name in self._unnamed:
            self._unnamed.remove(name)
        found = results(content, name)
        if found is None and content is not None:
            self.assembly.told(content if isinstance(content, str) else _as_json(content), place, self._line)
        for kind, values in found or ():
            self.assembly.record(kind, values, place, self._line)

    def _next_unnamed(self) -> str:
        """The tool whose result comes next, if neither says so; of the last call there may be several."""
        return self._unnamed.pop(0) if len(self._unnamed) > 1 else "".join(self._unnamed)

    def _text(self, content: Any) -> object:
        """A content's text, empty if it is null; what is lost of its parts is counted. Other things stay."""
        if content is None:
            return ""
        parts = parts_of(content)
        if parts is None:
            return content
        text, lost = text_of(parts)
        for name in lost:
            self._journal.lose(name)
        return text


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _speaker_in(message: Mapping[str, object]) -> str:
    """What a message calls who speaks."""
    named = (message.get(key) for key in SPEAKER_KEYS)
    return next((name for name in named if isinstance(name, str)), "assistant")
