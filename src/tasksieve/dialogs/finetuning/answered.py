"""Calls of tools and what tools answered, in the strict order that services ask for: each call, then its answer."""

from __future__ import annotations

from collections import Counter

from tasksieve.dialogs.finetuning.chats import WeightedChat
from tasksieve.dialogs.formats.message_shapes import Plain


def calls_answered(chat: WeightedChat, lost: Counter[str]) -> WeightedChat:
    """With an answer right behind each call: an empty one where there is none, unless the dialog ends with the call.

    An answer that names no call is that of the first call without one. What a tool said that nobody called is a
    system message behind the answers of that call, and a tool's name beside its answer, which stands in the call, is
    left out.
    """
    messages: list[Plain] = []
    places: dict[int, int] = {}
    waiting: list[str] = []
    uncalled: list[Plain] = []
    for place, message in enumerate(chat.messages):
        if message["role"] == "tool":
            answer = _answer(message, waiting, lost)
            (messages if answer["role"] == "tool" else uncalled).append(answer)
            continue
        messages += [*_empty(waiting, lost), *uncalled]
        waiting, uncalled = _identities(message), []
        places[place] = len(messages)
        messages.append(message)
    if waiting and (uncalled or messages[-1]["role"] == "tool"):
        messages += _empty(waiting, lost)
    return chat.but(messages + uncalled, places)


def _answer(message: Plain, waiting: list[str], lost: Counter[str]) -> Plain:
    named = message.get("tool_call_id")
    identity = named if named in waiting else waiting[0] if waiting and not named else None
    content = message.get("content") or ""
    if identity is None:
        lost["answer of a tool to no call, now a system message"] += 1
        return {"role": "system", "content": content}
    waiting.remove(identity)
    return {"role": "tool", "tool_call_id": identity, "content": content}


def _empty(waiting: list[str], lost: Counter[str]) -> list[Plain]:
    lost["call of a tool without an answer, which has an empty one now"] += len(waiting)
    return [{"role": "tool", "tool_call_id": identity, "content": ""} for identity in waiting]


def _identities(message: Plain) -> list[str]:
    return [call["id"] for call in message.get("tool_calls", ())]
