"""CamRest676 (Wen et al., 2017): one JSON array of dialogs; read, not written.

``[{"dialogue_id": 0, "finished": "True", "goal": {…}, "dial": [{"turn": 0, "usr": {"transcript": "…", "slu": […]},
"sys": {"sent": "…", "DA": […]}}, …]}]``. Where a system's turn has ``dialog_act``, as ConvLab-2 added it, that is its
acts; ``DA``, if it names acts with slots, is too. What is annotated in the user's turns and goals are not read. The
restaurants stand in a file of their own, ``CamRestDB.json``, which is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.act import Act, Span
from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.annotations import acts_in
from tasksieve.dialogs.formats.assembly import Assembly
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, shown, split_keys, split_said
from tasksieve.dialogs.formats.multiwoz_acts import acts_of_turn
from tasksieve.dialogs.formats.objects import dialog_objects, lose_rest, names_in
from tasksieve.dialogs.formats.utterances import filled

_OLD, _NEW = "DA", "dialog_act"


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    for line, value in dialog_objects(path, journal):
        assembly = Assembly(journal, line)
        turns = value.get("dial") if isinstance(value, dict) else None
        if not isinstance(turns, list):
            assembly.refuse(f"found {shown(value)}; expected an object with a list 'dial'")
            continue
        if not journal.takes(split_said(value)):
            continue
        lose_rest(value, {"dial", "dialogue_id", *split_keys(value)}, "a dialog", journal)
        for number, turn in enumerate(turns, start=1):
            place = f"dialog {shown(value.get('dialogue_id'))}, turn {number}"
            _add(turn, place, assembly, journal)
        yield from assembly.dialog()


def _add(turn: Any, place: str, assembly: Assembly, journal: Journal) -> None:
    said = [turn.get(who) for who in ("usr", "sys")] if isinstance(turn, dict) else []
    user, system = (one if isinstance(one, dict) else None for one in said or (None, None))
    if user is None or system is None:
        assembly.refuse(f"{place}: found {shown(turn)}; expected an object with usr and sys")
        return
    lose_rest(turn, ("usr", "sys", "turn"), "a turn", journal)
    lose_rest(user, ("transcript",), "a user's turn", journal)
    lose_rest(system, ("sent", _OLD, _NEW), "a system's turn", journal)
    assembly.user(user.get("transcript"), place)
    acts, spans = _acts(system, journal)
    assembly.system(system.get("sent"), place, acts=acts, spans=spans)


def _acts(system: dict[str, Any], journal: Journal) -> tuple[tuple[Act, ...], tuple[Span, ...]]:
    if filled(system.get(_NEW)):
        found = acts_of_turn(system, system.get("sent"))
        for lost in found.lost:
            journal.lose(lost)
        return found.acts, found.spans
    named = system.get(_OLD)
    acts = acts_in(named) if isinstance(named, list) and all("(" in str(item) for item in named) else None
    journal.lose(f"'{_OLD}' of a system's turn", int(filled(named) and acts is None))
    return acts or (), ()


def _recognises(start: Start) -> bool:
    return {"dial", "usr", "sys", "transcript"} <= names_in(start)


CAMREST = register(
    Format(
        name="camrest",
        title="CamRest676",
        suffixes=(),
        read=_read,
        write=None,
        recognises=_recognises,
        example='[{"dialogue_id": 0, "dial": [{"turn": 0, "usr": {"transcript": "hi"}, "sys": {"sent": "hello"}}]}]',
        order=40,
    )
)
"""CamRest676."""
