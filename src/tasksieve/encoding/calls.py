"""Calls of tools as responses: ``api_call NAME {"customer":"4711"}``, or ``api_call italian rome six cheap``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache

CALL = "api_call"
_START = re.compile(rf"\s*{CALL}\b\s*")
_TOOL = re.compile(rf"(?:^|\n)\s*{CALL}\s+([^\s{{\[]+)")
_BRACE = re.compile(r"[{\[]")
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?|(?<![\w"])-?\d+(?:\.\d+)?(?![\w"])')
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Argument:
    """One value that a tool is called with.

    Attributes:
        key: its name, in lower case; empty if it has none.
        start, end: its first character, and the one after its last; quotes are no part of it.
        text: the value.
        quoted: whether it is text in JSON.
    """

    key: str
    start: int
    end: int
    text: str
    quoted: bool


def is_call(response: str) -> bool:
    """Whether a response is a call of a tool."""
    return _START.match(response) is not None


def tool_of(response: str) -> str:
    """The name of the tool that a response calls; empty if it is no call, or its words do not tell which is the name.

    >>> tool_of('api_call find {"city":"Rome"}'), tool_of("api_call italian rome six")
    ('find', '')
    """
    start = _START.match(response)
    brace = None if start is None else _BRACE.search(response, start.end())
    return "" if start is None or brace is None else response[start.end() : brace.start()].strip()


def arguments_of(response: str) -> list[Argument]:
    """The values that a tool is called with, from left to right; none if it is no call.

    >>> [(given.key, given.text) for given in arguments_of('api_call find {"city":"Rome","nights":2}')]
    [('city', 'Rome'), ('nights', '2')]
    >>> [given.text for given in arguments_of("api_call italian rome six")]
    ['italian', 'rome', 'six']
    """
    start = _START.match(response)
    if start is None:
        return []
    brace = _BRACE.search(response, start.end())
    if brace is None:
        words = _WORD.finditer(response, start.end())
        return [Argument("", word.start(), word.end(), word[0], False) for word in words]
    key, found = "", []
    for token in _TOKEN.finditer(response, brace.start()):
        if token[2]:
            key = _plain(token[1]).lower()
        elif token[1] is not None:
            found.append(Argument(key, token.start(1), token.end(1), _plain(token[1]), True))
        else:
            found.append(Argument(key, token.start(), token.end(), token[0], False))
    return found


def argument_at(response: str, place: int) -> tuple[str, str] | None:
    """The tool that is called, and the name of its argument, where a value or a gap stands in a call; None elsewhere.

    >>> argument_at('api_call find {"city":"Rome"}', 23), argument_at('api_call find {"city":"Rome"}', 17)
    (('find', 'city'), None)
    """
    found = ((tool, given.key) for tool, given in given_to(response) if given.start <= place < given.end)
    return next((argument for argument in found if all(argument)), None)


@lru_cache(1 << 12)
def given_to(response: str) -> tuple[tuple[str, Argument], ...]:
    """Every value of all calls of a response, with the tool that it is given to; empty where no name of one is told.

    >>> [(tool, given.text) for tool, given in given_to('api_call find {"city":"Rome"}')]
    [('find', 'Rome')]
    """
    tools = list(_TOOL.finditer(response))
    return tuple(
        (next((tool[1] for tool in reversed(tools) if tool.end() <= given.start), ""), given)
        for given in arguments_of(response)
    )


def escaped(text: str) -> str:
    """A text as it stands between the quotes of JSON."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _plain(inner: str) -> str:
    try:
        return str(json.loads(f'"{inner}"'))
    except ValueError:
        return inner


def call_values(text: str) -> list[tuple[str, str]]:
    """The values of a call that have to come from somewhere, with their keys; the tool's own name is none."""
    found = arguments_of(text)
    if found and not found[0].key and not found[0].quoted and (len(found) == 1 or "_" in found[0].text):
        found = found[1:]
    return [(given.key, given.text) for given in found if any(character.isalnum() for character in given.text)]


def argument_key(key: str, value: str) -> str:
    """By what a value of a call is known as policy."""
    return f"a:{key}={value.lower()}"
