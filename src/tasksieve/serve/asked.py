"""What a request says of a dialog: turns and facts, or chat messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import HTTPException
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag

from tasksieve.dialogs import SILENCE, Record, Turn
from tasksieve.dialogs.formats.chat import dialog_of
from tasksieve.dialogs.record import told
from tasksieve.errors import UserError
from tasksieve.training.runs.trained_model import Event, acts_of_action

LONGEST, LONGEST_FACT = 2000, 10_000
"""Characters of a sentence; of a fact or a tool's answer, as text or as JSON."""
_DUE = {"role": "assistant", "content": "?"}
_SPOKEN = ("user", "assistant")

Sentence = Annotated[str, Field(max_length=LONGEST)]


def _fact_of_length(fact: str | dict[str, Any]) -> str | dict[str, Any]:
    size = len(fact if isinstance(fact, str) else json.dumps(fact, ensure_ascii=False))
    if not fact:
        raise ValueError("a fact is empty; expected text, or an object with fields")
    if size > LONGEST_FACT:
        raise ValueError(f"a fact has {size:,} characters; at most {LONGEST_FACT:,} are read")
    return fact


def _messages_of_length(messages: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    for number, message in enumerate(messages or (), start=1):
        most = LONGEST if message.get("role") in _SPOKEN else LONGEST_FACT
        size = len(json.dumps(message.get("content"), ensure_ascii=False))
        if size > most + 2:  # quotes
            raise ValueError(f"message {number} has {size - 2:,} characters; at most {most:,} are read")
    return messages


Messages = Annotated[
    Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1000)] | None, AfterValidator(_messages_of_length)
]


class SaidTurn(BaseModel):
    """What the user and the system said; an empty utterance is silence."""

    model_config = ConfigDict(extra="forbid")

    user: Sentence
    system: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    action: Sentence = Field("", description="what the system did in it, as it was answered")


class GivenFact(BaseModel):
    """A fact: a triple, JSON after a name, prose; or an object, a record of the kind given."""

    model_config = ConfigDict(extra="forbid")

    fact: Annotated[str | dict[str, Any], AfterValidator(_fact_of_length)]
    kind: Sentence = Field("", description="the service, table or tool that an object is of")


def _which(event: Any) -> str:
    return "fact" if isinstance(event, GivenFact) or (isinstance(event, dict) and "fact" in event) else "turn"


AskedEvent = Annotated[Annotated[SaidTurn, Tag("turn")] | Annotated[GivenFact, Tag("fact")], Discriminator(_which)]


def conversation(
    events: Sequence[SaidTurn | GivenFact], user: str, profile: str, messages: Sequence[dict[str, Any]] | None
) -> tuple[list[Event], str, list[str]]:
    """The dialog so far, the utterance that waits for a response, and the words that describe the user.

    Args:
        events, user: one way to give them.
        profile: words that describe the user.
        messages: the other way.
    Raises: HTTPException: if both ways are used, or a message or an object cannot be read.
    """
    if messages is None:
        return [_event(event) for event in events], user.strip() or SILENCE, profile.split()
    if events or user:
        raise HTTPException(422, "found both messages and events or user; give one of them")
    try:
        dialog = dialog_of([*messages, _DUE])
    except UserError as error:
        raise HTTPException(422, f"messages: {error.message}") from None
    if dialog is None:
        raise HTTPException(422, "messages: found none that can be answered")
    *before, due = dialog.events
    assert isinstance(due, Turn)
    return before, due.user, profile.split() or list(dialog.profile)


def _event(event: SaidTurn | GivenFact) -> Event:
    if isinstance(event, SaidTurn):
        return Turn(event.user.strip() or SILENCE, event.system, acts=acts_of_action(event.action))
    if isinstance(event.fact, str):
        return told(event.fact)
    try:
        return Record.of(event.kind, event.fact)
    except (ValueError, RecursionError) as error:
        raise HTTPException(422, f"fact: {error}") from None
