"""What a request says of a dialog: turns and facts, or chat messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import HTTPException
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag

from tasksieve.dialogs import SILENCE, Record, Turn
from tasksieve.dialogs.formats.chat import dialog_of
from tasksieve.dialogs.formats.tellings import tellings
from tasksieve.errors import UserError
from tasksieve.training.runs.trained_model import Event, acts_of_action

LONGEST = 20_000
"""Characters of a sentence, of a fact or a tool's answer, as text or as JSON, or of any part of a message."""
_DUE = {"role": "assistant", "content": "?"}
_SHOWN = 40

Sentence = Annotated[str, Field(max_length=LONGEST)]


def _size(value: object) -> int:
    return len(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _fact_of_length(fact: str | dict[str, Any]) -> str | dict[str, Any]:
    if not fact:
        raise ValueError("a fact is empty; expected text, or an object with fields")
    if _size(fact) > LONGEST:
        raise ValueError(f"a fact has {_size(fact):,} characters; at most {LONGEST:,} are read")
    return fact


def _messages_of_length(messages: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    for number, message in enumerate(messages or (), start=1):
        for key, value in message.items():
            if _size(value) > LONGEST:
                what = f"{key[:_SHOWN]!r} of message {number}"
                raise ValueError(f"{what} has {_size(value):,} characters; at most {LONGEST:,} are read")
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
    """A fact: a triple, JSON after a name (an object, or a list of them), prose; or an object, of the kind given."""

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
        return [one for event in events for one in _events(event)], user.strip() or SILENCE, profile.split()
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


def _events(event: SaidTurn | GivenFact) -> Sequence[Event]:
    if isinstance(event, SaidTurn):
        return [Turn(event.user.strip() or SILENCE, event.system, acts=acts_of_action(event.action))]
    if isinstance(event.fact, str):
        return tellings(event.fact)
    try:
        return [Record.of(event.kind, event.fact)]
    except (ValueError, RecursionError) as error:
        raise HTTPException(422, f"fact: {error}") from None
