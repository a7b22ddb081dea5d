"""ABCD, action-based conversations of a shop (Chen et al., 2021): ``abcd_v1.1.json``; read, not written.

One JSON object with a list of conversations for each split: ``{"train": [{"convo_id": 1, "scenario": {…}, "original":
[["agent", "…"], ["customer", "…"], ["action", "Account has been pulled up for Ann."]], "delexed": [{"speaker":
"action", "targets": ["return_size", "take_action", "pull-up-account", ["ann"], -1]}, …]}], "dev": […], …}``.
An action is a call of a tool with its values, ``api_call pull-up-account ["ann"]``, and what is shown of it a note.
Scenarios, candidates and what else ``delexed`` says are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.assembly import Assembly
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, shown, split_said
from tasksieve.dialogs.formats.json_text import json_listed
from tasksieve.dialogs.formats.objects import dialog_objects, lose_rest, names_in
from tasksieve.dialogs.formats.tools import calls

_USER, _SYSTEM, _DONE = "customer", "agent", "action"
_READ = ("convo_id", "original", "delexed")
_OF_TARGETS = 5
"""Intent, kind of step, action, its values, and the utterance."""


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    for line, split, value in _conversations(path, journal):
        assembly = Assembly(journal, line)
        said = value.get("original") if isinstance(value, dict) else None
        if not isinstance(said, list):
            assembly.refuse(f"found {shown(value)}; expected an object with a list 'original'")
            continue
        if not journal.takes(split):
            continue
        lose_rest(value, _READ, "a conversation", journal)
        actions = list(_actions(value.get("delexed"), len(said), journal))
        for number, (one, action) in enumerate(zip(said, actions, strict=True), start=1):
            _add(one, action, f"conversation {shown(value.get('convo_id'))}, line {number}", assembly)
        yield from assembly.dialog()


def _conversations(path: Path, journal: Journal) -> Iterator[tuple[int, object, Any]]:
    """Each with its line and split: those of an object of splits, of a list, or of lines."""
    start = Start(path)
    if start.line.startswith("[") or (isinstance(start.value, dict) and "original" in start.value):
        for line, value in dialog_objects(path, journal):
            yield line, split_said(value) if isinstance(value, dict) else None, value
    else:
        yield from json_listed(path, journal)


def _actions(delexed: Any, length: int, journal: Journal) -> Iterator[dict[str, Any] | None]:
    """The call that each line is, None for one that is none; what says it stands line by line beside the words."""
    lines = delexed if isinstance(delexed, list) and len(delexed) == length else []
    journal.lose("'delexed' of a conversation that does not fit its lines", int(not lines and bool(delexed)))
    for number in range(length):
        line = lines[number] if lines else None
        targets = line.get("targets") if isinstance(line, dict) else None
        if isinstance(targets, list) and len(targets) == _OF_TARGETS and isinstance(targets[2], str) and targets[2]:
            yield {"name": targets[2], "arguments": targets[3] or None}
        else:
            yield None


def _add(one: Any, action: dict[str, Any] | None, place: str, assembly: Assembly) -> None:
    speaker, words = one if isinstance(one, list) and len(one) == 2 else (None, None)
    if speaker == _USER:
        assembly.user(words, place)
    elif speaker == _SYSTEM:
        assembly.system(words, place)
    elif speaker == _DONE:
        if action is not None and action["name"].strip():
            (call,) = calls({"tool_calls": [action]})
            assembly.system(call.text, place, acts=[Act("call", call.name)])
        assembly.told(words, place)
    else:
        assembly.refuse(f"{place}: found {shown(one)}; expected agent, customer or action, and words")


def _recognises(start: Start) -> bool:
    return {"convo_id", "original"} <= names_in(start)


ABCD = register(
    Format(
        name="abcd",
        title="ABCD",
        suffixes=(),
        read=_read,
        write=None,
        recognises=_recognises,
        example='{"train": [{"convo_id": 1, "original": [["customer", "hi"], ["agent", "hello"]], "delexed": []}]}',
        order=40,
    )
)
"""ABCD."""
