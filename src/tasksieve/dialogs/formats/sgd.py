"""Schema-Guided Dialogue (Rastogi et al., 2020) and MultiWOZ 2.2, which shares its form.

A file is one JSON array of dialogs: ``{"dialogue_id": "1_00000", "services": […], "turns": [{"speaker": "USER",
"utterance": "…", "frames": […]}, …]}``. ``service_results`` in the frames of a system turn are facts, one a result;
other annotations (actions, slots, state, service calls) are not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.format import Format
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.json_text import write_json_items
from tasksieve.dialogs.formats.utterances import filled, read_utterances, result_line, result_of, spoken

_KEPT = frozenset(("speaker", "utterance", "frames", "turn_id"))
_ANNOTATIONS = ("actions", "slots", "state", "service_call")
_SERVICE = "facts"


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    def results(turn: dict[str, Any]) -> list[str]:
        found = []
        for frame in turn.get("frames", []):
            for name in _ANNOTATIONS:
                if filled(frame.get(name)):
                    journal.lose(f"'{name}' in the frames of a turn")
            for result in frame.get("service_results", []):
                found.append(result_line(str(frame.get("service", _SERVICE)), result))
        return found

    return read_utterances(path, journal, results, _KEPT)


def _value(dialog: Dialog, number: int) -> dict[str, Any]:
    turns = [
        {"speaker": speaker.upper(), "utterance": utterance, "frames": _frames(facts)}
        for speaker, utterance, facts in spoken(dialog)
    ]
    return {"dialogue_id": str(number), "services": [], "turns": turns}


def _frames(facts: list[str]) -> list[dict[str, Any]]:
    results = [result_of(fact) for fact in facts]
    return [{"service": _SERVICE, "slots": [], "actions": [], "service_results": results}] if results else []


def _write(dialogs: Iterable[Dialog], path: Path) -> None:
    write_json_items((_value(dialog, number) for number, dialog in enumerate(dialogs)), path)


SGD = Format(
    name="sgd",
    title="Schema-Guided / MultiWOZ 2.2",
    suffixes=(".json",),
    read=_read,
    write=_write,
    example='[{"dialogue_id": "1", "services": [], "turns": [{"speaker": "USER", "utterance": "hi", "frames": []}]}]',
)
"""Schema-Guided Dialogue and MultiWOZ 2.2."""
