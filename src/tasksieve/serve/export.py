"""Files of what is selected: a table, or chat messages to train other models with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field

from tasksieve.dialogs import SILENCE
from tasksieve.dialogs.formats.learned_weights import LearnedWeights, mark_of
from tasksieve.records.weight_meaning import HEADS
from tasksieve.serve.examples import Examples, Numbers, Rows
from tasksieve.serve.selection import Selection


class Asked(Selection):
    """What is selected, and the file it goes into."""

    format: Literal["jsonl", "csv", "chat"] = Field("jsonl", description="JSON lines, CSV, or chat messages")


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file."""

    ending: str
    media: str
    write: Callable[[Examples, Rows, int], bytes]


def file_of(found: Examples, asked: Asked) -> tuple[str, str, bytes]:
    """A file of the examples selected.

    Returns: its name, its media type and its content.
    Raises: UserError: if nothing was recorded at that iteration.
    """
    place, kind = found.place(asked.step), FORMATS[asked.format]
    return f"weights-{found.steps[place]}{kind.ending}", kind.media, kind.write(found, found.select(asked), place)


def _table(found: Examples, rows: Rows, place: int) -> pl.DataFrame:
    """The columns of `tasksieve weights --export`: example to system, step, weight, heads."""
    weights = pl.Series("weight", found.weights[place, rows]).fill_nan(None)
    said = pl.lit(found.steps[place]).alias("step"), weights, pl.lit(found.heads).alias(HEADS)
    return found.frame[rows].with_columns(*said)


def _jsonl(found: Examples, rows: Rows, place: int) -> bytes:
    return _table(found, rows, place).write_ndjson().encode()


def _csv(found: Examples, rows: Rows, place: int) -> bytes:
    return _table(found, rows, place).write_csv().encode()


def _chat(found: Examples, rows: Rows, place: int) -> bytes:
    """One dialog a line, whole, in the order of the selection; a turn that is not selected has weight 0.

    As in :mod:`tasksieve.dialogs.formats.chat`, a user's silence is no message.
    """
    selected = np.zeros(len(found), dtype=bool)
    selected[rows] = True
    weights = np.where(selected, np.nan_to_num(found.weights[place], nan=0.0), 0.0).round(6)
    return "".join(_lines(found, rows, weights)).encode()


def _lines(found: Examples, rows: Rows, weights: Numbers) -> Iterator[str]:
    texts = found.frame["user"].to_list(), found.frame["system"].to_list()
    quoted = {text: json.dumps(text, ensure_ascii=False) for text in {*texts[0], *texts[1]}}
    asked = {text: "" if text == SILENCE else f'{{"role": "user", "content": {quoted[text]}}}, ' for text in texts[0]}
    turns = [
        f'{asked[user]}{{"role": "assistant", "content": {quoted[system]}, "weight": {weight:.6g}}}'
        for user, system, weight in zip(*texts, weights.tolist(), strict=True)
    ]
    mark = "".join(f', "{key}": "{value}"' for key, value in mark_of(LearnedWeights({}, found.heads)).items())
    for number in dict.fromkeys(found.dialog_numbers[rows].tolist()):
        task, dialog = found.places[number]
        messages = ", ".join([turns[turn] for turn in found.turns_of(number).tolist()])
        yield f'{{"task": {task}, "dialog": {dialog}, "messages": [{messages}]{mark}}}\n'


FORMATS = {
    "jsonl": Format(".jsonl", "application/x-ndjson", _jsonl),
    "csv": Format(".csv", "text/csv; charset=utf-8", _csv),
    "chat": Format("-chat.jsonl", "application/jsonl", _chat),
}
"""Every kind of file, by its name in a request."""
