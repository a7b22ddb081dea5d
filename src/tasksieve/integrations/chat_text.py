"""A conversation as text, and where in it the assistant speaks."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tasksieve.errors import UserError

ASSISTANT = "assistant"


class Span(NamedTuple):
    """What is to be learned of a text.

    Attributes:
        message: number of the assistant's message, from 0 among all messages.
        start, end: of its characters in the text, with what ends a turn.
    """

    message: int
    start: int
    end: int


def rendered(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Sequence[Any] | None = None
) -> tuple[str, list[Span]]:
    """The text of a conversation and the spans of the assistant's turns.

    Args:
        tokenizer: its chat template is used if it has one; if not, each message is a line ``role: content``, and the
            assistant's end with the tokenizer's end-of-sequence token.
        messages: with ``role`` and ``content``; without it where there are but calls.
        tools: what the assistant can call, for the template; None where there are none.
    Raises: UserError: if the template writes earlier messages otherwise once there are more, so that it cannot be
        told which part of the text a message is, or if it cannot write them.
    """
    text, spans = "", []
    for number, message in enumerate(messages):
        if message["role"] == ASSISTANT:
            before = _written(tokenizer, messages[:number], tools, asked=True)
            after = _written(tokenizer, messages[: number + 1], tools)
            _assert_continued(text, before, number)
            _assert_continued(before, after, number)
            text = after
            spans.append(Span(number, len(before), len(after.rstrip())))
    whole = _written(tokenizer, messages, tools)
    _assert_continued(text, whole, len(messages) - 1)
    return whole, spans


def _written(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Sequence[Any] | None, *, asked: bool = False
) -> str:
    if getattr(tokenizer, "chat_template", None):
        if not messages:
            return ""
        settings: dict[str, Any] = {"tools": list(tools)} if tools else {}
        plain = [dict(message) for message in messages]
        try:
            return str(tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=asked, **settings))
        except (_template_error(), TypeError) as error:
            raise UserError(
                f"the tokenizer's chat template cannot write the first {len(messages)} messages of a conversation "
                f"({error}); change them, or take another template"
            ) from error
    end = tokenizer.eos_token or ""
    lines = [
        f"{one['role']}: {one.get('content', '')}{end if one['role'] == ASSISTANT else ''}\n" for one in messages
    ]
    return "".join(lines) + (f"{ASSISTANT}: " if asked else "")


def _template_error() -> type[Exception]:
    """What a chat template raises, which is Jinja's: transformers itself asks for it only where one is used."""
    found: type[Exception] = importlib.import_module("jinja2").TemplateError
    return found


def _assert_continued(before: str, after: str, number: int) -> None:
    if not after.startswith(before):
        raise UserError(
            f"the tokenizer's chat template writes what precedes message {number + 1} otherwise than without it, so "
            "that its tokens cannot be told apart; give a template that only appends, or none"
        )
