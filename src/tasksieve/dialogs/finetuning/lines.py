"""Rows of a tool's file, as JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.finetuning.chats import WeightedChat
from tasksieve.dialogs.finetuning.shaping import Shape, shaped
from tasksieve.dialogs.finetuning.tool import Dialogs, Written, with_something_learned
from tasksieve.dialogs.formats.chat_weights import json_line
from tasksieve.records.files import write_whole

Rows = Callable[[WeightedChat], Iterable[dict[str, Any]]]
"""The rows that a dialog is in a tool's file."""
TRAIN, VALID = "train.jsonl", "valid.jsonl"


def write_rows(dialogs: Dialogs, folder: Path, rows: Rows, shapes: Iterable[Shape] = ()) -> Written:
    """Write ``train.jsonl``, and ``valid.jsonl`` if there are validation dialogs, whole or not at all.

    Args:
        dialogs: what is written; those of which nothing is learned are left out, and counted.
        folder: is there.
        rows: of a dialog.
        shapes: given to each dialog first.
    """
    several = tuple(shapes)
    written, count = Written((folder / TRAIN,)), [0, 0, 0]

    def training() -> Iterator[dict[str, Any]]:
        for chat in shaped(with_something_learned(dialogs.train, written), several, written.lost):
            count[1] += 1
            count[2] += chat.learned
            for row in rows(chat):
                count[0] += 1
                yield row

    write_lines(folder / TRAIN, training())
    files = [folder / TRAIN]
    held = shaped(dialogs.valid, several, written.lost)
    first = next(held, None)
    if first is not None:
        values = (row for chat in _again(first, held) for row in rows(chat))
        write_lines(folder / VALID, values)
        files.append(folder / VALID)
    return Written(tuple(files), count[0], count[1], count[2], +written.lost)


def _again(first: WeightedChat, others: Iterator[WeightedChat]) -> Iterator[WeightedChat]:
    yield first
    yield from others


def beside_tools(chat: WeightedChat, row: dict[str, Any]) -> dict[str, Any]:
    """A row with the tools that its dialog may call, if it names any."""
    return {**row, "tools": list(chat.tools)} if chat.tools else row


def write_lines(path: Path, rows: Iterable[Any]) -> None:
    """Write a file of JSON lines, whole or not at all."""

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(map(json_line, rows))

    write_whole(path, write)
