"""Schema-Guided Dialogue (Rastogi et al., 2020) and MultiWOZ 2.2, which shares its form.

A file is one JSON array of dialogs: ``{"dialogue_id": "1_00000", "services": […], "turns": [{"speaker": "USER",
"utterance": "…", "frames": […]}, …]}``. Each of the ``service_results`` in a turn's frames is a record of its
service; other annotations (actions, slots, state, service calls) are not read. Notes, for which there is no place,
are written as results of a service ``notes``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.assembly import Context
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.json_text import write_json_items
from tasksieve.dialogs.formats.utterances import Results, filled, read_utterances, results_of, spoken

_KEPT = frozenset(("speaker", "utterance", "frames", "turn_id"))
_ANNOTATIONS = ("actions", "slots", "state", "service_call")


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    def results(turn: dict[str, Any]) -> Results:
        found: Results = []
        for frame in turn.get("frames", []):
            for name in _ANNOTATIONS:
                if filled(frame.get(name)):
                    journal.lose(f"'{name}' in the frames of a turn")
            found += ((frame.get("service", ""), result) for result in frame.get("service_results", []))
        return found

    return read_utterances(path, journal, results, _KEPT)


def _value(dialog: Dialog, number: int) -> dict[str, Any]:
    turns = [
        {"speaker": speaker.upper(), "utterance": utterance, "frames": _frames(context)}
        for speaker, utterance, context in spoken(dialog)
    ]
    return {"dialogue_id": str(number), "services": [], "turns": turns}


def _frames(context: Context) -> list[dict[str, Any]]:
    """A frame for each run of results of one service."""
    runs = itertools.groupby(results_of(context), lambda result: result[0])
    return [
        {"service": service, "slots": [], "actions": [], "service_results": [values for _, values in run]}
        for service, run in runs
    ]


def _write(dialogs: Iterable[Dialog], path: Path) -> None:
    write_json_items((_value(dialog, number) for number, dialog in enumerate(dialogs)), path)


def _recognises(start: Start) -> bool:
    return start.line.startswith("[")


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
