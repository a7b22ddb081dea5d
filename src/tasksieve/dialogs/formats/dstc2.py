"""The second and third Dialog State Tracking Challenge (Henderson et al., 2014): ``log.json``; read, not written.

A dialog a file: ``{"session-id": "voip-1", "turns": [{"turn-index": 0, "output": {"transcript": "…", "dialog-acts":
[{"act": "request", "slots": [["slot", "area"]]}]}, "input": {"live": {"asr-hyps": [{"asr-hyp": "…"}]}}},
…]}``: the system speaks first in each turn. What the user said stands in ``label.json`` beside it; without that file
the likeliest of what was heard is taken. The system's acts are read, a slot each. Other hypotheses, labels and times
are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.annotations import UNPLACED_VALUE, UNREAD_ACT
from tasksieve.dialogs.formats.assembly import Assembly
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, JournalFull, shown
from tasksieve.dialogs.formats.json_text import json_objects
from tasksieve.dialogs.formats.objects import listed, lose_rest, names_in
from tasksieve.errors import UserError

LABELS = "label.json"
_NAMED = "slot"
_OF_SESSION = ("session-id", "turns")


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    for line, value in json_objects(path, journal):
        assembly = Assembly(journal, line)
        turns = value.get("turns") if isinstance(value, dict) else None
        if not isinstance(turns, list):
            assembly.refuse(f"found {shown(value)}; expected an object with a list 'turns'")
            continue
        lose_rest(value, _OF_SESSION, "a session", journal)
        spoken = _spoken_beside(path, journal)
        for number, turn in enumerate(turns):
            _add(turn, spoken.get(number), f"turn {number + 1}", assembly, journal)
        yield from assembly.dialog()


def _add(turn: Any, spoken: str | None, place: str, assembly: Assembly, journal: Journal) -> None:
    output, heard = (turn.get(name) for name in ("output", "input")) if isinstance(turn, dict) else (None, None)
    if not isinstance(output, dict):
        assembly.refuse(f"{place}: found {shown(turn)}; expected an object with output and input")
        return
    lose_rest(output, ("transcript", "dialog-acts"), "an output", journal)
    acts = [act for item in listed(output.get("dialog-acts")) for act in _acts(item, journal)]
    assembly.system(output.get("transcript"), place, acts=acts)
    if spoken is None:
        spoken = _heard(heard)
        journal.lose("what the user said, instead of which what was heard is read", int(spoken is not None))
    if spoken is not None:
        assembly.user(spoken, place)


def _acts(item: Any, journal: Journal) -> Iterator[Act]:
    """An act for each of its slots, or one without; ``[["slot", "area"]]`` is the slot ``area``."""
    name = item.get("act") if isinstance(item, dict) else None
    if not isinstance(name, str):
        journal.lose(UNREAD_ACT)
        return
    for pair in listed(item.get("slots")) or [("", "")]:
        slot, value = pair if isinstance(pair, (list, tuple)) and len(pair) == 2 else (None, None)
        if not isinstance(slot, str):
            journal.lose(UNREAD_ACT)
        elif slot == _NAMED and isinstance(value, str):
            yield Act(name, value)
        else:
            journal.lose(UNPLACED_VALUE, int(bool(value)))
            yield Act(name, slot)


def _heard(heard: Any) -> str | None:
    """The likeliest words of an input, which stand first; None if there are none."""
    live = heard.get("live") if isinstance(heard, dict) else None
    found = listed(live.get("asr-hyps")) if isinstance(live, dict) else []
    best = found[0].get("asr-hyp") if found and isinstance(found[0], dict) else None
    return best if isinstance(best, str) else None


def _spoken_beside(path: Path, journal: Journal) -> dict[int, str]:
    """What the user said by the number of the turn, from the file of labels; empty if there is none."""
    file = path.with_name(LABELS)
    if file == path or not file.is_file():
        return {}
    labels, spoken = Journal(file, collect=True), {}
    try:
        for _, value in json_objects(file, labels):
            turns = value.get("turns") if isinstance(value, dict) else None
            for number, turn in enumerate(listed(turns)):
                words = turn.get("transcription") if isinstance(turn, dict) else None
                if isinstance(words, str):
                    spoken[number] = words
    except (UserError, JournalFull, RecursionError) as error:
        labels.problems.append(error if isinstance(error, UserError) else UserError("cannot be read", file))
    for problem in labels.problems[:1]:
        journal.refuse(f"the labels beside it cannot be read: {problem}; mend that file, or take it away")
    return spoken


def _recognises(start: Start) -> bool:
    return start.line.startswith("{") and {"session-id", "turns", "output", "transcript"} <= names_in(start)


DSTC2 = register(
    Format(
        name="dstc2",
        title="Dialog State Tracking Challenge 2",
        suffixes=(),
        read=_read,
        write=None,
        recognises=_recognises,
        example='{"session-id": "voip-1", "turns": [{"turn-index": 0, "output": {"transcript": "hello"}}]}',
        order=40,
    )
)
"""The second Dialog State Tracking Challenge."""
