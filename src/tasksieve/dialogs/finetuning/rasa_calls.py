"""Rasa's custom actions in chat messages: calls of tools, which nobody says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from tasksieve.dialogs.dialog import Dialog, Turn
from tasksieve.dialogs.formats.annotations import WEIGHT, plain_acts
from tasksieve.dialogs.formats.message_shapes import Plain
from tasksieve.dialogs.formats.rasa_steps import SLOTS, action_act

CALLED = "custom action of Rasa, which is a call without arguments there"
"""What is not as it was."""
NO_WORDS = "action of Rasa that has no words in the domain, which is not learned"
"""A loss: its name is nothing to say."""
_UTTER = "utter_"
_SLOTS = f"{SLOTS} "


def with_calls(dialog: Dialog, messages: Iterable[Plain], lost: Counter[str]) -> Iterator[Plain]:
    """Messages with calls of tools for actions without words, and the slots set right after as what these answer.

    An action ``utter_…`` calls nothing: where its words are not known, its name has weight 0.

    Args:
        dialog: as it is read from Rasa's stories.
        messages: the same as chat messages, with a response for each turn.
        lost: counts what is not as it was.
    """
    turns, called, waiting = iter(dialog.turns), 0, ""
    for message in messages:
        if message["role"] == "system" and waiting:
            yield from _answer(message, waiting)
        elif message["role"] != "assistant" or not _without_words(turn := next(turns)):
            yield message
        elif turn.system.startswith(_UTTER):
            lost[NO_WORDS] += 1
            yield {**message, WEIGHT: 0}
        else:
            lost[CALLED] += 1
            waiting, called = f"call_{called}", called + 1
            function = {"name": turn.system, "arguments": "{}"}
            yield {
                **message,
                "content": None,
                "tool_calls": [{"id": waiting, "type": "function", "function": function}],
            }
            continue
        waiting = ""


def _without_words(turn: Turn) -> bool:
    """Whether a response is the name of the one action that it is."""
    return bool(turn.acts) and turn.acts == plain_acts([action_act(turn.system)])


def _answer(message: Plain, call: str) -> Iterator[Plain]:
    """The slots that a message starts with as what a call answered, and the rest of it."""
    lines = message["content"].split("\n")
    count = next((number for number, line in enumerate(lines) if not line.startswith(_SLOTS)), len(lines))
    found = [line.removeprefix(_SLOTS) for line in lines[:count]]
    if found:
        content = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
        yield {"role": "tool", "tool_call_id": call, "content": content}
    if rest := "\n".join(lines[count:]):
        yield {**message, "content": rest}
