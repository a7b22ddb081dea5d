"""Lists of turns with a speaker and an utterance each, as Schema-Guided and ConvLab have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeGuard

from tasksieve.dialogs.dialog import SILENCE, Dialog
from tasksieve.dialogs.formats.assembly import Assembly, Context, told_text, turns_with_context
from tasksieve.dialogs.formats.journal import MAX_LOSSES, Journal, shown
from tasksieve.dialogs.formats.json_text import json_items
from tasksieve.dialogs.record import Note, Record

_NAMES = frozenset(("turns", "dialogue_id", "dataset", "data_split", "original_id"))

NOTES, NOTE = "notes", "note"
"""A result of this service or domain with this slot alone is a note's words: these formats have no other place."""

Results = list[tuple[object, Any]]
"""Results of a turn, each with the service or domain that it is of."""


def read_utterances(
    path: Path, journal: Journal, results: Callable[[dict[str, Any]], Results], kept: frozenset[str]
) -> Iterator[Dialog]:
    """Yield the dialogs of one array of objects with ``turns``.

    Args:
        path: the file.
        journal: told of problems and of fields that are not read.
        results: what a turn's annotations hold; may raise what a wrong type raises.
        kept: the fields of a turn that are not lost.
    """
    splits: Counter[str] = Counter()
    for line, value in json_items(path, journal):
        assembly = Assembly(journal, line)
        turns = value.get("turns") if isinstance(value, dict) else None
        if not isinstance(turns, list):
            assembly.refuse(f"found {shown(value)}; expected an object with a list 'turns'")
            continue
        _lose(value, _NAMES, "dialog", journal)
        if len(splits) < MAX_LOSSES:
            splits[shown(value.get("data_split"))] += 1
        for number, turn in enumerate(turns, start=1):
            _add(turn, f"dialog {shown(value.get('dialogue_id'))}, turn {number}", results, assembly)
            if isinstance(turn, dict):
                _lose(turn, kept, "turn", journal)
        yield from assembly.dialog()
    for name, count in splits.items() if len(splits) > 1 else ():
        journal.lose(f"split {name} of a dialog, read as one with the others", count)


def _add(turn: object, place: str, results: Callable[[dict[str, Any]], Results], assembly: Assembly) -> None:
    if not isinstance(turn, dict):
        assembly.refuse(f"{place}: found {shown(turn)}; expected an object with speaker and utterance")
        return
    speaker = turn.get("speaker")
    try:
        found = results(turn)
    except (AttributeError, TypeError):
        assembly.refuse(f"{place}: results are not lists of objects; expected slots with values")
        return
    for kind, values in found:
        if kind == NOTES and isinstance(values, dict) and list(values) == [NOTE]:
            assembly.told(values[NOTE], place)
        else:
            assembly.record(kind, values, place)
    if isinstance(speaker, str) and speaker.lower() == "user":
        assembly.user(turn.get("utterance"), place)
    elif isinstance(speaker, str) and speaker.lower() == "system":
        assembly.system(turn.get("utterance"), place)
    else:
        assembly.refuse(f"{place}: found speaker {shown(speaker)}; expected USER or SYSTEM")


def _lose(fields: dict[str, Any], kept: frozenset[str], owner: str, journal: Journal) -> None:
    for key, value in fields.items():
        if key not in kept and filled(value):
            journal.lose(f"'{key}' of a {owner}")


def filled(value: object) -> bool:
    """Whether an annotation says anything: a value in it is not empty."""
    if isinstance(value, dict):
        return any(filled(inner) for inner in value.values())
    return any(filled(inner) for inner in value) if isinstance(value, list) else bool(value)


def spoken(dialog: Dialog) -> Iterator[tuple[str, str, Context]]:
    """(speaker, utterance, what stands before the turn) of each utterance; that stands with the system's."""
    for context, turn in turns_with_context(dialog):
        if turn is not None:
            if turn.user != SILENCE:
                yield "user", turn.user, []
            yield "system", turn.system, context


def results_of(context: Context) -> list[tuple[str, dict[str, Any]]]:
    """Records and notes as results with the service or domain they are of; what is no such result is a note."""
    return [(event.kind, event.plain()) if _is_result(event) else as_note(event) for event in context]


def as_note(event: Record | Note) -> tuple[str, dict[str, Any]]:
    """A record or note as a result that is a note's words."""
    return NOTES, {NOTE: told_text(event)}


def _is_result(event: Record | Note) -> TypeGuard[Record]:
    """Whether it is a record that is read back from a result as it is."""
    return isinstance(event, Record) and event.kind != NOTES and event.is_plain
