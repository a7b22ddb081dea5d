"""Schema-Guided Dialogue (Rastogi et al., 2020) and MultiWOZ 2.2, which shares its form.

A file is one JSON array of dialogs: ``{"dialogue_id": "1_00000", "services": […], "turns": [{"speaker": "USER",
"utterance": "…", "frames": […]}, …]}``. Each of the ``service_results`` in a turn's frames is a record of its
service; the ``actions`` and ``slots`` of a system's turn are its acts and the places of values in it. MultiWOZ 2.2
has acts in a file of their own, which :mod:`tasksieve.dialogs.formats.multiwoz_acts` reads. Other annotations (those
of the user's turns, state, service calls) are not read. Notes, for which there is no place, are written as results of
a service ``notes``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.act import Act, Span
from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.annotations import (
    UNPLACED_VALUE,
    UNREAD_ACT,
    UNREAD_PLACE,
    act_in,
    span_in,
    spans_written,
)
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.json_text import write_json_items
from tasksieve.dialogs.formats.multiwoz_acts import NAME as ACTS_FILE
from tasksieve.dialogs.formats.multiwoz_acts import ActsBeside
from tasksieve.dialogs.formats.objects import listed
from tasksieve.dialogs.formats.speakers import SYSTEM, USER
from tasksieve.dialogs.formats.utterances import (
    Annotated,
    Place,
    Results,
    Spoken,
    filled,
    has_utterance,
    read_utterances,
    results_of,
    speaker_of,
    spoken,
)

_KEPT = frozenset(("speaker", "utterance", "frames", "turn_id"))
_ACTIONS, _SLOTS = "actions", "slots"
_LOST = {SYSTEM: ("state", "service_call"), USER: (_ACTIONS, _SLOTS, "state", "service_call")}
_OF_ACTION = {"act", "slot", "values"}
_READ_OF_FRAMES = {"service", "service_results", "state", "service_call", _ACTIONS, _SLOTS}


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    return read_utterances(path, journal, _Frames(path, journal), _KEPT)


class _Frames:
    """What the frames of a turn hold, and what is said of the turn elsewhere."""

    def __init__(self, path: Path, journal: Journal) -> None:
        self._journal = journal
        self._beside = ActsBeside(path, journal)

    def __call__(self, turn: dict[str, Any], at: Place) -> Annotated:
        speaker = speaker_of(turn)
        results: Results = []
        acts: list[Act] = []
        spans: list[Span] = []
        for frame in turn.get("frames") or []:
            for name in frame.keys() - _READ_OF_FRAMES:
                self._journal.lose(f"'{name}' in the frames of a turn", int(filled(frame[name])))
            for name in _LOST.get(speaker, ()):
                if filled(frame.get(name)):
                    whose = "a user's turn" if name in (_ACTIONS, _SLOTS) else "a turn"
                    self._journal.lose(f"'{name}' in the frames of {whose}")
            results += _results(frame)
            if speaker == SYSTEM:
                places = self._spans(frame)
                spans += places
                acts += self._acts(frame, {span.slot for span in places})
        beside = self._beside.of(at.dialog, str(turn.get("turn_id", at.number - 1)))
        if speaker != SYSTEM:
            self._journal.lose(f"acts of a user's turn in {ACTS_FILE}", int(bool(beside.acts)))
            return Annotated(results)
        if acts:
            return Annotated(results, acts, spans)
        for lost in beside.lost:
            self._journal.lose(lost)
        if not beside.spans:
            return Annotated(results, beside.acts, spans)
        known = {(span.start, span.end) for span in beside.spans}
        unknown = sum((span.start, span.end) not in known for span in spans)
        self._journal.lose(f"place of a value that {ACTS_FILE} does not have", unknown)
        return Annotated(results, beside.acts, beside.spans)

    def _spans(self, frame: dict[str, Any]) -> list[Span]:
        places = listed(frame.get(_SLOTS))
        spans = [span for span in map(span_in, places) if span is not None]
        self._journal.lose(UNREAD_PLACE, len(places) - len(spans))
        return spans

    def _acts(self, frame: dict[str, Any], in_place: set[str]) -> Iterator[Act]:
        for action in listed(frame.get(_ACTIONS)):
            act = act_in(action)
            if act is None:
                self._journal.lose(UNREAD_ACT)
                continue
            if isinstance(action, dict):
                if act.slot not in in_place and filled(action.get("values")):
                    self._journal.lose(UNPLACED_VALUE)
                for key in action.keys() - _OF_ACTION:
                    others = filled(action[key]) and action[key] != action.get("values")
                    self._journal.lose(f"'{key}' of an act", int(others))
            yield act


def _results(frame: dict[str, Any]) -> Iterator[tuple[object, Any]]:
    """What a service answered; an empty record if it was asked and found nothing."""
    service, found = frame.get("service", ""), frame.get("service_results")
    if found is not None:
        yield from ((service, result) for result in found or [{}])


def _value(dialog: Dialog, number: int) -> dict[str, Any]:
    turns = [
        {"speaker": said.speaker.upper(), "utterance": said.utterance, "frames": _frames(said)}
        for said in spoken(dialog)
    ]
    return {"dialogue_id": str(number), "services": [], "turns": turns}


def _frames(said: Spoken) -> list[dict[str, Any]]:
    """A frame for each run of results of one service; the acts stand in the first."""
    runs = itertools.groupby(results_of(said.context), lambda result: result[0])
    frames: list[dict[str, Any]] = [
        {"service": service, _SLOTS: [], _ACTIONS: [], "service_results": [values for _, values in run]}
        for service, run in runs
    ]
    if said.acts or said.spans:
        frames = frames or [{"service": ""}]
        actions = [_action(act, said) for act in said.acts]
        frames[0] |= {_SLOTS: spans_written(said.spans), _ACTIONS: actions}
    return frames


def _action(act: Act, said: Spoken) -> dict[str, Any]:
    """An act in upper case, as the published files have it, if it is read back from that."""
    upper = act.name.upper()
    values = [said.utterance[span.start : span.end] for span in said.spans if span.slot == act.slot]
    name = upper if upper.lower() == act.name else act.name
    return {"act": name, "slot": act.slot, "values": values, "canonical_values": []}


def _write(dialogs: Iterable[Dialog], path: Path) -> None:
    write_json_items((_value(dialog, number) for number, dialog in enumerate(dialogs)), path)


def _recognises(start: Start) -> bool:
    return start.line.startswith("[") or has_utterance(start.value)


_EXAMPLE = '[{"dialogue_id": "1", "services": [], "turns": [{"speaker": "USER", "utterance": "hi", "frames": []}]}]'

SGD = register(
    Format(
        name="sgd",
        title="Schema-Guided / MultiWOZ 2.2",
        suffixes=(".json",),
        read=_read,
        write=_write,
        recognises=_recognises,
        example=_EXAMPLE,
        order=90,
    )
)
"""Schema-Guided Dialogue and MultiWOZ 2.2."""
