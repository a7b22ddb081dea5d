"""A conversation as texts, and where in them the assistant speaks."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import Any, NamedTuple

from tasksieve.errors import UserError

ASSISTANT = "assistant"
_SAID = ("content", "reasoning_content", "reasoning", "thinking")
"""Where a message says something."""

Messages = Sequence[Mapping[str, Any]]


class Span(NamedTuple):
    """What is to be learned of a text.

    Attributes:
        message: number of the assistant's message, from 0 among all messages.
        start, end: of its characters in the text, with what ends a turn.
    """

    message: int
    start: int
    end: int


class Text(NamedTuple):
    """A conversation, or its beginning, as the model reads it.

    Attributes:
        text: all of it.
        spans: of the assistant's turns that are to be learned from it.
    """

    text: str
    spans: tuple[Span, ...]


def rendered(
    tokenizer: Any, messages: Messages, tools: Sequence[Any] | None = None, *, apart: bool = False
) -> list[Text]:
    """The text of a conversation with the assistant's turns, and texts for those that are otherwise in it.

    Some templates write a turn otherwise once more is said: they leave out its reasoning, or move what precedes it. A
    turn is learned from the whole conversation where that holds what precedes the turn as the model has it when it
    answers, and then all that the message says. Any other turn has a text of its own, which ends with it.

    Args:
        tokenizer: its chat template is used if it has one; if not, each message is a line ``role: content``, and the
            assistant's end with the tokenizer's end-of-sequence token.
        messages: with ``role`` and ``content``; without it where there are but calls.
        tools: what the assistant can call, for the template; None where there are none.
        apart: whether each turn is to have a text of its own in any case.
    Returns: the whole conversation first, if anything is to be learned from it.
    Raises: UserError: if it cannot be told which part of a text a message is, or the template cannot write them.
    """
    template = _Template(tokenizer, tools)
    said = list(template.turns(messages))
    text = template.written(messages)
    spans: list[Span] = []
    others: list[Text] = []
    for turns in said:
        found = None if apart else _within(text, turns, messages)
        if found is None:
            others.append(turns)
        else:
            spans += found
    return [*([Text(text, tuple(spans))] if spans else []), *others]


@dataclass(frozen=True)
class _Template:
    """How a tokenizer writes conversations with these tools."""

    tokenizer: Any
    tools: Sequence[Any] | None

    def turns(self, messages: Messages) -> Iterator[Text]:
        """Each turn at the end of what precedes it; together those in a row that are not written one by one."""
        for spoken, group in groupby(range(len(messages)), lambda number: messages[number]["role"] == ASSISTANT):
            if not spoken:
                continue
            numbers = list(group)
            found = [self._turn(messages[: number + 1]) for number in numbers]
            if None in found and len(numbers) > 1:
                yield self._joined(messages[: numbers[-1] + 1], len(numbers))
                continue
            for number, turn in zip(numbers, found, strict=True):
                if turn is None:
                    raise self._refusal(messages[: number + 1])
                yield turn

    def _turn(self, messages: Messages) -> Text | None:
        """The last message at the end of what precedes it; None if it is not written there."""
        before, after = self.written(messages[:-1], asked=True), self.written(messages)
        if not after.startswith(before):
            return None
        return Text(after, (Span(len(messages) - 1, len(before), len(after.rstrip())),))

    def _refusal(self, messages: Messages) -> UserError:
        """Why the last message is not written at the end of what precedes it."""
        before, after = self.written(messages[:-1]), self.written(messages)
        asked = self.written(messages[:-1], asked=True)
        if not (after.startswith(before) and asked.startswith(before)):
            return _not_told_apart(len(messages) - 1)
        return UserError(
            f"the tokenizer's chat template asks for message {len(messages)} with {asked.removeprefix(before)!r} and "
            "then writes it without that, so that what it writes is not what the model has to say; change what the "
            "template asks with, or take another one"
        )

    def _joined(self, messages: Messages, count: int) -> Text:
        """The last messages, of which the template writes the earlier ones otherwise once the later ones are there.

        Marks are written in place of the contents, and what is around them must be what is around these. A turn ends
        with what ends the last one, and starts behind what asks for one, if these stand between two contents.
        """
        first = len(messages) - count
        before, after = self.written(messages[:first], asked=True), self.written(messages)
        asks = before.removeprefix(self.written(messages[:first]))
        marks = [f"\u2402{number}\u2403" for number in range(count)]
        marked = [{**message, "content": mark} for message, mark in zip(messages[first:], marks, strict=True)]
        pieces = _split(self.written([*messages[:first], *marked]), marks)
        contents = [str(message.get("content", "")).strip() for message in messages[first:]]
        if not all(contents) or "".join(_alternating(pieces, contents)) != after or not pieces[0].startswith(before):
            raise _not_told_apart(len(messages) - 1)
        ends, spans, start, at = pieces[-1].rstrip(), list[Span](), len(before), len(pieces[0])
        for number, (content, between) in enumerate(zip(contents, pieces[1:], strict=True), start=first):
            at += len(content)
            end = at + len(ends) * between.startswith(ends)
            spans.append(Span(number, start, end))
            asked = between.rfind(asks) if asks else -1
            start = max(end, at + asked + len(asks)) if asked >= 0 else end
            at += len(between)
        return Text(after, tuple(spans))

    def written(self, messages: Messages, *, asked: bool = False) -> str:
        """Messages as text; ``asked``: with what comes before the assistant's next turn."""
        if getattr(self.tokenizer, "chat_template", None):
            return self._by_template(messages, asked) if messages else ""
        end = self.tokenizer.eos_token or ""
        lines = [
            f"{one['role']}: {one.get('content', '')}{end if one['role'] == ASSISTANT else ''}\n" for one in messages
        ]
        return "".join(lines) + (f"{ASSISTANT}: " if asked else "")

    def _by_template(self, messages: Messages, asked: bool) -> str:
        settings: dict[str, Any] = {"tools": list(self.tools)} if self.tools else {}
        plain = [dict(message) for message in messages]
        write = self.tokenizer.apply_chat_template
        try:
            return str(write(plain, tokenize=False, add_generation_prompt=asked, **settings))
        except (_template_error(), TypeError) as error:
            raise UserError(
                f"the tokenizer's chat template cannot write the first {len(messages)} messages of a conversation "
                f"({error}); change them, or take another template"
            ) from error


