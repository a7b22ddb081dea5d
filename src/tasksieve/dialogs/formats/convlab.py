"""ConvLab's unified format, version 3 (``data/unified_datasets`` of ConvLab-3): ``dialogues.json``.

One JSON array of dialogs: ``{"dataset": "camrest", "data_split": "train", "dialogue_id": "camrest-train-0",
"domains": […], "goal": {…}, "turns": [{"speaker": "user", "utterance": "…", "utt_idx": 0, "dialogue_acts": {…},
"state": {…}}, …]}``. ``db_results`` of a system turn are facts, one an entity; other annotations are not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.format import Format
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.json_text import write_json_items
from tasksieve.dialogs.formats.utterances import read_utterances, result_line, result_of, spoken

_KEPT = frozenset(("speaker", "utterance", "utt_idx", "db_results"))
_DATASET, _SPLIT, _DOMAIN = "tasksieve", "train", "facts"


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    return read_utterances(path, journal, _results, _KEPT)


def _results(turn: dict[str, Any]) -> list[str]:
    found = (turn.get("db_results") or {}).items()
    return [result_line(str(domain), entity) for domain, entities in found for entity in entities]


def _value(dialog: Dialog, number: int) -> dict[str, Any]:
    return {
        "dataset": _DATASET,
        "data_split": _SPLIT,
        "dialogue_id": f"{_DATASET}-{_SPLIT}-{number}",
        "domains": [],
        "goal": {"description": "", "inform": {}, "request": {}},
        "turns": [_turn(place, *said) for place, said in enumerate(spoken(dialog))],
    }


def _turn(place: int, speaker: str, utterance: str, facts: list[str]) -> dict[str, Any]:
    acts: dict[str, list[Any]] = {"categorical": [], "non-categorical": [], "binary": []}
    turn = {"speaker": speaker, "utterance": utterance, "utt_idx": place, "dialogue_acts": acts}
    if speaker == "user":
        return {**turn, "state": {}}
    return {**turn, "db_results": {_DOMAIN: [result_of(fact) for fact in facts]} if facts else {}}


def _write(dialogs: Iterable[Dialog], path: Path) -> None:
    write_json_items((_value(dialog, number) for number, dialog in enumerate(dialogs)), path)


CONVLAB = Format(
    name="convlab",
    title="ConvLab unified",
    suffixes=(".convlab",),
    read=_read,
    write=_write,
    example='[{"dialogue_id": "a-train-0", "domains": [], "turns": [{"speaker": "user", "utterance": "hi"}]}]',
)
"""ConvLab's unified format."""
