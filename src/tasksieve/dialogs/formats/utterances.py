"""Lists of turns with a speaker and an utterance each, as Schema-Guided and ConvLab have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from tasksieve.dialogs.act import Act, Span
from tasksieve.dialogs.dialog import SILENCE, Dialog
from tasksieve.dialogs.formats.assembly import Assembly, Context, before_and_after, told_text, turns_with_context
from tasksieve.dialogs.formats.format import Start
from tasksieve.dialogs.formats.journal import Journal, shown
from tasksieve.dialogs.formats.json_text import json_items, json_objects
from tasksieve.dialogs.formats.speakers import SYSTEM, USER
from tasksieve.dialogs.record import Note, Record

_NAMES = frozenset(("turns", "dialogue_id", "dataset", "data_split", "original_id"))

NOTES, NOTE = "notes", "note"
"""A result of this service or domain with this slot alone is a note's words: these formats have no other place."""

Results = list[tuple[object, Any]]
"""Results of a turn, each with the service or domain that it is of."""


@dataclass(frozen=True, slots=True)
class Annotated:
    """What a turn's annotations hold.

    Attributes:
        results: records of the turn.
        acts, spans: what the system does in it, and where values stand in its utterance; none of the user's.
    """

    results: Results
    acts: Sequence[Act] = ()
    spans: Sequence[Span] = ()


class Place(NamedTuple):
    """Where a turn stands: the name of its dialog, and its number in it, from 1."""

    dialog: object
    number: int


Annotations = Callable[[dict[str, Any], Place], Annotated]
"""What a turn's annotations hold; may raise what a wrong type raises."""


class Spoken(NamedTuple):
    """An utterance to be written.

    Attributes:
        speaker: ``user`` or ``system``.
        utterance: the words.
        context: what came right before the utterance.
        acts, spans: of the system's.
    """

    speaker: str
    utterance: str
    context: Context
    acts: tuple[Act, ...] = ()
    spans: tuple[Span, ...] = ()


def read_utterances(path: Path, journal: Journal, annotations: Annotations, kept: frozenset[str]) -> Iterator[Dialog]:
    """Yield the dialogs of one array of objects with ``turns``, or of such objects that follow each other.

    Args:
        path: the file.
        journal: told of problems and of fields that are not read.
        annotations: what a turn's annotations hold.
        kept: the fields of a turn that are not lost.
    """
    listed = Start(path).line.startswith("[")
    for line, value in json_items(path, journal) if listed else json_objects(path, journal):
        assembly = Assembly(journal, line)
        turns = value.get("turns") if isinstance(value, dict) else None
        if not isinstance(turns, list):
            assembly.refuse(f"found {shown(value)}; expected an object with a list 'turns'")
            continue
        if not journal.takes(value.get("data_split")):
            continue
        _lose(value, _NAMES, "dialog", journal)
        for number, turn in enumerate(turns, start=1):
            _add(turn, Place(value.get("dialogue_id"), number), annotations, assembly)
            if isinstance(turn, dict):
                _lose(turn, kept, "turn", journal)
        yield from assembly.dialog()


def _add(turn: object, at: Place, annotations: Annotations, assembly: Assembly) -> None:
    place = f"dialog {shown(at.dialog)}, turn {at.number}"
    if not isinstance(turn, dict):
        assembly.refuse(f"{place}: found {shown(turn)}; expected an object with speaker and utterance")
        return
    try:
        found = annotations(turn, at)
    except (AttributeError, TypeError):
        assembly.refuse(f"{place}: results are not lists of objects; expected slots with values")
        return
    for kind, values in found.results:
        if kind == NOTES and isinstance(values, dict) and list(values) == [NOTE]:
            assembly.told(values[NOTE], place)
        else:
            assembly.record(kind, values, place)
    speaker = speaker_of(turn)
    if speaker == USER:
        assembly.user(turn.get("utterance"), place)
    elif speaker == SYSTEM:
        assembly.system(turn.get("utterance"), place, acts=found.acts, spans=found.spans)
    else:
        assembly.refuse(f"{place}: found speaker {shown(turn.get('speaker'))}; expected USER or SYSTEM")


def speaker_of(turn: dict[str, Any]) -> str:
    """The speaker of a turn in lower case; empty if it is no text."""
    speaker = turn.get("speaker")
    return speaker.lower() if isinstance(speaker, str) else ""


def _lose(fields: dict[str, Any], kept: frozenset[str], owner: str, journal: Journal) -> None:
    for key, value in fields.items():
        if key not in kept and filled(value):
            journal.lose(f"'{key}' of a {owner}")


def filled(value: object) -> bool:
    """Whether an annotation says anything: a value in it is not empty."""
    if isinstance(value, dict):
        return any(filled(inner) for inner in value.values())
    return any(filled(inner) for inner in value) if isinstance(value, list) else bool(value)


def has_utterance(dialog: object) -> bool:
    """Whether a dialog is an object with ``turns``, of which the first has an ``utterance``."""
    turns = dialog.get("turns") if isinstance(dialog, dict) else None
    first = turns[0] if isinstance(turns, list) and turns else None
    return isinstance(first, dict) and "utterance" in first


def spoken(dialog: Dialog) -> Iterator[Spoken]:
    """Each utterance with what is said of it; records and notes stand with the one that they came right before."""
    for context, turn in turns_with_context(dialog):
        if turn is None:
            continue
        before, after = before_and_after(context, turn)
        if turn.user != SILENCE:
            yield Spoken(USER, turn.user, before)
        yield Spoken(SYSTEM, turn.system, context if turn.user == SILENCE else after, turn.acts, turn.spans)


def results_of(context: Context) -> list[tuple[str, dict[str, Any]]]:
    """Records and notes as results with the service or domain they are of; what is no such result is a note."""
    return [(event.kind, event.plain()) if _is_result(event) else as_note(event) for event in context]


def as_note(event: Record | Note) -> tuple[str, dict[str, Any]]:
    """A record or note as a result that is a note's words."""
    return NOTES, {NOTE: told_text(event)}


def _is_result(event: Record | Note) -> TypeGuard[Record]:
    """Whether it is a record that is read back from a result as it is."""
    return isinstance(event, Record) and event.kind != NOTES and event.is_plain
