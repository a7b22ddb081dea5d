"""Dialogs as tokens: who speaks stands before what is said, and responses are what is learned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tasksieve.dialogs.dialog import SILENCE

USER, SYSTEM, END = "User: ", "System:", "\n"


@dataclass(frozen=True, slots=True)
class Said:
    """One turn as text: what stands before the response, and the response."""

    user: str
    system: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A dialog as tokens.

    Attributes:
        tokens: all of them, from the first.
        spans: of each response its first token and the one after its last, in the order of the turns.
        first: the number of the first turn in its dialog: not 0 where a long dialog was cut.
    """

    tokens: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    first: int = 0


class DialogTokens:
    """Makes tokens of dialogs; every piece on its own, so that a response has the same tokens after any context.

    Args:
        tokenizer: of transformers.
        longest: so many tokens a dialog has at most; a longer one is cut between turns, and goes on as another one.
    """

    def __init__(self, tokenizer: Any, longest: int = 384) -> None:
        self._tokenizer, self.longest = tokenizer, longest

    @cached_property
    def start(self) -> tuple[int, ...]:
        """What stands before everything: the token of beginnings, or of ends where there is none of those."""
        known = (self._tokenizer.bos_token_id, self._tokenizer.eos_token_id, 0)
        return (next(int(token) for token in known if token is not None),)

    @cached_property
    def end(self) -> int:
        """The last token of every response."""
        return self.of(END)[-1]

    def of(self, text: str) -> tuple[int, ...]:
        """The tokens of a text alone."""
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def context(self, user: str, before: str = "") -> tuple[int, ...]:
        """The tokens before a response: what was found, what the user says, and whose turn it is now."""
        said = "" if user == SILENCE else f"{USER}{user}{END}"
        return self.of(f"{before}{said}{SYSTEM}")

    def response(self, system: str) -> tuple[int, ...]:
        """The tokens of a response, its end with it."""
        return self.of(f" {system}{END}")

    def dialog(self, turns: Iterable[Said]) -> list[Spoken]:
        """A dialog, in as many parts as it needs. A turn that is longer than a part loses its context's beginning."""
        parts: list[Spoken] = []
        tokens, spans, first = list(self.start), list[tuple[int, int]](), 0
        for number, turn in enumerate(turns):
            response = self.response(turn.system)[: self.longest - 2]
            context = self.context(turn.user, turn.before)[-(self.longest - 1 - len(response)) :]
            if spans and len(tokens) + len(context) + len(response) > self.longest:
                parts.append(Spoken(tuple(tokens), tuple(spans), first))
                tokens, spans, first = list(self.start), [], number
            tokens += context
            spans.append((len(tokens), len(tokens) + len(response)))
            tokens += response
        return [*parts, Spoken(tuple(tokens), tuple(spans), first)] if spans else parts

    def before(self, turns: Sequence[Said]) -> tuple[int, ...]:
        """All tokens before the last turn's response, cut at the beginning to half of the longest dialog."""
        tokens: list[int] = []
        for turn in turns[:-1]:
            tokens += [*self.context(turn.user, turn.before), *self.response(turn.system)]
        tokens += self.context(turns[-1].user, turns[-1].before)
        return (*self.start, *tokens[-(self.longest // 2) :])
