"""Rows of chat files with any value in any place: they are read, or refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.dialogs.formats import FORMATS, iterate_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.errors import UserError
from tests.fuzz.chat_seeds import CHAT_SEEDS

ROWS = [json.loads(line) for line in CHAT_SEEDS[0].splitlines()]
ODD = (
    *(None, True, False, 0, -1, 0.5, 10**400, 1e308, float("nan"), "", " ", "user", "text", "\x00", "\ud800", "[1]"),
    *([], {}, [[]], [None], [5], ["a"], ["a", "b"], [{}], {"a": 1}, {"type": "text"}, {"text": 5}, {"parts": 5}),
    *({"role": "user"}, {"role": []}, {"role": "tool", "content": {"a": [{}]}}, {"type": "function_call"}),
    *({"messages": []}, {"name": "a"}, {"function": {"name": {}}}, [{"json": 5}], {"role": "model", "parts": [{}]}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def changed(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    if isinstance(value, dict):
        return {key: changed(inner, path[1:], odd) if key == path[0] else inner for key, inner in value.items()}
    return [changed(inner, path[1:], odd) if key == path[0] else inner for key, inner in enumerate(value)]


PLACES = [(number, path) for number, row in enumerate(ROWS) for path in places(row)]


def check(folder: Path, row: Any) -> None:
    """A file of a row is read or refused in one line; what is read goes to chat as it was, with weights too."""
    path = folder / "dialogs.json"
    path.write_text(json.dumps([row]))
    chat = FORMATS["chat"]
    try:
        dialogs = list(iterate_dialogs(path, Journal(path), chat))
    except UserError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 1300
        return
    assert convert(path, folder / "out.jsonl", from_format=chat).lost == {}
    learned = [(n, t) for n, dialog in enumerate(dialogs) for t, turn in enumerate(dialog.turns) if turn.learned]
    weights = {place: 0.5 + number for number, place in enumerate(learned)}
    convert(path, folder / "out.jsonl", from_format=chat, weights=weights)
    (again,) = iterate_dialogs(folder / "out.jsonl", known=chat)
    assert again.events == dialogs[0].events
    assert [turn.learned for turn in again.turns if turn.learned] == list(weights.values())


@given(place=st.sampled_from(PLACES), odd=st.sampled_from(ODD))
@settings(deadline=None, max_examples=60)
def test_any_value_in_any_place_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[int, tuple[Any, ...]], odd: Any
) -> None:
    number, path = place
    check(tmp_path_factory.mktemp("damaged"), changed(ROWS[number], path, odd))
