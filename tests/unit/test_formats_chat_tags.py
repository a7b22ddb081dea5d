"""Calls of tools between tags in a text, and messages that stand in an object as JSON."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.dialogs import SILENCE, Act, Note, Record, Turn
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.tags import decoded, untagged
from tasksieve.dialogs.formats.validate import validate

CALL = '{"name": "book", "arguments": {"people": 2}}'
BOOKED = Turn("hi", 'api_call book {"people":2}', acts=(Act("call", "book"),))
ANSWER = Record("book", (("ok", "true"),))
DONE = Turn(SILENCE, "done")


def file_of(folder: Path, *values: Any) -> Path:
    path = folder / "in.jsonl"
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return path


def said(call: str, *answers: dict[str, str]) -> dict[str, Any]:
    talk = [{"from": "human", "value": "hi"}, {"from": "gpt", "value": call}, *answers]
    return {"conversations": [*talk, {"from": "gpt", "value": "done"}]}


@pytest.mark.parametrize(
    "call",
    [
        f"<tool_call>\n{CALL}\n</tool_call>",
        f"<tool_call>[{CALL}]</tool_call>",
        "<tool_call>{'name': 'book', 'arguments': {'people': 2}}</tool_call>",
        '<function=book>{"people": 2}</function>',
        f"<functioncall> {CALL} <|endoftext|>",
    ],
)
def test_a_call_between_tags_is_a_call(tmp_path: Path, call: str) -> None:
    (dialog,) = read_dialogs(file_of(tmp_path, said(call, {"from": "tool", "value": '{"ok": true}'})))
    assert dialog.events == (BOOKED, ANSWER, DONE)


def test_arguments_may_have_tags_of_their_own_or_stand_in_quotes(tmp_path: Path) -> None:
    tagged = "<tool_call>\n<function=book>\n<parameter=people>\n2\n</parameter>\n</function>\n</tool_call>"
    quoted = '<functioncall> {"name": "book", "arguments": \'{"people":2}\'}'
    first, second = read_dialogs(file_of(tmp_path, said(tagged), said(quoted)))
    assert first.turns[0] == Turn("hi", 'api_call book {"people":"2"}', acts=(Act("call", "book"),))
    assert second.turns[0] == BOOKED


@pytest.mark.parametrize("speaker", ["tool", "human"])
def test_answers_between_tags_are_records_whoever_says_them(tmp_path: Path, speaker: str) -> None:
    answer = '<tool_response>\n{"ok": true}\n</tool_response>'
    (dialog,) = read_dialogs(
        file_of(tmp_path, said(f"<tool_call>{CALL}</tool_call>", {"from": speaker, "value": answer}))
    )
    assert dialog.events == (BOOKED, ANSWER, DONE)


def test_answers_have_the_tool_that_they_name_or_the_next_one_that_was_called(tmp_path: Path) -> None:
    calls = "".join(f'<tool_call>{{"name": "{name}"}}</tool_call>' for name in ("find", "book", "pay"))
    named = '{"name": "book", "content": {"n": 2}}'
    answers = "".join(f"<tool_response>{one}</tool_response>" for one in (named, '{"n": 1}', '{"n": 3}'))
    (dialog,) = read_dialogs(file_of(tmp_path, said(calls, {"from": "tool", "value": answers})))
    records = [event for event in dialog.events if isinstance(event, Record)]
    assert [(record.kind, record.fields[0][1]) for record in records] == [("book", "2"), ("find", "1"), ("pay", "3")]


def test_tools_in_a_system_prompt_are_named_as_not_read(tmp_path: Path) -> None:
    value = said(f"<tool_call>{CALL}</tool_call>")
    value["conversations"].insert(0, {"from": "system", "value": "Be kind. <tools>[{}]</tools>"})
    path = file_of(tmp_path, value)
    assert read_dialogs(path)[0].events[0] == Note("Be kind.")
    assert validate(path).lost == {"'<tools>' of a message": 1}


@pytest.mark.parametrize(
    "text",
    ["<tool_call>soon</tool_call>", "<tool_call>", "a </tool_call> b", "<function=x>[1]</function>", "<tools>x"],
)
def test_what_is_no_call_stays_text(tmp_path: Path, text: str) -> None:
    (dialog,) = read_dialogs(file_of(tmp_path, said(text)))
    assert dialog.turns[0] == Turn("hi", text)


def test_text_beside_a_call_is_the_response_and_the_call_is_named(tmp_path: Path) -> None:
    path = file_of(tmp_path, said(f"One moment. <tool_call>{CALL}</tool_call>"))
    assert read_dialogs(path)[0].turns[0] == Turn("hi", "One moment.", acts=(Act("call", "book"),))
    assert validate(path).lost == {"call of a tool in a message that also has text": 1}


def test_from_chat_to_chat_the_tags_stay(tmp_path: Path) -> None:
    value = said(f"<tool_call>{CALL}</tool_call>", {"from": "tool", "value": "<tool_response>{}</tool_response>"})
    done = convert(file_of(tmp_path, value), tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text()) == value
    assert done.lost == {}


def test_many_tags_that_never_close_take_no_time() -> None:
    started = time.process_time()
    for tag in ("<tool_call>", "<function=a>", "<tool_call><function=a>", "<tools></tool_call>"):
        text = tag * 200_000
        assert untagged({"role": "assistant", "content": text})[0]["content"] == text
    assert time.process_time() - started < 5


@settings(deadline=None)
@given(st.text(alphabet="<>/tool_calfuncinresp=a{}\"': ,[]1\n", max_size=80))
def test_any_text_is_read(text: str) -> None:
    for role in ("user", "assistant", "tool", "system"):
        assert untagged({"role": role, "content": f"<tool_call>{text}</tool_call>{text}<tool_response>{text}"})
    assert json.dumps(decoded(text)) is not None


def test_messages_as_json_text_are_messages_and_stay_text(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    path = file_of(tmp_path, {"messages": json.dumps(messages), "id": 1})
    assert read_dialogs(path)[0].events == (Turn("hi", "hello"),)
    convert(path, tmp_path / "out.jsonl", weights={(0, 0): 0.5})
    written = json.loads((tmp_path / "out.jsonl").read_text())
    assert json.loads(written["messages"]) == [messages[0], {**messages[1], "weight": 0.5}]
    assert written["id"] == 1


def test_a_prompt_and_a_choice_as_json_text_are_messages(tmp_path: Path) -> None:
    prompt = json.dumps([{"role": "user", "content": "hi"}])
    path = file_of(
        tmp_path, {"prompt": prompt, "completion": json.dumps([{"role": "assistant", "content": "hello"}])}
    )
    assert read_dialogs(path)[0].events == (Turn("hi", "hello"),)
    assert read_dialogs(file_of(tmp_path, {"prompt": "[1]", "completion": "[2]"}))[0].events == (Turn("[1]", "[2]"),)
