"""Fireworks: ``weight`` of a row, and 0 or 1 beside each response, so that a row has the responses of one weight."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tasksieve.dialogs.finetuning.answered import calls_answered
from tasksieve.dialogs.finetuning.chats import WeightedChat
from tasksieve.dialogs.finetuning.levels import levels, of_level
from tasksieve.dialogs.finetuning.lines import beside_tools, write_rows
from tasksieve.dialogs.finetuning.openai import flagged
from tasksieve.dialogs.finetuning.shaping import ending_with_a_response, told_by_the_user, without
from tasksieve.dialogs.finetuning.tool import Dialogs, Tool, Written, register

STEP = 0.01
"""Weights are rounded to such steps, for a row is written for each."""


def _rows(chat: WeightedChat) -> Iterable[dict[str, Any]]:
    for level in levels(chat, STEP):
        one = of_level(chat, level, STEP)
        messages = [flagged(message, one.weights.get(place)) for place, message in enumerate(one.messages)]
        yield beside_tools(one, {"messages": messages, "weight": level})


def _write(dialogs: Dialogs, folder: Path) -> Written:
    shapes = (calls_answered, told_by_the_user, ending_with_a_response, without("reasoning_content"))
    return write_rows(dialogs, folder, _rows, shapes)


FIREWORKS = register(
    Tool(
        name="fireworks",
        title="Fireworks",
        takes="a weight a row",
        write=_write,
        meaning="a row's loss is multiplied by it; a dialog is a row for each weight in it, rounded to hundredths, "
        "with the other responses as context",
    )
)
