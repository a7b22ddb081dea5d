"""Dialogs as chat messages with a weight for each response: what every fine-tuning tool is written from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import Dialog, Turn
from tasksieve.dialogs.finetuning.rasa_calls import with_calls
from tasksieve.dialogs.formats.annotations import ACTION, SLOTS, WEIGHT
from tasksieve.dialogs.formats.chat import CHAT, Source, Weights, chat_values, read_sources
from tasksieve.dialogs.formats.chosen import chosen, iterate_dialogs
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.known import format_of
from tasksieve.dialogs.formats.message_shapes import Plain, other_item, plain_messages
from tasksieve.dialogs.formats.parts import are_parts, parts_of, text_of
from tasksieve.dialogs.formats.rasa import RASA
from tasksieve.dialogs.formats.tables import ARROW, PARQUET, has_messages
from tasksieve.dialogs.formats.tools import CALLS, calls
from tasksieve.errors import UserError

_OWN_KEYS = (ACTION, SLOTS, WEIGHT)
_KEPT = {
    "system": ("role", "content", "name"),
    "developer": ("role", "content", "name"),
    "user": ("role", "content", "name"),
    "assistant": ("role", "content", "name", "tool_calls", "reasoning_content"),
    "tool": ("role", "content", "name", "tool_call_id"),
}
_TOOLS = "tools"
WITHOUT_ACTION = "weight of a response without an action, which is not learned"
"""A loss: nothing tells what such a response is worth where actions are predicted."""
PRIMARY = "primary"
"""The service of the primary task's dialogs."""


@dataclass(frozen=True, slots=True)
class WeightedChat:
    """One dialog as messages in the shape of OpenAI's chat completions.

    Attributes:
        service: the task that it is of: its file's name, or ``primary``.
        dialog: its number in that task, from 0.
        messages: with ``role``, ``content``, and ``tool_calls`` or ``tool_call_id`` where there are any.
        weights: of the messages that are responses, by their place: how much each is learned.
        tools: those that the dialog may call, as its file has them; empty if it names none.
    """

    service: str
    dialog: int
    messages: tuple[Plain, ...]
    weights: Mapping[int, float]
    tools: tuple[Any, ...] = ()

    @property
    def learned(self) -> int:
        """How many responses have a weight above 0."""
        return sum(weight > 0 for weight in self.weights.values())

    def but(self, messages: list[Plain], places: Mapping[int, int]) -> WeightedChat:
        """The same dialog with other messages.

        Args:
            messages: the new ones.
            places: of each response's old place the new one.
        """
        weights = {places[place]: weight for place, weight in self.weights.items() if place in places}
        return replace(self, messages=tuple(messages), weights=weights)


