"""ConvLab's unified format, version 3 (``data/unified_datasets`` of ConvLab-3): ``dialogues.json``.

One JSON array of dialogs: ``{"dataset": "camrest", "data_split": "train", "dialogue_id": "camrest-train-0",
"domains": […], "goal": {…}, "turns": [{"speaker": "user", "utterance": "…", "utt_idx": 0, "dialogue_acts": {…},
"state": {…}}, …]}``. Each of the ``db_results`` of a turn is a record of its domain; other annotations are not
read. Notes, for which there is no place, are written as results of a domain ``notes``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.assembly import Context
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.json_text import write_json_items
from tasksieve.dialogs.formats.utterances import Results, as_note, read_utterances, results_of, spoken

_KEPT = frozenset(("speaker", "utterance", "utt_idx", "db_results"))
_DATASET, _SPLIT = "tasksieve", "train"
_OWN_KEYS = {"domains", "data_split", "dataset", "goal"}


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    return read_utterances(path, journal, _results, _KEPT)


def _results(turn: dict[str, Any]) -> Results:
    found = (turn.get("db_results") or {}).items()
    return [(domain, entity) for domain, entities in found for entity in entities]


def _value(dialog: Dialog, number: int) -> dict[str, Any]:
    return {
        "dataset": _DATASET,
        "data_split": _SPLIT,
        "dialogue_id": f"{_DATASET}-{_SPLIT}-{number}",
        "domains": [],
        "goal": {"description": "", "inform": {}, "request": {}},
        "turns": [_turn(place, *said) for place, said in enumerate(spoken(dialog))],
    }


def _turn(place: int, speaker: str, utterance: str, context: Context) -> dict[str, Any]:
    acts: dict[str, list[Any]] = {"categorical": [], "non-categorical": [], "binary": []}
    turn = {"speaker": speaker, "utterance": utterance, "utt_idx": place, "dialogue_acts": acts}
    return {**turn, "state": {}} if speaker == "user" else {**turn, "db_results": _by_domain(context)}


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
    if not (start.line.startswith("[") and isinstance(first, dict)) or "services" in first:
        return False
    return bool(first.keys() & _OWN_KEYS) or _is_lower_case(first)


def _is_lower_case(dialog: dict[str, Any]) -> bool:
    """Whether the speakers are in lower case."""
    turns = dialog.get("turns")
    first = turns[0] if isinstance(turns, list) and turns else None
    return isinstance(first, dict) and first.get("speaker") in ("user", "system")


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
