"""Dialogs as plain values for JSON and back, with all that they hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tasksieve.dialogs.act import Act, Span
from tasksieve.dialogs.dialog import Dialog, Turn
from tasksieve.dialogs.record import Note, Record, Value

_RECORD, _NOTE, _AFTER = "record", "note", "told_after"


def plain_dialog(dialog: Dialog) -> dict[str, Any]:
    """A dialog as JSON can hold it.

    >>> dialog_of(plain_dialog(Dialog((Turn("hello", "hi"), Note("a note"))))).turns[0].system
    'hi'
    """
    return {"profile": list(dialog.profile), "line": dialog.line, "events": [_event(one) for one in dialog.events]}


def dialog_of(value: dict[str, Any]) -> Dialog:
    """The dialog that :func:`plain_dialog` was given. Raises: KeyError, TypeError, ValueError: if it is none."""
    events = tuple(_event_of(one) for one in value["events"])
    return Dialog(events, tuple(map(str, value["profile"])), int(value["line"]))


def _event(event: Turn | Record | Note) -> dict[str, Any]:
    if isinstance(event, Note):
        return {_NOTE: event.text}
    if isinstance(event, Record):
        return {_RECORD: event.kind, "fields": _fields(event)}
    return {
        "user": event.user,
        "system": event.system,
        "learned": event.learned,
        "acts": [[act.name, act.slot] for act in event.acts],
        "spans": [[span.slot, span.start, span.end] for span in event.spans],
        "candidates": list(event.candidates),
        **({_AFTER: event.told_after} if event.told_after else {}),
    }


def _event_of(value: dict[str, Any]) -> Turn | Record | Note:
    if _NOTE in value:
        return Note(value[_NOTE])
    if _RECORD in value:
        return Record(value[_RECORD], _fields_of(value["fields"]))
    acts = tuple(Act(name, slot) for name, slot in value["acts"])
    spans = tuple(Span(slot, start, end) for slot, start, end in value["spans"])
    candidates, after = tuple(value["candidates"]), int(value.get(_AFTER, 0))
    return Turn(value["user"], value["system"], value["learned"], acts, spans, candidates, after)


def _fields(record: Record) -> list[list[Any]]:
    return [[name, _value(value)] for name, value in record.fields]


def _value(value: Value) -> Any:
    if isinstance(value, Record):
        return {"kind": value.kind, "fields": _fields(value)}
    return value if isinstance(value, str) else [_value(one) for one in value]


def _fields_of(fields: Sequence[Sequence[Any]]) -> tuple[tuple[str, Value], ...]:
    return tuple((name, _value_of(value)) for name, value in fields)


def _value_of(value: Any) -> Value:
    if isinstance(value, dict):
        return Record(value["kind"], _fields_of(value["fields"]))
    return value if isinstance(value, str) else tuple(map(_value_of, value))
