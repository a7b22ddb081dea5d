"""A file of chat messages as it was, with weights beside the responses: nothing else of it is lost or reworded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.formats.chat import Source, Weights, read_sources
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.learned_weights import mark_of
from tasksieve.errors import UserError


def write_weighted(files: Iterable[tuple[Path, str]], target: Path, journal: Journal, weights: Weights) -> None:
    """Write the objects of files one a line, with all their keys.

    Args:
        files: of chat messages, one after the other, each with the split that its name says it is, if any.
        target: the file to write.
        journal: of the files.
        weights: of the responses, by dialog and turn as they are read; those left out stay as they are.
    Raises: UserError: if a file has a problem.
    """
    with target.open("w", encoding="utf-8", newline="\n") as file:
        try:
            for value in _weighted(files, journal, weights):
                file.write(json_line(value))
        except RecursionError:
            raise UserError("is nested too deeply; expected dialogs", journal.path) from None


def _weighted(files: Iterable[tuple[Path, str]], journal: Journal, weights: Weights) -> Iterator[dict[str, Any]]:
    number = 0
    for held in _held(files, journal):
        if held.dialog is None:
            yield held.value
            continue
        value = held.weighted([weights.get((number, turn)) for turn in range(len(held.responses))])
        yield {**value, **mark_of(weights)} if isinstance(value, dict) else value
        number += 1


def _held(files: Iterable[tuple[Path, str]], journal: Journal) -> Iterator[Source]:
    for file, split in files:
        journal.path, journal.split_of_file = file, split
        yield from read_sources(file, journal)


def json_line(value: Any) -> str:
    """A line of JSON, readable where UTF-8 has every character of it."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(value)
    return f"{text}\n"
