"""LLaMA-Factory's v1 engine: ``loss_weight`` beside each message, and parts of a message by their type."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tasksieve.dialogs.finetuning.arguments import decoded
from tasksieve.dialogs.finetuning.chats import WeightedChat
from tasksieve.dialogs.finetuning.lines import write_rows
from tasksieve.dialogs.finetuning.shaping import ending_with_a_response, with_system_for_developer, without
from tasksieve.dialogs.finetuning.tool import Dialogs, Tool, Written, register
from tasksieve.dialogs.formats.message_shapes import Plain
from tasksieve.records.files import write_text

_INFO = """\
# The data set for `llamafactory-cli` with USE_V1=1: train_dataset: dataset_info.yaml
# Run it in the folder of this file: it takes `path` from the folder that it runs in.
tasksieve:
  path: {path}
  source: local
"""


def _rows(chat: WeightedChat) -> Iterable[dict[str, Any]]:
    messages = [_message(message, chat.weights.get(place, 0.0)) for place, message in enumerate(chat.messages)]
    tools = {"tools": json.dumps(list(chat.tools), ensure_ascii=False)} if chat.tools else {}
    yield {"messages": messages, **tools}


def _message(message: Plain, weight: float) -> dict[str, Any]:
    parts = []
    if message.get("reasoning_content"):
        parts.append({"type": "reasoning", "value": message["reasoning_content"]})
    if message.get("content") or not message.get("tool_calls"):
        parts.append({"type": "text", "value": message.get("content") or ""})
    for call in message.get("tool_calls", ()):
        parts.append({"type": "tool_call", "value": json.dumps(_call(call["function"]), ensure_ascii=False)})
    return {"role": message["role"], "content": parts, "loss_weight": weight}


def _call(function: dict[str, Any]) -> dict[str, Any]:
    """A call with its arguments decoded, as that engine's templates print them."""
    return {"name": function["name"], "arguments": decoded(function["arguments"])}


def _write(dialogs: Dialogs, folder: Path) -> Written:
    shapes = (with_system_for_developer, ending_with_a_response, without("name"))
    written = write_rows(dialogs, folder, _rows, shapes)
    info = folder / "dataset_info.yaml"
    write_text(info, _INFO.format(path=json.dumps(written.files[0].name)))
    return Written((*written.files, info), written.rows, written.dialogs, written.learned, written.lost)


LLAMA_FACTORY = register(
    Tool(
        name="llama-factory",
        title="LLaMA-Factory v1",
        takes="a weight a message",
        write=_write,
        meaning="the loss of each of a message's tokens is multiplied by it, and a batch's sum divided by the sum of "
        "the weights in it",
    )
)
