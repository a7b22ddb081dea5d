r"""Chat messages, one JSON object a line, as fine-tuning services read them.

Each line is a dialog: ``{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello",
"weight": 1}]}`` (OpenAI's chat fine-tuning format, which other services and libraries share). ``weight`` says how
much an assistant message counts in training: its loss is multiplied by it, and one of weight 0 is context alone.
Read, too, are one array of such objects, objects that go over several lines, lists of messages without an object
around them, and objects of other shapes (:mod:`tasksieve.dialogs.formats.chat_rows`) with messages of other services
(:mod:`tasksieve.dialogs.formats.message_shapes`). A message's content may be a list of parts.

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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import SILENCE, Dialog
from tasksieve.dialogs.formats.annotations import WEIGHT, annotations_written, plain_weight
from tasksieve.dialogs.formats.assembly import Assembly, Context, before_and_after, told_texts, turns_with_context
from tasksieve.dialogs.formats.chat_messages import Messages
from tasksieve.dialogs.formats.chat_rows import Row, is_message, is_row, row_of
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, split_keys, split_said
from tasksieve.dialogs.formats.json_text import json_items, json_lines, json_objects, write_json_lines
from tasksieve.dialogs.formats.learned_weights import MARK, mark_of
from tasksieve.dialogs.formats.message_shapes import answering
from tasksieve.dialogs.formats.parts import says
from tasksieve.dialogs.formats.table_rows import is_table, table_rows
from tasksieve.dialogs.formats.tool_weights import with_own_weights
from tasksieve.dialogs.formats.utterances import has_utterance
from tasksieve.dialogs.formats.wrapped import unwrapped

_OF_OTHERS = {"turns", "dialogue_id", "services"}
"""By which an object in an array is known as a dialog of another format."""

Weights = Mapping[tuple[int, int], float]
"""Weight by number of dialog and number of turn in it, both from 0."""


@dataclass(frozen=True, slots=True)
class Source:
    """One object of a file.

    Attributes:
        value: as it stands there.
        row: what it holds.
        dialog: as it is read; None if it has no turn.
        responses: the number of the message that each turn's response is, counted from 0.
    """

    value: Any
    row: Row
    dialog: Dialog | None
    responses: tuple[int, ...]

    def weighted(self, weights: Sequence[float | None]) -> Any:
        """The value with weights beside its responses, one or None a turn, and all else as it is.

        Where there is no place for them, as in a history, the value's messages become a list ``messages``.
        """
        beside = {
            place: plain_weight(weight)
            for place, weight in zip(self.responses, weights, strict=True)
            if weight is not None
        }
        key, messages = self.row.key, [message for _, message in self.row.messages]
        if not beside:
            return self.value
        if self.row.alone and self.responses == (len(messages) - 1,):
            return {**self.value, WEIGHT: beside[self.responses[0]]}
        for place, weight in beside.items():
            messages[place] = {**messages[place], WEIGHT: weight}
        if isinstance(self.value, list):
            return messages
        if key:
            as_text = isinstance(self.value[key], str)
            others = {name: value for name, value in self.value.items() if name not in self.row.moved}
            return {**others, key: json.dumps(messages, ensure_ascii=False) if as_text else messages}
        others = {name: value for name, value in self.value.items() if name not in self.row.read}
        return {**others, "messages": [*(message for _, message in self.row.told), *messages]}


def write_chat(dialogs: Iterable[Dialog], path: Path, weights: Weights | None = None) -> None:
    """Write chat messages.

    Args:
        dialogs: written one by one.
        path: the file.
        weights: of the assistant messages, by dialog and turn; those left out keep their own.
    """
    write_json_lines(chat_values(dialogs, weights), path)


def chat_values(dialogs: Iterable[Dialog], weights: Weights | None = None) -> Iterator[dict[str, Any]]:
    """Each dialog as the object that is written; see :func:`write_chat`."""
    return (_value(dialog, n, weights or {}) for n, dialog in enumerate(dialogs))


def _value(dialog: Dialog, number: int, weights: Weights) -> dict[str, Any]:
    messages: list[dict[str, Any]] = []
    for place, (context, turn) in enumerate(turns_with_context(dialog)):
        before, after = before_and_after(context, turn)
        messages += _told(before)
        if turn is None:
            continue
        if turn.user != SILENCE:
            messages.append({"role": "user", "content": turn.user})
        messages += _told(after)
        response = {"role": "assistant", "content": turn.system, **annotations_written(turn)}
        if (number, place) in weights:
            response[WEIGHT] = plain_weight(weights[number, place])
        messages.append(response)
    return {"messages": messages, **mark_of(weights)}


def _told(context: Context) -> Iterator[dict[str, Any]]:
    return ({"role": "system", "content": text} for text in told_texts(context))


def read_sources(path: Path, journal: Journal) -> Iterator[Source]:
    """Yield what a file holds, dialog by dialog, as it stands there and as it is read.

    Raises: UserError: as reading the dialogs, if the journal does not collect.
    """
    return sources_of(_values(path, journal), journal)


def sources_of(values: Iterable[tuple[int, Any]], journal: Journal) -> Iterator[Source]:
    """Yield what values hold, each with its line: an object or a list of messages, as JSON or a table has it.

    Args:
        values: each with the line, or row, that it starts at.
        journal: told of problems and losses.
    """
    for line, value in values:
        try:
            row = with_own_weights(value, row_of(value))
        except ValueError as error:
            journal.refuse(str(error), line)
            continue
        if not journal.takes(split_said(value) if isinstance(value, Mapping) else None):
            continue
        if isinstance(value, Mapping):
            for key in value.keys() - row.read - split_keys(value) - {MARK}:
                if says(value[key]):
                    journal.lose(f"'{key}' of a dialog")
        for name in row.lost:
            journal.lose(name)
        reading = Messages(Assembly(journal, line), journal)
        for place, message in row.told:
            reading.add(message, place)
        responses: list[int] = []
        for number, (place, message) in enumerate(row.messages):
            turns = reading.assembly.turns
            reading.add(answering(message) if row.system_responds else message, place)
            if reading.assembly.turns > turns:
                responses.append(number)
        yield Source(value, row, next(reading.assembly.dialog(), None), tuple(responses))


def dialog_of(messages: Sequence[object]) -> Dialog | None:
    """The dialog that a list of chat messages is, by itself; None if it has no turn.

    Raises: UserError: if a message is not of the form; what it says of a place is the number of the message.
    """
    journal = Journal(Path("messages"))
    reading = Messages(Assembly(journal, 0), journal)
    for number, message in enumerate(messages, start=1):
        reading.add(message, f"message {number}")
    return next(reading.assembly.dialog(), None)


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    return (source.dialog for source in read_sources(path, journal) if source.dialog is not None)


def _values(path: Path, journal: Journal) -> Iterator[tuple[int, Any]]:
    start = Start(path)
    if is_table(start):
        return table_rows(path, journal)
    if start.line.startswith("["):
        return json_objects(path, journal) if is_message(start.value) else json_items(path, journal)
    objects = json_objects(path, journal) if _goes_on(start) else json_lines(path, journal)
    return unwrapped(objects, journal)


def _goes_on(start: Start) -> bool:
    """Whether the first object goes on after its line: it is cut at the line's end, and the next is no object."""
    lines = (line for line in start.text.splitlines() if line.strip())
    first, second = next(lines, ""), next(lines, "{}")
    try:
        json.loads(first)
    except json.JSONDecodeError as error:
        if not first.lstrip().startswith("{") or error.pos < len(first.rstrip()):
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


def _recognises(start: Start) -> bool:
    if start.line.startswith("{"):
        return not has_utterance(start.value)
    value = start.value if start.line.startswith("[") else None
    if is_row(value) or is_message(value):
        return True
    return isinstance(value, dict) and bool(value) and not value.keys() & _OF_OTHERS


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
