"""ConvLab's unified format, version 3 (``data/unified_datasets`` of ConvLab-3): ``dialogues.json``.

One JSON array of dialogs: ``{"dataset": "camrest", "data_split": "train", "dialogue_id": "camrest-train-0",
"domains": […], "goal": {…}, "turns": [{"speaker": "user", "utterance": "…", "utt_idx": 0, "dialogue_acts": {…},
"state": {…}}, …]}``. Each of the ``db_results`` of a turn is a record of its domain; the ``dialogue_acts`` of a
system's turn are its acts, those with ``start`` and ``end`` the places of values in it. What was ``booked`` is a
record too, once it is new. Other annotations are not read. Notes, for which there is no place, are written as results
of a domain ``notes``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.act import Act, Span
from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.annotations import UNPLACED_VALUE, UNREAD_ACT, act_in, span_in
from tasksieve.dialogs.formats.assembly import Context
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.json_text import write_json_items
from tasksieve.dialogs.formats.message_shapes import has_words
from tasksieve.dialogs.formats.speakers import SYSTEM, USER
from tasksieve.dialogs.formats.utterances import (
    Annotated,
    Place,
    Results,
    Spoken,
    as_note,
    filled,
    read_utterances,
    results_of,
    speaker_of,
    spoken,
)

_KEPT = frozenset(("speaker", "utterance", "utt_idx", "db_results", "booked", "dialogue_acts"))
_DATASET, _SPLIT = "tasksieve", "train"
_CATEGORICAL, _WITH_PLACE, _BINARY = _KINDS = ("categorical", "non-categorical", "binary")
_OF_ACT = {"intent", "slot", "value", "start", "end"}
_OWN_KEYS = {"domains", "data_split", "dataset", "goal"}


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    booked: Results = []

    def annotations(turn: dict[str, Any], at: Place) -> Annotated:
        if at.number == 1:
            booked.clear()
        new = [booking for booking in _results(turn.get("booked")) if booking not in booked]
        booked.extend(new)
        results: Results = [*_results(turn.get("db_results")), *new]
        if speaker_of(turn) == SYSTEM:
            return Annotated(results, *_acts(turn.get("dialogue_acts"), journal))
        journal.lose("'dialogue_acts' of a user's turn", int(filled(turn.get("dialogue_acts"))))
        return Annotated(results)

    return read_utterances(path, journal, annotations, _KEPT)


def _results(by_domain: Any) -> Results:
    """Entities with their domains, of which there may be a list each or one alone."""
    found = (by_domain or {}).items()
    return [
        (domain, entity)
        for domain, entities in found
        for entity in ([entities] if isinstance(entities, dict) else entities)
    ]


def _acts(kinds: Any, journal: Journal) -> tuple[list[Act], list[Span]]:
    """Acts in the order of the file, whatever their kind, and the places of their values."""
    acts: list[Act] = []
    spans: list[Span] = []
    for kind, listed in kinds.items() if isinstance(kinds, dict) else [("", kinds)]:
        if kind not in _KINDS or not isinstance(listed, list):
            journal.lose(UNREAD_ACT, int(filled(listed)))
            continue
        for item in listed:
            act, span = act_in(item), span_in(item)
            if act is None or not isinstance(item, dict):
                journal.lose(UNREAD_ACT)
                continue
            acts.append(act)
            if span is not None:
                spans.append(span)
            elif filled(item.get("value")):
                journal.lose(UNPLACED_VALUE)
            for key in item.keys() - _OF_ACT:
                journal.lose(f"'{key}' of an act", int(filled(item[key])))
    return acts, spans


def _value(dialog: Dialog, number: int) -> dict[str, Any]:
    return {
        "dataset": _DATASET,
        "data_split": _SPLIT,
        "dialogue_id": f"{_DATASET}-{_SPLIT}-{number}",
        "domains": [],
        "goal": {"description": "", "inform": {}, "request": {}},
        "turns": [_turn(place, said) for place, said in enumerate(spoken(dialog))],
    }


def _turn(place: int, said: Spoken) -> dict[str, Any]:
    turn = {
        "speaker": said.speaker,
        "utterance": said.utterance,
        "utt_idx": place,
        "dialogue_acts": _kinds(said),
    }
    found = {"db_results": _by_domain(said.context)} if said.context or said.speaker != USER else {}
    return turn | found | ({"state": {}} if said.speaker == USER else {})


def _kinds(said: Spoken) -> dict[str, list[dict[str, Any]]]:
    """Acts with a place for each value of their slot, or else binary; the kind of the first act comes first."""
    placed: list[dict[str, Any]] = []
    binary: list[dict[str, Any]] = []
    left = list(said.spans)
    for act in said.acts:
        written = {"intent": act.name, "domain": "", "slot": act.slot}
        spans = [span for span in left if span.slot == act.slot]
        left = [span for span in left if span.slot != act.slot]
        for span in spans:
            value = said.utterance[span.start : span.end]
            placed.append({**written, "value": value, "start": span.start, "end": span.end})
        if not spans:
            binary.append(written)
    if said.acts and said.acts[0].slot not in {span.slot for span in said.spans}:
        return {_CATEGORICAL: [], _BINARY: binary, _WITH_PLACE: placed}
    return {_CATEGORICAL: [], _WITH_PLACE: placed, _BINARY: binary}


def _by_domain(context: Context) -> dict[str, list[dict[str, Any]]]:
    """Results by domain, in their order; where domains alternate, which would lose it, all as notes."""
    results = results_of(context)
    by_domain: dict[str, list[dict[str, Any]]] = {}
    for domain, values in results:
        by_domain.setdefault(domain, []).append(values)
    read = [domain for domain, entities in by_domain.items() for _ in entities]
    if read == [domain for domain, _ in results]:
        return by_domain
    notes = [as_note(event) for event in context]
    return {domain: [values for _, values in notes] for domain, _ in notes}


def _write(dialogs: Iterable[Dialog], path: Path) -> None:
    write_json_items((_value(dialog, number) for number, dialog in enumerate(dialogs)), path)


def _recognises(start: Start) -> bool:
    first = start.value
    if not isinstance(first, dict) or "services" in first:
        return False
    turns = first.get("turns")
    begun = turns[0] if isinstance(turns, list) and turns else None
    if not isinstance(turns, list) or (has_words(begun) and "utterance" not in begun):
        return False
    lower_case = isinstance(begun, dict) and begun.get("speaker") in ("user", "system")
    return lower_case or bool(first.keys() & _OWN_KEYS)


CONVLAB = register(
    Format(
        name="convlab",
        title="ConvLab unified",
        suffixes=(".convlab",),
        read=_read,
        write=_write,
        recognises=_recognises,
        example='[{"dialogue_id": "a-train-0", "domains": [], "turns": [{"speaker": "user", "utterance": "hi"}]}]',
    )
)
"""ConvLab's unified format."""
