"""Hugging Face data sets, for TRL and trainers of one's own: JSON lines with ``weights``, one a response, and a card.

Messages and tools are of type ``Json`` there (datasets 4.7 and later), so that each has its own keys alone: in
columns of structs each message would have those of all others, empty, and calls could not have objects for arguments.
The card names them by a hash of what they hold: datasets looks in its cache by the card, and not by the files.

Beside them lie the same rows as Parquet, for what reads tables: the same columns in every file, empty where a message
has no such key, and arguments and tools as JSON text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from tasksieve.dialogs.finetuning.arguments import decoded
from tasksieve.dialogs.finetuning.chats import WeightedChat
from tasksieve.dialogs.finetuning.lines import TRAIN, VALID, beside_tools, write_rows
from tasksieve.dialogs.finetuning.shaping import ending_with_a_response, with_system_for_developer
from tasksieve.dialogs.finetuning.tool import Dialogs, Tool, Written, register
from tasksieve.dialogs.formats.message_shapes import Plain
from tasksieve.records.files import sha256, write_text, write_whole

_FUNCTION = pl.Struct({"name": pl.String(), "arguments": pl.String()})
_CALL = pl.Struct({"id": pl.String(), "type": pl.String(), "function": _FUNCTION})
_MESSAGE: dict[str, pl.DataType] = {
    **{name: pl.String() for name in ("role", "content", "name", "reasoning_content", "tool_call_id")},
    "tool_calls": pl.List(_CALL),
}
_COLUMNS: dict[str, pl.DataType] = {
    "messages": pl.List(pl.Struct(_MESSAGE)),
    "weights": pl.List(pl.Float64()),
    "service": pl.String(),
    "dialog": pl.Int64(),
    "tools": pl.String(),
}
CARD = "README.md"
_CARD = """\
---
configs:
- config_name: {config}
  default: true
  data_files:
{splits}
dataset_info:
  config_name: {config}
  features:
  - name: messages
    list: json
  - name: weights
    list: float64
  - name: service
    dtype: string
  - name: dialog
    dtype: int64
  - name: tools
    list: json
---
Dialogs with a weight for each of the assistant's messages. `datasets.load_dataset` with this folder's path loads
them; it takes datasets 4.7 or later.
"""
_SPLIT = "  - split: {split}\n    path: {name}"


def _rows(chat: WeightedChat) -> Iterable[dict[str, Any]]:
    weights = [
        chat.weights.get(place, 0.0) for place, message in enumerate(chat.messages) if message["role"] == "assistant"
    ]
    messages = [_with_objects(message) for message in chat.messages]
    row = {"messages": messages, "weights": weights, "service": chat.service, "dialog": chat.dialog}
    yield beside_tools(chat, row)


def _with_objects(message: Plain) -> Plain:
    """A message whose calls have objects for arguments, as TRL's format has them."""
    if "tool_calls" not in message:
        return message
    calls = [
        {**call, "function": {**call["function"], "arguments": decoded(call["function"]["arguments"])}}
        for call in message["tool_calls"]
    ]
    return {**message, "tool_calls": calls}


def _write(dialogs: Dialogs, folder: Path) -> Written:
    written = write_rows(dialogs, folder, _rows, (with_system_for_developer, ending_with_a_response))
    named = {TRAIN: "train", VALID: "validation"}
    splits = [_SPLIT.format(split=named[file.name], name=file.name) for file in written.files]
    path = folder / CARD
    config = f"dialogs-{_hash(written.files)}"
    write_text(path, _CARD.format(config=config, splits="\n".join(splits)))
    tables = [_table(file) for file in written.files]
    return Written((*written.files, *tables, path), written.rows, written.dialogs, written.learned, written.lost)


def _table(lines: Path) -> Path:
    """The rows of a file of JSON lines as Parquet, beside it."""
    with lines.open(encoding="utf-8") as file:
        rows = [_flat(json.loads(line)) for line in file]
    table = pl.DataFrame({name: [row[name] for row in rows] for name in _COLUMNS}, schema=_COLUMNS)
    path = lines.with_suffix(".parquet")
    write_whole(path, table.write_parquet)
    return path


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose free objects are JSON text."""
    tools = _text(row["tools"]) if row.get("tools") else None
    return {**row, "messages": [_flat_message(message) for message in row["messages"]], "tools": tools}


def _flat_message(message: Plain) -> Plain:
    calls = [
        {**call, "function": {**call["function"], "arguments": _text(call["function"]["arguments"])}}
        for call in message.get("tool_calls", ())
    ]
    return {name: calls or None if name == "tool_calls" else message.get(name) for name in _MESSAGE}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _hash(files: Iterable[Path]) -> str:
    return hashlib.sha256(" ".join(map(sha256, files)).encode()).hexdigest()[:16]


_lines = partial(
    Tool,
    takes="a weight a message",
    write=_write,
    meaning="a number a response, in their order; a trainer must read them, as tasksieve.integrations' does: TRL's "
    "own takes no notice of them",
)
TRL = register(_lines(name="trl", title="TRL"))
HUGGING_FACE = register(_lines(name="huggingface", title="Hugging Face"))
