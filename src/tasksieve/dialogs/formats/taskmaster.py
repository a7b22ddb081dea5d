"""Taskmaster 1 to 4 (Byrne et al., 2019 and 2021): one JSON array of conversations; read, not written.

``[{"conversation_id": "dlg-1", "instruction_id": "movie-1", "utterances": [{"index": 0, "speaker": "USER", "text":
"…", "segments": [{"start_index": 3, "end_index": 8, "text": "…", "annotations": [{"name": "movie.title"}]}]}, …]}]``.
What an interface answered (``apis`` of an utterance, in Taskmaster 3) is a record of its name; the segments of an
assistant's utterance are places of values. Arguments of interfaces, segments of the user's, and what stands around
the utterances (instructions, scenario, vertical) are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.act import Span
from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.annotations import UNREAD_PLACE, span_of
from tasksieve.dialogs.formats.assembly import WITHOUT_VALUE, Assembly
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, shown, split_keys, split_said
from tasksieve.dialogs.formats.objects import dialog_objects, listed, lose_rest, names_in
from tasksieve.dialogs.formats.speakers import SYSTEM, USER, speaker_named
from tasksieve.dialogs.formats.utterances import filled

_IDS = ("conversation_id", "utterances")
_KEPT = ("index", "speaker", "text", "segments", "apis")
_OF_API = ("name", "index", "response")


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    for line, value in dialog_objects(path, journal):
        said = value.get("utterances") if isinstance(value, dict) else None
        assembly = Assembly(journal, line)
        if not isinstance(said, list):
            assembly.refuse(f"found {shown(value)}; expected an object with a list 'utterances'")
            continue
        if not journal.takes(split_said(value)):
            continue
        lose_rest(value, {*_IDS, *split_keys(value)}, "a conversation", journal)
        reading = _Utterances(assembly, journal, shown(value.get("conversation_id")))
        for number, utterance in enumerate(said, start=1):
            reading.add(utterance, number)
        yield from assembly.dialog()


class _Utterances:
    """The utterances of one conversation."""

    def __init__(self, assembly: Assembly, journal: Journal, name: str) -> None:
        self._assembly = assembly
        self._journal = journal
        self._name = name

    def add(self, utterance: Any, number: int) -> None:
        place = f"conversation {self._name}, utterance {number}"
        if not isinstance(utterance, dict):
            self._assembly.refuse(f"{place}: found {shown(utterance)}; expected an object with speaker and text")
            return
        lose_rest(utterance, _KEPT, "an utterance", self._journal)
        for api in listed(utterance.get("apis")):
            self._answered(api, place)
        speaker, text, segments = (utterance.get(key) for key in ("speaker", "text", "segments"))
        known = speaker_named(speaker) if isinstance(speaker, str) else None
        if known == USER:
            self._journal.lose("'segments' of a user's utterance", int(filled(segments)))
            self._assembly.user(text, place)
        elif known == SYSTEM:
            self._assembly.system(text, place, spans=self._spans(listed(segments), text))
        else:
            self._assembly.refuse(f"{place}: found speaker {shown(speaker)}; expected USER or ASSISTANT")

    def _answered(self, api: Any, place: str) -> None:
        """What an interface answered: a record, several, or words."""
        if not isinstance(api, dict):
            self._journal.lose("'apis' of an utterance that could not be read")
            return
        lose_rest(api, _OF_API, "an api", self._journal)
        name, answer = api.get("name", ""), api.get("response")
        for found in listed(answer):
            if isinstance(found, dict):
                self._assembly.record(name, found, place)
            elif isinstance(found, str):
                self._assembly.told(found, place)
            else:
                self._journal.lose("'response' of an api that could not be read", int(filled(found)))

    def _spans(self, segments: list[Any], text: Any) -> list[Span]:
        found: list[Span] = []
        for segment in segments:
            names = _names(segment)
            ends = (segment.get("start_index"), segment.get("end_index")) if names else (None, None)
            spans = [span_of(name, *ends) for name in names]
            if not spans or None in spans:
                self._journal.lose(UNREAD_PLACE)
            elif "text" in segment and str(text)[slice(*ends)] != segment["text"]:
                self._journal.lose(WITHOUT_VALUE)
            else:
                found += filter(None, spans)
        return found


def _names(segment: Any) -> list[str]:
    """The names of a segment's annotations, each once."""
    annotations = listed(segment.get("annotations")) if isinstance(segment, dict) else []
    names = (annotation.get("name") for annotation in annotations if isinstance(annotation, dict))
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def _recognises(start: Start) -> bool:
    return {"conversation_id", "utterances", "speaker", "text"} <= names_in(start)


TASKMASTER = register(
    Format(
        name="taskmaster",
        title="Taskmaster",
        suffixes=(),
        read=_read,
        write=None,
        recognises=_recognises,
        example='[{"conversation_id": "dlg-1", "utterances": [{"index": 0, "speaker": "USER", "text": "hi"}, '
        '{"index": 1, "speaker": "ASSISTANT", "text": "hello"}]}]',
        order=40,
    )
)
"""Taskmaster."""
