"""The related dialogs with the highest weights, as examples in the prompt of a model that is not fine-tuned."""

from __future__ import annotations

import heapq
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasksieve.dialogs.finetuning.answered import calls_answered
from tasksieve.dialogs.finetuning.chats import PRIMARY, WeightedChat
from tasksieve.dialogs.finetuning.lines import beside_tools, write_lines
from tasksieve.dialogs.finetuning.openai import spoken
from tasksieve.dialogs.finetuning.shaping import ending_with_a_response, shaped, with_system_for_developer
from tasksieve.dialogs.finetuning.tool import Dialogs, Tool, Written, register, with_something_learned

MOST = 16
"""So many dialogs are written."""


@dataclass(order=True, slots=True)
class _Ranked:
    weight: float
    earlier: int
    chat: WeightedChat = field(compare=False)


def _row(weight: float, chat: WeightedChat) -> dict[str, Any]:
    messages = [spoken(message) for message in chat.messages]
    row = {"service": chat.service, "dialog": chat.dialog, "weight": weight, "messages": messages}
    return beside_tools(chat, row)


def _write(dialogs: Dialogs, folder: Path) -> Written:
    written = Written((folder / "demonstrations.jsonl",))
    shapes = (with_system_for_developer, calls_answered, ending_with_a_response)
    related = with_something_learned((chat for chat in dialogs.train if chat.service != PRIMARY), written)
    best = heapq.nlargest(MOST, _ranked(shaped(related, shapes, written.lost)))
    write_lines(written.files[0], (_row(one.weight, one.chat) for one in best))
    return Written(
        written.files,
        rows=len(best),
        dialogs=len(best),
        learned=sum(one.chat.learned for one in best),
        weight=sum(sum(one.chat.weights.values()) for one in best),
        lost=written.lost,
    )


def _ranked(chats: Iterator[WeightedChat]) -> Iterator[_Ranked]:
    for number, chat in enumerate(chats):
        yield _Ranked(statistics.fmean(chat.weights.values()), -number, chat)


DEMONSTRATIONS = register(
    Tool(
        name="demonstrations",
        title="Demonstrations for a prompt",
        takes="whole dialogs",
        write=_write,
        meaning=f"the mean over a dialog's responses; the {MOST} highest are written, the highest first",
    )
)
