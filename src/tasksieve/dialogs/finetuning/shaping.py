"""Messages as a tool wants them to follow each other; nothing that was said is lost, and what moved is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from tasksieve.dialogs.finetuning.chats import WeightedChat
from tasksieve.dialogs.formats.message_shapes import Plain

Shape = Callable[[WeightedChat, Counter[str]], WeightedChat]
"""Gives a dialog its shape, and counts what is not as it was."""
_TOLD = ("system", "developer")
_RENAMED = "message of role 'developer', now 'system'"


def shaped(chats: Iterable[WeightedChat], shapes: Iterable[Shape], lost: Counter[str]) -> Iterator[WeightedChat]:
    """Dialogs in several shapes, one after the other; those without a response left are left out and counted."""
    several = tuple(shapes)
    for chat in chats:
        for shape in several:
            chat = shape(chat, lost)
        if chat.weights:
            yield chat
        else:
            lost["dialog without a response"] += 1


def ending_with_a_response(chat: WeightedChat, lost: Counter[str]) -> WeightedChat:
    """Without what comes after the last response, from which nothing is learned."""
    end = max(chat.weights, default=-1) + 1
    lost["message after the last response of a dialog"] += len(chat.messages) - end
    return chat.but(list(chat.messages[:end]), {place: place for place in chat.weights})


def without(*keys: str) -> Shape:
    """Messages without what a tool has no place for; the name of a tool beside its answer stands in the call too."""

    def shape(chat: WeightedChat, lost: Counter[str]) -> WeightedChat:
        spoken = [message for message in chat.messages if message["role"] != "tool"]
        lost.update(f"'{key}' of a message" for message in spoken for key in keys if message.get(key))
        messages = [{key: value for key, value in message.items() if key not in keys} for message in chat.messages]
        return chat.but(messages, {place: place for place in chat.weights})

    return shape


def with_system_for_developer(chat: WeightedChat, lost: Counter[str]) -> WeightedChat:
    """With the older name of who instructs."""
    lost[_RENAMED] += sum(message["role"] == "developer" for message in chat.messages)
    messages = [
        {**message, "role": "system"} if message["role"] == "developer" else message for message in chat.messages
    ]
    return chat.but(messages, {place: place for place in chat.weights})


def told_by_the_user(chat: WeightedChat, lost: Counter[str]) -> WeightedChat:
    """With one system message at most, at the start; what is told later stands before the user's next words.

    Where the user says nothing then, it is a message of the user's by itself.
    """
    messages: list[Plain] = []
    places: dict[int, int] = {}
    waiting: list[str] = []
    for place, message in enumerate(chat.messages):
        role, content = message["role"], message.get("content") or ""
        before = messages[-1]["role"] if messages else ""
        lost[_RENAMED] += role == "developer" and not before
        if role in _TOLD and not before:
            messages.append({"role": "system", "content": content})
        elif role in _TOLD and before == "system":
            messages[-1] = _joined(messages[-1], content)
            lost["system message that was joined to the one before"] += 1
        elif role in _TOLD and before in ("user", "tool"):
            messages[-1] = _joined(messages[-1], content)
            lost["system message within a dialog, now in the message before"] += 1
        elif role in _TOLD:
            waiting.append(content)
            lost["system message within a dialog, now in the user's next words"] += 1
        else:
            if waiting and role != "user":
                messages.append({"role": "user", "content": "\n".join(waiting)})
                waiting.clear()
            places[place] = len(messages)
            messages.append({**message, "content": "\n".join([*waiting, content])} if waiting else message)
            waiting.clear()
    return chat.but(messages, places)


def _joined(message: Plain, text: str) -> Plain:
    return {**message, "content": f"{message.get('content') or ''}\n{text}"}


def answering_a_user(chat: WeightedChat, lost: Counter[str]) -> WeightedChat:
    """With an empty message of the user's before each response that follows another, or comes first."""
    messages: list[Plain] = []
    places: dict[int, int] = {}
    for place, message in enumerate(chat.messages):
        before = messages[-1]["role"] if messages else "system"
        if message["role"] == "assistant" and before not in ("user", "tool"):
            messages.append({"role": "user", "content": ""})
            lost["response without a user's message, which has an empty one now"] += 1
        places[place] = len(messages)
        messages.append(message)
    return chat.but(messages, places)


def with_users_joined(chat: WeightedChat, lost: Counter[str]) -> WeightedChat:
    """With several messages of the user's in a row as one, a line each."""
    messages: list[Plain] = []
    places: dict[int, int] = {}
    for place, message in enumerate(chat.messages):
        if messages and message["role"] == "user" == messages[-1]["role"]:
            messages[-1] = _joined(messages[-1], message.get("content") or "")
            lost["user's message that was joined to the one before"] += 1
            continue
        places[place] = len(messages)
        messages.append(message)
    return chat.but(messages, places)


def calls_apart(chat: WeightedChat, lost: Counter[str]) -> WeightedChat:
    """With text and calls of tools of one message as two messages of the same weight."""
    messages: list[Plain] = []
    weights: dict[int, float] = {}
    for place, message in enumerate(chat.messages):
        parts = [message]
        if message.get("tool_calls") and message.get("content"):
            parts = [
                {key: value for key, value in message.items() if key != "tool_calls"},
                {**message, "content": None},
            ]
            lost["message with text and calls of tools, which are two now"] += 1
        for part in parts:
            if place in chat.weights:
                weights[len(messages)] = chat.weights[place]
            messages.append(part)
    return chat.but(messages, {}) if not weights else _with(chat, messages, weights)


def _with(chat: WeightedChat, messages: list[Plain], weights: dict[int, float]) -> WeightedChat:
    return WeightedChat(chat.service, chat.dialog, tuple(messages), weights, chat.tools)
