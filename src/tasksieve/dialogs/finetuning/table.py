"""A CSV table, a response a row, for people and for programs of one's own."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from tasksieve.dialogs.finetuning.chats import WeightedChat
from tasksieve.dialogs.finetuning.shaping import shaped, without
from tasksieve.dialogs.finetuning.tool import Dialogs, Tool, Written, register
from tasksieve.records.files import write_whole

COLUMNS = ("service", "dialog", "message", "role", "content", "tool_calls", "tool_call_id", "weight")


def _rows(chat: WeightedChat) -> Iterator[list[str]]:
    for place, message in enumerate(chat.messages):
        called = message.get("tool_calls")
        weight = chat.weights.get(place)
        yield [
            chat.service,
            str(chat.dialog),
            str(place),
            message["role"],
            message.get("content") or "",
            json.dumps(called, ensure_ascii=False) if called else "",
            message.get("tool_call_id") or "",
            "" if weight is None else repr(weight),
        ]


def _write(dialogs: Dialogs, folder: Path) -> Written:
    path, counts = folder / "train.csv", [0, 0, 0]
    written = Written((path,))

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for chat in shaped(dialogs.train, (without("name", "reasoning_content"),), written.lost):
                written.lost["'tools' of a dialog"] += bool(chat.tools)
                counts[1] += 1
                counts[2] += chat.learned
                for row in _rows(chat):
                    counts[0] += 1
                    table.writerow(row)

    write_whole(path, write)
    return Written((path,), counts[0], counts[1], counts[2], +written.lost)


CSV = register(
    Tool(
        name="csv",
        title="CSV",
        takes="a weight a message",
        write=_write,
        meaning="whatever the program that reads it makes of it",
    )
)
