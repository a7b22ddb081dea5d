"""The calls of tools in one conversation: with what each tool was called last, and what the user said since."""

from __future__ import annotations

from dataclasses import dataclass

from tasksieve.encoding.calls import given_to
from tasksieve.encoding.phrases import Phrase

Argument = tuple[str, str]
"""A tool, and the name of its argument."""


@dataclass(frozen=True, slots=True)
class LastCall:
    """What an argument was when its tool was called with it last.

    Attributes:
        values: several where it is a list.
        time: after how many utterances.
        response: the number of the response that called it.
    """

    values: tuple[str, ...]
    time: int
    response: int


class CallsMade:
    """The calls so far."""

    def __init__(self) -> None:
        self._last: dict[Argument, LastCall] = {}
        self._said: list[tuple[Phrase, int]] = []
        self._called: dict[str, int] = {}
        self._time = self._responses = 0

    def hear(self, phrase: Phrase) -> None:
        """Know what the user says next."""
        self._time += 1
        self._said.append((phrase, self._time))

    def answer(self, response: str) -> None:
        """Know what the system answers; a response without a word calls nothing and says nothing."""
        if not any(map(str.isalnum, response)):
            return
        self._responses += 1
        values: dict[Argument, list[str]] = {}
        for tool, given in given_to(response):
            if tool and given.key:
                values.setdefault((tool, given.key), []).append(given.text)
        for argument, found in values.items():
            self._last[argument] = LastCall(tuple(found), self._time, self._responses)
            self._called[argument[0]] = self._time

    def last(self, argument: Argument) -> LastCall | None:
        """What an argument was last; None if its tool was not called with it."""
        return self._last.get(argument)

    def just_made(self) -> dict[Argument, tuple[str, ...]]:
        """The arguments of the calls that the last response made; none if it was no call."""
        return {name: call.values for name, call in self._last.items() if call.response == self._responses}

    def said_since(self, tool: str = "") -> list[Phrase]:
        """What was said since a tool was called last, the latest first; all of it if it was never called."""
        since = self._called.get(tool, 0)
        return [phrase for phrase, time in reversed(self._said) if time > since]
