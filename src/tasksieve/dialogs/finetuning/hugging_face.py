"""Hugging Face data sets, for TRL and trainers of one's own: Parquet with a column ``weights``, one a response."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from tasksieve.dialogs.finetuning.chats import WeightedChat
from tasksieve.dialogs.finetuning.shaping import ending_with_a_response, shaped, with_system_for_developer
from tasksieve.dialogs.finetuning.tool import Dialogs, Tool, Written, register, with_something_learned
from tasksieve.dialogs.formats.message_shapes import Plain
from tasksieve.records.files import write_whole

_SHAPES = (with_system_for_developer, ending_with_a_response)
_CALL = pl.Struct(
    {
        "id": pl.String(),
        "type": pl.String(),
        "function": pl.Struct({"name": pl.String(), "arguments": pl.String()}),
    }
)
_ALWAYS: dict[str, pl.DataType] = {"role": pl.String(), "content": pl.String()}
_IF_NEEDED: dict[str, pl.DataType] = {
    "name": pl.String(),
    "tool_calls": pl.List(_CALL),
    "tool_call_id": pl.String(),
    "reasoning_content": pl.String(),
}
"""Keys of messages, of which those are columns that are in the data."""


def _row(chat: WeightedChat) -> dict[str, Any]:
    weights = [
        chat.weights.get(place, 0.0) for place, message in enumerate(chat.messages) if message["role"] == "assistant"
    ]
    tools = json.dumps(list(chat.tools), ensure_ascii=False) if chat.tools else None
    messages = [_plain(message) for message in chat.messages]
    return {
        "messages": messages,
        "weights": weights,
        "service": chat.service,
        "dialog": chat.dialog,
        "tools": tools,
    }


def _plain(message: Plain) -> Plain:
    if "tool_calls" not in message:
        return message
    names = ("id", "type", "function")
    return {**message, "tool_calls": [{name: call[name] for name in names} for call in message["tool_calls"]]}


def _table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    keys = {key for row in rows for message in row["messages"] for key in message}
    message = _ALWAYS | {key: kind for key, kind in _IF_NEEDED.items() if key in keys}
    schema = {
        "messages": pl.List(pl.Struct(message)),
        "weights": pl.List(pl.Float64()),
        "service": pl.String(),
        "dialog": pl.Int64(),
    }
    if any(row["tools"] for row in rows):
        schema["tools"] = pl.String()
    return pl.DataFrame({name: [row[name] for row in rows] for name in schema}, schema=schema)


def _write(dialogs: Dialogs, folder: Path) -> Written:
    written = Written((folder / "train.parquet",))
    train = list(shaped(with_something_learned(dialogs.train, written), _SHAPES, written.lost))
    valid = list(shaped(dialogs.valid, _SHAPES, written.lost))
    files = [_file(folder / "train.parquet", train)]
    if valid:
        files.append(_file(folder / "valid.parquet", valid))
    learned = sum(chat.learned for chat in train)
    return Written(tuple(files), len(train), len(train), learned, Counter(+written.lost))


def _file(path: Path, chats: Iterable[WeightedChat]) -> Path:
    table = _table([_row(chat) for chat in chats])
    write_whole(path, table.write_parquet)
    return path


_parquet = partial(
    Tool,
    takes="a weight a message",
    write=_write,
    meaning="a number a response, in their order; a trainer must read them, as tasksieve.integrations' does: TRL's "
    "own takes no notice of them",
)
TRL = register(_parquet(name="trl", title="TRL"))
HUGGING_FACE = register(_parquet(name="huggingface", title="Hugging Face"))
