"""Chat messages in the shapes that services document, and what becomes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tasksieve.dialogs import Act, Note, Record, Turn
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.dialogs.formats.validate import validate
from tasksieve.errors import UserError


def read(folder: Path, *messages: dict[str, Any], **more: object) -> tuple[Turn | Record | Note, ...]:
    (folder / "dialogs").write_text(json.dumps({"messages": messages, **more}))
    return read_dialogs(folder / "dialogs")[0].events


def user(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


def assistant(**keys: object) -> dict[str, object]:
    return {"role": "assistant", **keys}


HELLO = user("hi")
OBJECT = {"city": "Rome", "now": True, "note": None}


@pytest.mark.parametrize(
    ("keys", "response"),
    [
        ({"function_call": {"name": "book", "arguments": '{"people": 2}'}}, 'api_call book {"people": 2}'),
        ({"content": None, "function_call": {"name": "book", "arguments": ""}}, "api_call book"),
        (
            {"content": "", "tool_calls": [{"type": "function", "function": {"name": "book", "arguments": OBJECT}}]},
            'api_call book {"city":"Rome","now":true,"note":null}',
        ),
        ({"tool_calls": [{"id": "1", "function": {"name": "hang_up"}}]}, "api_call hang_up"),
        ({"tool_calls": [{"type": "custom", "custom": {"name": "run", "input": "a b"}}]}, "api_call run a b"),
        ({"tool_calls": [{"name": "book", "arguments": [1]}, {"name": "go"}]}, "api_call book [1]\napi_call go"),
        ({"content": None, "refusal": "I cannot."}, "I cannot."),
        ({"content": "hello", "tool_calls": None, "refusal": None, "function_call": None}, "hello"),
    ],
)
def test_every_shape_of_calls_and_refusals_is_a_response(
    tmp_path: Path, keys: dict[str, object], response: str
) -> None:
    called = tuple(Act("call", line.split()[1]) for line in response.split("\n") if line.startswith("api_call"))
    assert read(tmp_path, HELLO, assistant(**keys)) == (Turn("hi", response, acts=called),)
    assert validate(tmp_path / "dialogs").lost == {}


def test_calls_and_refusals_beside_text_are_counted(tmp_path: Path) -> None:
    call = {"function": {"name": "book"}}
    assert read(tmp_path, HELLO, assistant(content="on it", tool_calls=[call, call], refusal="no")) == (
        Turn("hi", "on it", acts=(Act("call", "book"),)),
    )
    assert validate(tmp_path / "dialogs").lost == {
        "call of a tool in a message that also has text": 2,
        "'refusal' of a message that also has text": 1,
    }


@pytest.mark.parametrize("call", [5, {}, {"function": {"arguments": "{}"}}, {"custom": {"name": " "}}])
def test_a_call_without_a_name_is_refused_by_its_true_name(tmp_path: Path, call: object) -> None:
    with pytest.raises(UserError, match=":1: message 2: found a call of a tool without its name"):
        read(tmp_path, HELLO, assistant(tool_calls=[call]))


def test_calls_that_are_no_list_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=":1: message 2: 'tool_calls' is no list"):
        read(tmp_path, HELLO, assistant(tool_calls={"name": "book"}))


def test_results_are_of_the_tool_that_was_called(tmp_path: Path) -> None:
    called = assistant(tool_calls=[{"id": "1", "type": "custom", "custom": {"name": "run", "input": "now"}}])
    result = {"role": "tool", "tool_call_id": "1", "content": {"ok": True}}
    events = read(tmp_path, HELLO, called, result, assistant(content="done"))
    assert events[1] == Record("run", (("ok", "true"),))
    bare = assistant(tool_calls=[{"name": "book"}])
    events = read(tmp_path, HELLO, bare, {"role": "tool", "content": '{"ok": 1}'}, assistant(content="done"))
    assert events[1] == Record("book", (("ok", "1"),))
    called = assistant(function_call={"name": "book", "arguments": "{}"})
    events = read(
        tmp_path, HELLO, called, {"role": "function", "name": "book", "content": "ok"}, assistant(content="a")
    )
    assert events[1] == Note("ok")


@pytest.mark.parametrize(
    ("content", "said", "lost"),
    [
        ([{"type": "text", "text": "what is"}, {"type": "image_url", "image_url": {"url": "x"}}], "what is", 1),
        (["one", "two"], "one\ntwo", 0),
        ([{"type": "input_text", "text": "a"}, {"type": "output_text", "text": {"value": "b"}}], "a\nb", 0),
        ([{"text": "hello"}], "hello", 0),
        ([{"type": "refusal", "refusal": "I cannot."}], "I cannot.", 0),
        (["a", 5, {"type": "text", "text": 5}, {"type": 5, "text": "b"}, {"type": "think", "text": "c"}], "a", 4),
    ],
)
def test_parts_in_every_shape_are_text_or_counted(tmp_path: Path, content: object, said: str, lost: int) -> None:
    assert read(tmp_path, user(content), assistant(content=content)) == (Turn(said, said),)
    assert sum(validate(tmp_path / "dialogs").lost.values()) == 2 * lost


def test_an_image_alone_is_a_user_who_says_nothing(tmp_path: Path) -> None:
    image = {"type": "image_url", "image_url": {"url": "x"}}
    assert read(tmp_path, user([image]), assistant(content="a dog")) == (Turn("", "a dog"),)
    assert validate(tmp_path / "dialogs").lost == {"part 'image_url' of a message": 1}


def test_parts_of_a_result_are_told_apart_from_a_list_of_results(tmp_path: Path) -> None:
    for content, told in (
        ([{"type": "text", "text": "it rains"}], Note("it rains")),
        ([{"text": '{"sky": "rain"}'}], Record("find", (("sky", "rain"),))),
        ([{"type": "hotel", "stars": 5}], Record("find", (("type", "hotel"), ("stars", "5")))),
    ):
        result = {"role": "tool", "name": "find", "content": content}
        assert read(tmp_path, result, HELLO, assistant(content="a"))[0] == told


@pytest.mark.parametrize("system", ["be kind", [{"text": "be kind"}]])
def test_a_system_prompt_may_stand_beside_the_messages(tmp_path: Path, system: object) -> None:
    assert read(tmp_path, HELLO, assistant(content="a"), system=system) == (Note("be kind"), Turn("hi", "a"))


DIALOGS = [{"messages": [HELLO, assistant(content=reply)]} for reply in ("a", "b")]
SHARED = [{"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": reply}]} for reply in "ab"]


@pytest.mark.parametrize("dialogs", [DIALOGS, SHARED])
@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_and_objects_over_several_lines_are_read(
    tmp_path: Path, dialogs: object, indent: int | None
) -> None:
    assert isinstance(dialogs, list)
    for text in (json.dumps(dialogs, indent=indent), "\n".join(json.dumps(each, indent=indent) for each in dialogs)):
        (tmp_path / "dialogs.json").write_text(text)
        assert [dialog.events for dialog in read_dialogs(tmp_path / "dialogs.json")] == [
            (Turn("hi", "a"),),
            (Turn("hi", "b"),),
        ]


def test_objects_with_a_message_a_line_are_read(tmp_path: Path) -> None:
    messages = ",\n".join(json.dumps(message) for message in (HELLO, assistant(content="a")))
    (tmp_path / "dialogs").write_text(f'{{"messages": [\n{messages}\n]}}\n\n{{"messages": [{messages}]}}')
    assert [dialog.line for dialog in read_dialogs(tmp_path / "dialogs")] == [1, 6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"role": "boss", "content": "hi"}]', ":1: message 1: found role 'boss'"),
        ('[{"messages": []}, 5]', ":1: found 5; expected an object with 'messages'"),
        (
            '[{"said": "hi"}]',
            r":1: found keys \['said'\]; expected 'messages', 'conversations' or 'contents', or two",
        ),
        ('{\n"messages": [}', ":2: is not JSON"),
        ('{\n"messages": 1}\n[1]', ":1: found 1 as 'messages'; expected a list of messages"),
        ('{"messages": [\n{"messages": 5}', ":1: is not JSON"),
    ],
)
def test_what_looks_like_messages_is_refused_as_such(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "dialogs").write_text(text)
    with pytest.raises(UserError, match=message):
        read_dialogs(tmp_path / "dialogs")
