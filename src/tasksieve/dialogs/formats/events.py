"""STAR (Mosig et al., 2020) and BiTOD (Lin et al., 2021), which list what happens as events; read, not written.

STAR has a dialog a file, ``dialogues/1.json``; BiTOD has a dialog under each name, ``en_train.json``::

    {"DialogueID": 1, "Scenario": {…}, "Events": [{"Agent": "User", "Action": "utter", "Text": "…"},
      {"Agent": "Wizard", "Action": "pick_suggestion", "ActionLabel": "ask_name", "Text": "…"},
      {"Agent": "Wizard", "Action": "query", "API": "bank", "Constraints": [{"Name": "Ann"}]},
      {"Agent": "KnowledgeBase", "Item": {"Balance": 10}, "TotalItems": 1}]}
    {"English_1": {"Scenario": {…}, "Events": [{"Agent": "Wizard", "Actions": [{"act": "request", "slot": "stars"}],
      "Text": "…"}, {"Agent": "Wizard", "Actions": "query", "API": "hotels", "Constraints": [{"stars": "3"}]}]}}

A query is a call of a tool, ``api_call bank {"Name":"Ann"}``, and the item that comes back a record of that name. Not
read: scenarios, what the user is told to do, suggestions that the wizard did not take, states, the user's acts.
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
from tasksieve.dialogs.formats.journal import Journal, shown
from tasksieve.dialogs.formats.json_text import json_entries
from tasksieve.dialogs.formats.objects import dialog_objects, listed, lose_rest, names_in
from tasksieve.dialogs.formats.tools import calls
from tasksieve.dialogs.formats.utterances import filled

_EVENTS, _QUERY, _ITEM = "Events", "query", "Item"
_USER, _SYSTEM, _BASE = "User", "Wizard", "KnowledgeBase"
_SAID = ("utter", "pick_suggestion")
_OF_USER = ("Agent", "Action", "Text", "UnixTime")
_OF_SYSTEM = (*_OF_USER, "Actions", "ActionLabel")
_OF_QUERY = ("Agent", "Action", "Actions", "API", "Constraints", "UnixTime")
_OF_BASE = ("Agent", "Action", _ITEM, "UnixTime")
_IDS = (_EVENTS, "DialogueID", "FORMAT-VERSION", "BatchID", "AnonymizedUserWorkerID", "AnonymizedWizardWorkerID")


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    if Start(path).line.startswith("["):
        for line, value in dialog_objects(path, journal):
            yield from _dialog(value, "", line, journal)
        return
    for line, name, value in json_entries(path, journal):
        if name == _EVENTS:
            yield from _dialog({_EVENTS: value}, "", line, journal)
        elif isinstance(value, dict) and _EVENTS in value:
            yield from _dialog(value, f"dialog {shown(name)}, ", line, journal)
        else:
            lose_rest({name: value}, _IDS, "a dialog", journal)


def _dialog(value: Any, place: str, line: int, journal: Journal) -> Iterator[Dialog]:
    assembly = Assembly(journal, line)
    events = value.get(_EVENTS) if isinstance(value, dict) else None
    if not isinstance(events, list):
        assembly.refuse(f"{place}found {shown(value)}; expected an object with a list '{_EVENTS}'")
    else:
        lose_rest(value, _IDS, "a dialog", journal)
        reading = _Happening(assembly, journal)
        for number, event in enumerate(events, start=1):
            reading.add(event, f"{place}event {number}")
    yield from assembly.dialog()


class _Happening:
    """The events of one dialog."""

    def __init__(self, assembly: Assembly, journal: Journal) -> None:
        self._assembly = assembly
        self._journal = journal
        self._asked = ""

    def add(self, event: Any, place: str) -> None:
        if not isinstance(event, dict):
            self._assembly.refuse(f"{place}: found {shown(event)}; expected an object with Agent and Text")
            return
        agent, doing = event.get("Agent"), event.get("Action")
        if agent == _SYSTEM and _QUERY in (doing, event.get("Actions")):
            self._query(event, place)
        elif agent == _BASE:
            self._answer(event, place)
        elif doing not in (None, *_SAID) or agent not in (_USER, _SYSTEM):
            self._journal.lose(f"event {shown(doing)} of {shown(agent)}")
        elif agent == _USER:
            lose_rest(event, _OF_USER, "a user's event", self._journal)
            self._assembly.user(event.get("Text"), place)
        else:
            lose_rest(event, _OF_SYSTEM, "a wizard's event", self._journal)
            self._assembly.system(event.get("Text"), place, acts=list(self._acts(event)))

    def _query(self, event: dict[str, Any], place: str) -> None:
        """A query is a call of the tool that is asked."""
        lose_rest(event, _OF_QUERY, "a query", self._journal)
        asked = {"name": event.get("API"), "arguments": _merged(event.get("Constraints"))}
        try:
            (call,) = calls({"tool_calls": [asked]})
        except ValueError:
            self._assembly.refuse(f"{place}: found a query of {shown(event.get('API'))}; expected the name of an API")
            return
        self._asked = call.name
        self._assembly.system(call.text, place, acts=[Act("call", call.name)])

    def _answer(self, event: dict[str, Any], place: str) -> None:
        """What the base answered, as records; an empty one if it found nothing."""
        lose_rest(event, _OF_BASE, "an answer", self._journal)
        item = event.get(_ITEM)
        for one in listed(item) if filled(item) else [{}]:
            if isinstance(one, dict):
                self._assembly.record(self._asked, one, place)
            else:
                self._assembly.told(str(one), place)

    def _acts(self, event: dict[str, Any]) -> Iterator[Act]:
        label = event.get("ActionLabel")
        if isinstance(label, str) and label:
            yield Act(label)
        else:
            self._journal.lose(UNREAD_ACT, int(filled(label)))
        for act in listed(event.get("Actions")):
            name, slot = (act.get("act"), act.get("slot")) if isinstance(act, dict) else (None, None)
            if not isinstance(name, str):
                self._journal.lose(UNREAD_ACT)
                continue
            lose_rest(act, ("act", "slot", "value"), "an act", self._journal)
            self._journal.lose(UNPLACED_VALUE, int(filled(act.get("value"))))
            yield Act(name, slot if isinstance(slot, str) else "")


def _merged(constraints: Any) -> Any:
    """Constraints as one object, if no two of them are of one name; else as they are."""
    if not isinstance(constraints, list) or not all(isinstance(one, dict) for one in constraints):
        return constraints
    merged = {name: value for one in constraints for name, value in one.items()}
    return merged if len(merged) == sum(map(len, constraints)) else constraints


def _recognises(start: Start) -> bool:
    return {_EVENTS, "Agent"} <= names_in(start)


EVENTS = register(
    Format(
        name="events",
        title="STAR / BiTOD",
        suffixes=(),
        read=_read,
        write=None,
        recognises=_recognises,
        example='{"DialogueID": 1, "Events": [{"Agent": "User", "Action": "utter", "Text": "hi"}, '
        '{"Agent": "Wizard", "Action": "utter", "Text": "hello"}]}',
        order=40,
        dialog_each=True,
    )
)
"""STAR and BiTOD."""
