"""Dialogs as Rasa's stories."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from tasksieve.dialogs.dialog import SILENCE, Dialog, Turn
from tasksieve.dialogs.formats.annotations import plain_acts
from tasksieve.dialogs.formats.assembly import PROFILE_LINE, Context, before_and_after, told_text, turns_with_context
from tasksieve.dialogs.formats.rasa_steps import LOOP, LOOP_NAME, MARKS, PROFILE, SLOTS, TOLD, action_act
from tasksieve.dialogs.record import Note, Record

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_ACTION = re.compile(r"\w+(?:/\S+)?")
_UTTER = "utter_"
"""How the names of actions start that may have words of their own."""
_INTENT = re.compile(r"/([\w./+-]+)(\{.*\})?", re.DOTALL)


def write_stories(dialogs: Iterable[Dialog], path: Path) -> None:
    """Write dialogs, one story each, with the words of their actions at the end."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('version: "3.1"\n\nstories:\n')
        said: dict[str, str] = {}
        for number, dialog in enumerate(dialogs, start=1):
            story = {"story": f"dialog {number}", "steps": list(_steps(dialog, said))}
            file.write(_dumped([story]) + "\n")
        if responses := {name: [{"text": text}] for name, text in said.items() if text != name}:
            file.write(_dumped({"responses": responses}))


def _dumped(value: Any) -> str:
    text: str = yaml.dump(value, Dumper=_DUMPER, allow_unicode=True, sort_keys=False, width=10**6)
    return text


def _steps(dialog: Dialog, said: dict[str, str]) -> Iterator[dict[str, Any]]:
    for context, turn in turns_with_context(dialog):
        before, after = before_and_after(context, turn)
        yield from _slot_steps(before)
        if turn is None:
            return
        if turn.user != SILENCE:
            yield _user_step(turn.user)
        yield from _slot_steps(after)
        name = _action(turn)
        kept = name is not None and said.setdefault(name, turn.system) == turn.system
        yield {"action": name} if kept else {"bot": turn.system}


def _action(turn: Turn) -> str | None:
    """The name of the action that a turn is: its response is that name, or the words of that one act. Or None."""
    if turn.acts == plain_acts([action_act(turn.system)]):
        name = turn.system
    elif len(turn.acts) == 1 and turn.acts[0].name.startswith(_UTTER):
        name = "/".join(filter(None, (turn.acts[0].name, turn.acts[0].slot)))
    else:
        return None
    return name if _ACTION.fullmatch(name) and turn.acts == plain_acts([action_act(name)]) else None


def _slot_steps(context: Context) -> Iterator[dict[str, Any]]:
    """A step for each record of slots and each form, and one for each run of other records and notes."""
    for own, events in itertools.groupby(context, _is_step):
        if own:
            yield from (_record_step(event) for event in events if isinstance(event, Record))
        else:
            yield {"slot_was_set": [_told_slot(event) for event in events]}


def _is_step(event: Record | Note) -> TypeGuard[Record]:
    """Whether it is a record that is read back from a step of its own as it is."""
    if isinstance(event, Note) or not all(Record("", (field,)).is_plain for field in event.fields):
        return False
    names = [name for name, _ in event.fields]
    if event.kind == LOOP:
        return names == [LOOP_NAME]
    return event.kind == SLOTS and bool(names) and not {TOLD, PROFILE}.intersection(names)


def _record_step(record: Record) -> dict[str, Any]:
    if record.kind == LOOP:
        return {LOOP: record.plain()[LOOP_NAME]}
    return {"slot_was_set": _slots(record)}


def _slots(record: Record) -> list[dict[str, Any]]:
    return [Record(SLOTS, (field,)).plain() for field in record.fields]


def _told_slot(event: Record | Note) -> dict[str, str]:
    text = told_text(event)
    return {PROFILE: text.removeprefix(PROFILE_LINE)} if text.startswith(PROFILE_LINE) else {TOLD: text}


def _user_step(user: str) -> dict[str, Any]:
    intent = _INTENT.fullmatch(user)
    try:
        values = json.loads(intent[2] or "{}") if intent else None
    except (ValueError, RecursionError):
        values = None
    if not intent or not isinstance(values, dict):
        return {"user": user}
    entities = [_entity(name, value) for name, given in values.items() for value in _several(given)]
    return {"intent": intent[1]} | ({"entities": entities} if entities else {})


def _several(given: Any) -> list[Any]:
    return given if isinstance(given, list) and len(given) > 1 else [given]


def _entity(name: str, value: Any) -> dict[str, Any]:
    """An entity as :func:`_entities` reads it; what is neither text, list nor object becomes text."""
    if isinstance(value, dict) and "value" in value and value.keys() <= {"value", *MARKS} and len(value) > 1:
        return {name: _yaml(value["value"])} | {mark: _yaml(value[mark]) for mark in MARKS if mark in value}
    return {name: _yaml(value)}


def _yaml(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _yaml(inner) for name, inner in value.items()}
    return [_yaml(inner) for inner in value] if isinstance(value, list) else str(value)
