"""Dialogs written as Parquet and Arrow tables, a row each."""

from __future__ import annotations

import glob
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.chat import Weights, chat_values
from tasksieve.dialogs.formats.learned_weights import mark_of
from tasksieve.errors import UserError

_ROWS = 1000
"""In a group of rows, as the ``datasets`` library has by default."""
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
    _write(dialogs, path, weights, lambda rows: rows.sink_parquet(path, row_group_size=_ROWS))


def write_arrow(dialogs: Iterable[Dialog], path: Path, weights: Weights | None = None) -> None:
    """Write an Arrow file with a column ``messages``; see :func:`write_parquet`."""
    _write(dialogs, path, weights, lambda rows: rows.sink_ipc(path, record_batch_size=_ROWS))


def _write(
    dialogs: Iterable[Dialog], path: Path, weights: Weights | None, sink: Callable[[pl.LazyFrame], object]
) -> None:
    """Write the rows beside as JSON lines first: only then it is known which keys there are."""
    keys: set[str] = set()
    number, name = tempfile.mkstemp(".jsonl", ".rows-", path.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            for value in _rows(dialogs, weights, keys):
                file.write(json.dumps(value) + "\n")
        message = _ALWAYS | {key: kind for key, kind in _IF_NEEDED.items() if key in keys}
        schema: dict[str, pl.DataType] = {"messages": pl.List(pl.Struct(message))}
        schema |= {key: pl.String() for key in mark_of(weights)}
        rows = pl.scan_ndjson(glob.escape(name), schema=schema, batch_size=_ROWS)
        sink(rows if keys else pl.LazyFrame(schema=schema))
    except pl.exceptions.PolarsError as error:
        raise UserError(f"cannot be written as a table: {error}", path) from None
    finally:
        Path(name).unlink(missing_ok=True)


def _rows(dialogs: Iterable[Dialog], weights: Weights | None, keys: set[str]) -> Iterator[dict[str, Any]]:
    for value in chat_values(dialogs, weights):
        for message in value["messages"]:
            keys.update(message)
            if isinstance(message.get("action"), list):
                message["action"] = json.dumps(message["action"], ensure_ascii=False)
        yield value