@dataclass(frozen=True, slots=True)
class ChatTask:
    """The dialogs of one task, read anew whenever they are gone through.

    Attributes:
        service: its name.
        path: a file in any format, a folder of splits, or one split of either.
        weights: of the responses, by dialog and turn, each times what the file itself says that it counts; None where
            the file says it all. Responses without an action may have none, and then are context alone.
        lost: what of the dialogs' files is in no message, and how often, once they were gone through.
    """

    service: str
    path: Path
    weights: Weights | None = None
    lost: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[WeightedChat]:
        """Yield the dialogs in their order.

        Raises: UserError: if a file has a problem, or the weights are not of as many responses as there are.
        """
        self.lost.clear()
        meant, journal = chosen(self.path), Journal(self.path)
        learned = unweighted = 0
        for number, held in enumerate(self._sources(meant.files, meant.split, journal)):
            turns = held.dialog.turns if held.dialog is not None else ()
            learned += sum(turn.learned > 0 for turn in turns)
            unweighted += sum(self._no_weight(number, place, turn) for place, turn in enumerate(turns))
            yield self._chat(held, number)
        if unweighted:
            self.lost[WITHOUT_ACTION] = unweighted
        if self.weights is not None and len(self.weights) != learned - unweighted:
            found = f"has {learned:,} responses to learn from, and there are weights of {len(self.weights):,}"
            raise UserError(f"{found}: it has changed since; give it as it was, or learn weights anew", self.path)

    def _no_weight(self, dialog: int, place: int, turn: Turn) -> bool:
        """Whether a response to learn from has no weight, as a run that predicts actions learns nothing of it."""
        given = self.weights
        return bool(given) and turn.learned > 0 and not turn.acts and (dialog, place) not in (given or {})

    def _sources(self, files: tuple[tuple[Path, str], ...], split: str | None, journal: Journal) -> Iterator[Source]:
        journal.split = split
        if not all(_holds_messages(file) for file, _ in files):
            of_rasa = all(format_of(file) is RASA for file, _ in files)
            yield from _written(iterate_dialogs(self.path, journal), self.lost if of_rasa else None)
            self.lost.update(journal.lost + journal.reworded)
            return
        for file, named in files:
            journal.path, journal.split_of_file = file, named
            yield from (held for held in read_sources(file, journal) if held.dialog is not None)

    def _chat(self, held: Source, number: int) -> WeightedChat:
        assert held.dialog is not None
        messages: list[Plain] = []
        weights: dict[int, float] = {}
        turns = {place: turn for turn, place in enumerate(held.responses)}
        for _, message in held.row.told:
            messages += self._plain(message)
        for place, (_, message) in enumerate(held.row.messages):
            messages += self._plain(message)
            if place in turns:
                turn = turns[place]
                given = 1.0 if self.weights is None else self.weights.get((number, turn), 0.0)
                kept = not isinstance(message, Mapping) or message.get(WEIGHT) != 0
                weights[len(messages) - 1] = given * held.dialog.turns[turn].learned * kept
        tools = held.value.get(_TOOLS) if isinstance(held.value, Mapping) else None
        return WeightedChat(self.service, number, tuple(messages), weights, _tools(tools))

    def _plain(self, message: Any) -> list[Plain]:
        """A message in the one shape, or several; what else it has is counted."""
        if not isinstance(message, Mapping) or other_item(message) is not None:
            self.lost["item that is no message"] += 1
            return []
        found = [self._kept(plain) for plain in plain_messages(message)]
        return found if found and found[-1]["role"] == "assistant" else [plain for plain in found if plain]

    def _kept(self, plain: Plain) -> Plain:
        kept = {key: plain[key] for key in _KEPT[plain["role"]] if plain.get(key) is not None}
        if any(plain.get(key) is not None for key in CALLS):
            kept["tool_calls"] = [
                {
                    "id": call.id or f"call_{number}",
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments or "{}"},
                }
                for number, call in enumerate(calls(plain))
            ]
        content = kept.get("content") or plain.get("refusal")
        parts = None if plain["role"] == "tool" and not are_parts(content) else parts_of(content)
        text, lost = (content, ()) if parts is None else text_of(parts)
        kept["content"] = _text(text, "tool_calls" in kept)
        self.lost.update(lost)
        unread = plain.keys() - kept.keys() - {*_OWN_KEYS, *CALLS, "refusal"}
        self.lost.update(f"'{key}' of a message" for key in unread if plain[key] is not None)
        self.lost.update(f"'{key}' of a message" for key in (ACTION, SLOTS) if plain.get(key) is not None)
        return kept


def _holds_messages(file: Path) -> bool:
    known = format_of(file)
    return known is CHAT or (known in (PARQUET, ARROW) and has_messages(file))


def _written(dialogs: Iterator[Dialog], lost: Counter[str] | None) -> Iterator[Source]:
    """Dialogs of other formats as the objects that chat messages have for them; those of Rasa where losses count."""
    from tasksieve.dialogs.formats.chat_rows import row_of

    for dialog in dialogs:
        value = next(chat_values([dialog]))
        if lost is not None:
            value["messages"] = list(with_calls(dialog, value["messages"], lost))
        row = row_of(value)
        roles = [message["role"] for _, message in row.messages]
        responses = tuple(place for place, role in enumerate(roles) if role == "assistant")
        yield Source(value, row, dialog, responses)


def _text(text: Any, called: bool) -> str | None:
    """What is said, as JSON if it is no text; none beside calls of tools that say nothing."""
    if isinstance(text, str) and (text or not called):
        return text
    if text is None or text == "":
        return None if called else ""
    return json.dumps(text, ensure_ascii=False)


def _tools(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return ()
    return tuple(value) if isinstance(value, list) else ()
