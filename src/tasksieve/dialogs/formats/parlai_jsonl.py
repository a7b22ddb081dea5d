"""ParlAI's conversations format: JSON lines, a dialog each.

``{"dialog": [[{"id": "user", "text": "hi"}, {"id": "system", "text": "hello"}], …], "context": […]}``, as
``parlai.utils.conversations`` documents it. Pairs are lists of acts, and acts have more fields that are not read. An
act of ``context`` (in its own list, or between the others) holds records (triples, or JSON after a name) or a note.

Who is the system: an act whose id says so (``system``, ``bot``, ``agent``, ``assistant``, ``model``, ``wizard``);
where no id does, the second to speak. What ``system`` says is told, as a prompt, where another of
these responds. Its acts may have keys ``action``, ``slots`` and ``weight``, as those of
:mod:`chat messages <tasksieve.dialogs.formats.chat>`, and ``label_candidates``, a list of responses to choose among.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import SILENCE, Dialog
from tasksieve.dialogs.formats.annotations import ACTION, SLOTS, WEIGHT, annotations_of, annotations_written
from tasksieve.dialogs.formats.assembly import Assembly, Context, before_and_after, told_texts, turns_with_context
from tasksieve.dialogs.formats.chat_rows import shape_of
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal, shown
from tasksieve.dialogs.formats.json_text import json_lines, write_json_lines
from tasksieve.dialogs.formats.speakers import FACT, SYSTEM, has_prompts, speaker_named

_READ = {"id", "text", "episode_done"}
_CANDIDATES = "label_candidates"
_READ_OF_SYSTEMS = {*_READ, ACTION, SLOTS, WEIGHT, _CANDIDATES}
_KEY = re.compile(r'\{\s*"(?:dialog|context|metadata_path)"')


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    for line, value in json_lines(path, journal):
        assembly = Assembly(journal, line)
        for key in value.keys() - {"dialog", "context"}:
            journal.lose(f"'{key}' of a dialog")
        for number, act in enumerate(_acts(value.get("context", []), "context", assembly), start=1):
            assembly.told(act.get("text"), f"context {number}")
        acts = _acts(value.get("dialog"), "dialog", assembly)
        prompts = has_prompts(act["id"] for act in acts)
        systems = _systems(acts, prompts)
        for number, act in enumerate(acts, start=1):
            _add(act, f"act {number}", systems, prompts, assembly, journal)
        yield from assembly.dialog()


def _acts(value: object, key: str, assembly: Assembly) -> list[dict[str, Any]]:
    """The acts of a list of acts, or of lists of them."""
    if not isinstance(value, list):
        assembly.refuse(f"found {shown(value)} as '{key}'; expected a list of lists of acts with id and text")
        return []
    acts = []
    for item in value:
        for act in item if isinstance(item, list) else [item]:
            if isinstance(act, dict) and isinstance(act.get("id"), str):
                acts.append(act)
            else:
                assembly.refuse(f"found {shown(act)} in '{key}'; expected an act with id and text")
    return acts


def _systems(acts: list[dict[str, Any]], prompts: bool) -> set[str]:
    """The ids of those who speak as the system."""
    speakers = [act["id"] for act in acts if speaker_named(act["id"], prompts=prompts) != FACT]
    named = {speaker for speaker in speakers if speaker_named(speaker) == SYSTEM}
    return named or set(list(dict.fromkeys(speakers))[1:2])


def _add(
    act: dict[str, Any], place: str, systems: set[str], prompts: bool, assembly: Assembly, journal: Journal
) -> None:
    speaker = act["id"]
    told = speaker_named(speaker, prompts=prompts) == FACT
    responds = speaker in systems and not told
    for key in act.keys() - (_READ_OF_SYSTEMS if responds else _READ):
        journal.lose(f"'{key}' of an act")
    if told:
        assembly.told(act.get("text"), place)
    elif responds:
        acts, spans = annotations_of(act, "an act", journal)
        candidates = _candidates(act, journal)
        text, weight = act.get("text"), act.get(WEIGHT)
        assembly.system(text, place, weight=weight, acts=acts, spans=spans, candidates=candidates)
    else:
        assembly.user(act.get("text"), place)


def _candidates(act: dict[str, Any], journal: Journal) -> list[str]:
    offered = act.get(_CANDIDATES) or []
    if isinstance(offered, list) and all(isinstance(one, str) for one in offered):
        return offered
    journal.lose(f"'{_CANDIDATES}' of an act")
    return []


def _value(dialog: Dialog) -> dict[str, Any]:
    context: list[dict[str, Any]] = []
    pairs: list[list[dict[str, Any]]] = []
    for told, turn in turns_with_context(dialog):
        before, after = before_and_after(told, turn)
        acts = _told(before)
        if not pairs:
            context, acts = acts, []
        if turn is not None:
            acts += [{"id": "user", "text": turn.user}] if turn.user != SILENCE else []
            acts += _told(after)
            candidates = {_CANDIDATES: list(turn.candidates)} if turn.candidates else {}
            acts.append({"id": "system", "text": turn.system, **annotations_written(turn), **candidates})
        pairs.append(acts)
    return {"dialog": pairs, "context": context}


def _told(context: Context) -> list[dict[str, Any]]:
    return [{"id": "context", "text": text} for text in told_texts(context)]


def _recognises(start: Start) -> bool:
    if not isinstance(start.value, dict):
        return _KEY.match(start.line) is not None
    return "dialog" in start.value and shape_of(start.value) is None


PARLAI_JSONL = register(
    Format(
        name="parlai-jsonl",
        title="ParlAI conversations",
        suffixes=(".conversations",),
        read=_read,
        write=lambda dialogs, path: write_json_lines((_value(dialog) for dialog in dialogs), path),
        recognises=_recognises,
        example='{"dialog": [[{"id": "user", "text": "hi"}, {"id": "system", "text": "hello"}]]}',
    )
)
"""ParlAI's conversations."""
