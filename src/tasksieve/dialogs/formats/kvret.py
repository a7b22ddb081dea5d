"""KVRET, the Stanford in-car data (Eric et al., 2017): one JSON array of dialogs; read, not written.

``[{"dialogue": [{"turn": "driver", "data": {"end_dialogue": false, "utterance": "…"}}, {"turn": "assistant", "data":
{"utterance": "…", "requested": {…}, "slots": {…}}}], "scenario": {"kb": {"items": [{…}], "column_names": […],
"kb_title": "…"}, "task": {"intent": "navigate"}, "uuid": "…"}}]``. Each item of the knowledge base is a record of the
task's intent, before the first turn. The assistant's annotations, which are of what the driver said, are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.assembly import Assembly
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, shown, split_keys, split_said
from tasksieve.dialogs.formats.objects import dialog_objects, lose_rest, names_in

_USER, _SYSTEM = "driver", "assistant"
_KEPT = ("utterance", "end_dialogue")


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    for line, value in dialog_objects(path, journal):
        assembly = Assembly(journal, line)
        turns = value.get("dialogue") if isinstance(value, dict) else None
        if not isinstance(turns, list):
            assembly.refuse(f"found {shown(value)}; expected an object with a list 'dialogue'")
            continue
        if not journal.takes(split_said(value)):
            continue
        lose_rest(value, {"dialogue", "scenario", *split_keys(value)}, "a dialog", journal)
        _know(value.get("scenario"), assembly, journal)
        for number, turn in enumerate(turns, start=1):
            _add(turn, f"turn {number}", assembly, journal)
        yield from assembly.dialog()


def _know(scenario: Any, assembly: Assembly, journal: Journal) -> None:
    """The items of the knowledge base, as records."""
    if not isinstance(scenario, dict):
        journal.lose("'scenario' of a dialog", int(bool(scenario)))
        return
    lose_rest(scenario, ("kb", "task", "uuid"), "a scenario", journal)
    base, task = scenario.get("kb"), scenario.get("task")
    if not isinstance(base, dict):
        journal.lose("'kb' of a scenario", int(bool(base)))
        return
    items = base.get("items")
    listed = items if isinstance(items, list) else []
    journal.lose("'items' of a knowledge base", int(bool(items) and not listed))
    lose_rest(base, ("items", "column_names") if listed else ("items",), "a knowledge base", journal)
    intent = task.get("intent") if isinstance(task, dict) else None
    for item in listed:
        assembly.record(intent or "", item, "scenario")


def _add(turn: Any, place: str, assembly: Assembly, journal: Journal) -> None:
    held = turn.get("data") if isinstance(turn, dict) else None
    if not isinstance(held, dict):
        assembly.refuse(f"{place}: found {shown(turn)}; expected an object with turn and data")
        return
    lose_rest(held, _KEPT, "a turn", journal)
    lose_rest(turn, ("turn", "data"), "a turn", journal)
    speaker = turn.get("turn")
    if speaker == _USER:
        assembly.user(held.get("utterance"), place)
    elif speaker == _SYSTEM:
        assembly.system(held.get("utterance"), place)
    else:
        assembly.refuse(f"{place}: found {shown(speaker)}; expected driver or assistant")


def _recognises(start: Start) -> bool:
    return {"dialogue", "turn", "data", "utterance"} <= names_in(start)


KVRET = register(
    Format(
        name="kvret",
        title="KVRET",
        suffixes=(),
        read=_read,
        write=None,
        recognises=_recognises,
        example='[{"dialogue": [{"turn": "driver", "data": {"utterance": "hi"}}, {"turn": "assistant", "data": '
        '{"utterance": "hello"}}], "scenario": {"kb": {"items": [{"poi": "Da Enzo"}]}, "task": {"intent": "go"}}}]',
        order=40,
    )
)
"""The Stanford in-car data."""
