"""Dialogs written as Parquet and Arrow tables, a row each."""

from __future__ import annotations

import itertools
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.chat import Weights, chat_values
from tasksieve.dialogs.formats.learned_weights import mark_of
from tasksieve.errors import UserError

_ROWS = 1000
"""In a group of rows, as the ``datasets`` library has by default, or fewer if they are long."""
_GROUP = 16 << 20
"""Bytes of JSON in a group, about."""
_ALWAYS = {"role": pl.String(), "content": pl.String()}
_IF_NEEDED: dict[str, pl.DataType] = {
    "action": pl.String(),
    "slots": pl.List(pl.Struct({"slot": pl.String(), "start": pl.Int64(), "exclusive_end": pl.Int64()})),
    "weight": pl.Float64(),
}
"""Keys of messages, of which those are written that are in the data."""


def write_parquet(dialogs: Iterable[Dialog], path: Path, weights: Weights | None = None) -> None:
    """Write a Parquet table with a column ``messages``.

    Args:
        dialogs: written one by one.
        path: the file.
        weights: of the assistant messages, by dialog and turn; those left out keep their own.
    """
    _write(dialogs, path, weights, lambda rows, group: rows.sink_parquet(path, row_group_size=group))


def write_arrow(dialogs: Iterable[Dialog], path: Path, weights: Weights | None = None) -> None:
    """Write an Arrow file with a column ``messages``; see :func:`write_parquet`."""
    _write(dialogs, path, weights, lambda rows, group: rows.sink_ipc(path, record_batch_size=group))


def _write(
    dialogs: Iterable[Dialog], path: Path, weights: Weights | None, sink: Callable[[pl.LazyFrame, int], object]
) -> None:
    """Write the rows beside as JSON lines first: only then it is known which keys there are and how long rows are."""
    keys: set[str] = set()
    number, name = tempfile.mkstemp(".jsonl", ".rows-", path.parent)
    beside, count = Path(name), 0
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            for value in _rows(dialogs, weights, keys):
                file.write(json.dumps(value["messages"]) + "\n")
                count += 1
        message = _ALWAYS | {key: kind for key, kind in _IF_NEEDED.items() if key in keys}
        mark = mark_of(weights)
        schema = pl.Schema({"messages": pl.List(pl.Struct(message)), **dict.fromkeys(mark, pl.String())})
        group = max(1, min(_ROWS, _GROUP * count // max(1, beside.stat().st_size)))
        sink(_as_they_are_asked_for(beside, schema, group, mark), group)
    except pl.exceptions.PolarsError as error:
        raise UserError(f"cannot be written as a table: {error}", path) from None
    finally:
        beside.unlink(missing_ok=True)


def _as_they_are_asked_for(beside: Path, schema: pl.Schema, group: int, mark: dict[str, str]) -> pl.LazyFrame:
    """The rows of a file of JSON lines, all with the same mark, of which few are in memory at a time.

    ``scan_ndjson`` reads ahead, however slowly its rows are taken: it would have the whole file in memory.
    """

    def frames(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, size: int | None
    ) -> Iterator[pl.DataFrame]:
        with beside.open(encoding="utf-8") as file:
            lines = iter(file)
            while read := [json.loads(line) for line in itertools.islice(lines, group)]:
                marks = {key: [value] * len(read) for key, value in mark.items()}
                yield pl.DataFrame({"messages": read, **marks}, schema=schema)

    return register_io_source(frames, schema=schema)


def _rows(dialogs: Iterable[Dialog], weights: Weights | None, keys: set[str]) -> Iterator[dict[str, Any]]:
    for value in chat_values(dialogs, weights):
        for message in value["messages"]:
            keys.update(message)
            if isinstance(message.get("action"), list):
                message["action"] = json.dumps(message["action"], ensure_ascii=False)
        yield value
