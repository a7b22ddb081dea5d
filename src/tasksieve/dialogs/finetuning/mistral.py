"""mistral-finetune: ``weight`` 0 or 1 beside each response, and a weight for each file, by which rows are drawn."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.finetuning.answered import calls_answered
from tasksieve.dialogs.finetuning.chats import WeightedChat
from tasksieve.dialogs.finetuning.levels import levels, of_level
from tasksieve.dialogs.finetuning.lines import VALID, beside_tools, write_lines
from tasksieve.dialogs.finetuning.openai import flagged
from tasksieve.dialogs.finetuning.shaping import (
    answering_a_user,
    calls_apart,
    ending_with_a_response,
    shaped,
    told_by_the_user,
    without,
)
from tasksieve.dialogs.finetuning.tool import Dialogs, Tool, Written, register, with_something_learned
from tasksieve.dialogs.formats.message_shapes import Plain
from tasksieve.records.files import write_text

STEP = 0.1
"""Weights are rounded to such steps, for a file is written for each."""
_SHAPES = (
    calls_answered,
    told_by_the_user,
    answering_a_user,
    calls_apart,
    ending_with_a_response,
    without("name", "reasoning_content"),
)
_UNNAMED = re.compile(r"[^a-zA-Z0-9_-]")
_CONFIG = """\
# Of mistral-finetune's configuration; run it from this folder.
data:
  instruct_data: "{train}"
{valid}"""


def _row(chat: WeightedChat) -> dict[str, Any]:
    messages = [flagged(_plain(message), chat.weights.get(place)) for place, message in enumerate(chat.messages)]
    return beside_tools(chat, {"messages": messages})


def _plain(message: Plain) -> Plain:
    """A message with identities and names as Mistral's tokenizer wants them, and without what it does not know."""
    kept = {key: message[key] for key in ("role", "content") if message.get(key) is not None}
    if message["role"] == "assistant" and not message.get("content") and not message.get("tool_calls"):
        kept["content"] = " "
    if message.get("tool_calls"):
        kept.pop("content", None)
        kept["tool_calls"] = [
            {**call, "id": _identity(call["id"]), "function": {**call["function"], "name": _name(call["function"])}}
            for call in message["tool_calls"]
        ]
    if message["role"] == "tool":
        kept["content"] = message.get("content") or ""
        kept["tool_call_id"] = _identity(message.get("tool_call_id", ""))
    return kept


def _identity(given: str) -> str:
    """Nine letters and digits, the same for the same identity."""
    return given if re.fullmatch(r"[a-zA-Z0-9]{9}", given) else hashlib.sha256(given.encode()).hexdigest()[:9]


def _name(named: dict[str, Any]) -> str:
    return _UNNAMED.sub("_", named["name"])[:64]


def _write(dialogs: Dialogs, folder: Path) -> Written:
    lost: Counter[str] = Counter()
    written = Written((), lost=lost)
    rows: dict[float, list[dict[str, Any]]] = {}
    sizes = [0, 0]
    for chat in shaped(with_something_learned(dialogs.train, written), _SHAPES, lost):
        sizes[0], sizes[1] = sizes[0] + 1, sizes[1] + chat.learned
        for level in levels(chat, STEP):
            rows.setdefault(level, []).append(_row(of_level(chat, level, STEP)))
    files = []
    for level in sorted(rows, reverse=True):
        files.append(folder / f"train-{level:.1f}.jsonl")
        write_lines(files[-1], rows[level])
    weights = [f"{file.name}:{level * len(rows[level]):g}" for file, level in zip(files, _falling(rows), strict=True)]
    valid = [_row(chat) for chat in shaped(dialogs.valid, _SHAPES, lost)]
    if valid:
        files.append(folder / VALID)
        write_lines(files[-1], valid)
    said = f'  eval_instruct_data: "{VALID}"\n' if valid else ""
    files.append(folder / "data.yaml")
    write_text(files[-1], _CONFIG.format(train=",".join(weights), valid=said))
    return Written(tuple(files), sum(map(len, rows.values())), sizes[0], sizes[1], +lost)


def _falling(rows: dict[float, Any]) -> Iterator[float]:
    yield from sorted(rows, reverse=True)


MISTRAL = register(
    Tool(
        name="mistral",
        title="mistral-finetune",
        takes="a weight a file",
        write=_write,
        meaning="rows are drawn from the files by their weights, which are rounded to tenths; a dialog is a row for "
        "each weight in it, with the other responses as context",
    )
)
