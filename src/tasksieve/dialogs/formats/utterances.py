"""Lists of turns with a speaker and an utterance each, as Schema-Guided and ConvLab have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import SILENCE, Dialog
from tasksieve.dialogs.formats.assembly import Assembly, turns_with_facts
from tasksieve.dialogs.formats.journal import Journal, shown
from tasksieve.dialogs.formats.json_text import json_items

_NAMES = frozenset(("turns", "dialogue_id", "dataset", "data_split", "original_id"))

FACT_SLOT = "fact"
"""A result with this slot alone holds a fact's words: how facts from elsewhere are written as results."""


def read_utterances(
    path: Path, journal: Journal, results: Callable[[dict[str, Any]], list[str]], kept: frozenset[str]
) -> Iterator[Dialog]:
    """Yield the dialogs of one array of objects with ``turns``.

    Args:
        path: the file.
        journal: told of problems and of fields that are not read.
        results: the facts that a turn's annotations hold; may raise what a wrong type raises.
        kept: the fields of a turn that are not lost.
    """
    for line, value in json_items(path, journal):
        assembly = Assembly(journal, line)
        turns = value.get("turns") if isinstance(value, dict) else None
        if not isinstance(turns, list):
            assembly.refuse(f"found {shown(value)}; expected an object with a list 'turns'")
            continue
        _lose(value, _NAMES, "dialog", journal)
        for number, turn in enumerate(turns, start=1):
            _add(turn, f"dialog {shown(value.get('dialogue_id'))}, turn {number}", results, assembly)
            if isinstance(turn, dict):
                _lose(turn, kept, "turn", journal)
        yield from assembly.dialog()


def _add(turn: object, place: str, results: Callable[[dict[str, Any]], list[str]], assembly: Assembly) -> None:
    if not isinstance(turn, dict):
        assembly.refuse(f"{place}: found {shown(turn)}; expected an object with speaker and utterance")
        return
    speaker = turn.get("speaker")
    try:
        facts = results(turn)
    except (AttributeError, TypeError):
        assembly.refuse(f"{place}: results are not lists of objects; expected slots with values")
        return
    for fact in facts:
        assembly.facts(fact, place)
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


def result_line(name: str, result: dict[str, Any]) -> str:
    """One result of a service or database as one fact: its name, then slots with values."""
    if list(result) == [FACT_SLOT]:
        return str(result[FACT_SLOT])
    pairs = (f"{slot} {value}" for slot, value in result.items())
    return " ".join([name, *pairs]).replace("\n", " ")


def result_of(fact: str) -> dict[str, str]:
    """A fact as a result that :func:`result_line` reads back."""
    return {FACT_SLOT: fact}


def spoken(dialog: Dialog) -> Iterator[tuple[str, str, list[str]]]:
    """(speaker, utterance, facts) of each utterance; facts stand with the system's."""
    for facts, turn in turns_with_facts(dialog):
        if turn is not None:
            if turn.user != SILENCE:
                yield "user", turn.user, []
            yield "system", turn.system, facts
