"""ms-swift: ``loss_scale`` beside each response, and calls of tools as messages of a role of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.finetuning.answered import calls_answered
from tasksieve.dialogs.finetuning.chats import WeightedChat
from tasksieve.dialogs.finetuning.lines import beside_tools, write_rows
from tasksieve.dialogs.finetuning.shaping import (
    answering_a_user,
    calls_apart,
    ending_with_a_response,
    told_by_the_user,
    with_users_joined,
    without,
)
from tasksieve.dialogs.finetuning.tool import Dialogs, Tool, Written, register
from tasksieve.dialogs.formats.message_shapes import Plain

_SHAPES = (
    without("name"),
    ending_with_a_response,
    calls_answered,
    told_by_the_user,
    answering_a_user,
    with_users_joined,
    calls_apart,
)


def _rows(chat: WeightedChat) -> Iterable[dict[str, Any]]:
    messages = [
        row for place, message in enumerate(chat.messages) for row in _messages(message, chat.weights.get(place))
    ]
    yield beside_tools(chat, {"messages": messages})


def _messages(message: Plain, weight: float | None) -> Iterator[dict[str, Any]]:
    scale = {} if weight is None else {"loss_scale": weight}
    for call in message.get("tool_calls", ()):
        function = call["function"]
        content = json.dumps({"name": function["name"], "arguments": function["arguments"]}, ensure_ascii=False)
        yield {"role": "tool_call", "content": content, **scale}
    if message["role"] == "tool":
        yield {"role": "tool_response", "content": message.get("content") or ""}
    elif not message.get("tool_calls"):
        thought = message.get("reasoning_content")
        before = f"<think>\n{thought}\n</think>\n\n" if thought else ""
        yield {"role": message["role"], "content": before + (message.get("content") or ""), **scale}


def _write(dialogs: Dialogs, folder: Path) -> Written:
    return write_rows(dialogs, folder, _rows, _SHAPES)


MS_SWIFT = register(
    Tool(
        name="ms-swift",
        title="ms-swift",
        takes="a weight a message",
        write=_write,
        meaning="the loss of each of a response's tokens is multiplied by it, with --is_binary_loss_scale false",
    )
)