def _split(text: str, marks: Sequence[str]) -> list[str]:
    """What is before, between and behind marks, each of which a text has once; fewer pieces where it has not."""
    pieces = []
    for mark in marks:
        piece, _, text = text.partition(mark)
        pieces.append(piece)
    return [*pieces, text]


def _alternating(pieces: Sequence[str], contents: Sequence[str]) -> Iterator[str]:
    for piece, content in zip_longest(pieces, contents, fillvalue=""):
        yield piece
        yield content


def _within(whole: str, turns: Text, messages: Messages) -> Sequence[Span] | None:
    """Where turns stand in a conversation, right after what precedes them; None if not all of them does."""
    first, last = turns.spans[0], turns.spans[-1]
    if not whole.startswith(turns.text[: first.start]):
        return None
    said = turns.text[first.start : last.end]
    if whole.startswith(said, first.start):
        return turns.spans
    if len(turns.spans) > 1:
        return None
    rest = next((said[cut:] for cut in range(1, len(said)) if whole.startswith(said[cut:], first.start)), "")
    held = bool(rest) and all(one in rest for one in _said(messages[first.message]))
    return [first._replace(end=first.start + len(rest))] if held else None


def _said(message: Mapping[str, Any]) -> list[str]:
    """The texts of a message, and the names of what it calls."""
    texts = [message[name].strip() for name in _SAID if isinstance(message.get(name), str)]
    return texts + [str(call.get("function", call).get("name", "")) for call in message.get("tool_calls") or ()]


def _template_error() -> type[Exception]:
    """What a chat template raises, which is Jinja's: transformers itself asks for it only where one is used."""
    found: type[Exception] = importlib.import_module("jinja2").TemplateError
    return found


def _not_told_apart(number: int) -> UserError:
    return UserError(
        f"the tokenizer's chat template writes what precedes message {number + 1} otherwise than without it, so that "
        "its tokens cannot be told apart; give a template that only appends, or none"
    )
