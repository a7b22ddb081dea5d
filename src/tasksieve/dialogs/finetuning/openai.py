"""OpenAI's chat fine-tuning, and Azure's: ``weight`` 0 or 1 beside each response, as whole numbers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from tasksieve.dialogs.finetuning.answered import calls_answered
from tasksieve.dialogs.finetuning.chats import WeightedChat
from tasksieve.dialogs.finetuning.lines import beside_tools, write_rows
from tasksieve.dialogs.finetuning.shaping import ending_with_a_response, with_system_for_developer, without
from tasksieve.dialogs.finetuning.tool import FLAGS, Dialogs, Tool, Written, register
from tasksieve.dialogs.formats.message_shapes import Plain

_NOT_THERE = ("reasoning_content",)
_SHAPES = (with_system_for_developer, calls_answered, ending_with_a_response, without(*_NOT_THERE))


def spoken(message: Plain) -> Plain:
    """A message without what that service does not know."""
    return {key: value for key, value in message.items() if key not in _NOT_THERE}


def flagged(message: Plain, weight: float | None) -> dict[str, Any]:
    """A message with ``weight`` 0 or 1 beside it, if it is a response."""
    kept = spoken(message)
    return kept if weight is None else {**kept, "weight": int(weight > 0)}


def flagged_rows(chat: WeightedChat) -> Iterable[dict[str, Any]]:
    """A dialog as one row of messages, and the tools beside it."""
    messages = [flagged(message, chat.weights.get(place)) for place, message in enumerate(chat.messages)]
    yield beside_tools(chat, {"messages": messages})


def write_flagged(dialogs: Dialogs, folder: Path) -> Written:
    """Write dialogs with ``weight`` 0 or 1 beside each response."""
    return write_rows(dialogs, folder, flagged_rows, _SHAPES)


_openai = partial(
    Tool, takes=FLAGS, write=write_flagged, meaning="a response of 0 is context alone, one of 1 is learned in full"
)
OPENAI = register(_openai(name="openai", title="OpenAI"))
AZURE = register(_openai(name="azure", title="Azure OpenAI"))
