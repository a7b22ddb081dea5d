"""Rows and messages in the shapes of other services and of public data sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tasksieve.dialogs import Act, Note, Record, Turn
from tasksieve.dialogs.formats import format_of, read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.validate import validate
from tasksieve.errors import UserError

HI, HELLO = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}
BYE, SEE_YOU = {"role": "user", "content": "bye"}, {"role": "assistant", "content": "see you"}
FIRST, SECOND, KIND = Turn("hi", "hello"), Turn("bye", "see you"), Note("be kind")
CALL = Turn("a table", 'api_call book {"people":2}', acts=(Act("call", "book"),))
BOOKED, DONE = Record("book", (("ok", "true"),)), Turn("<SILENCE>", "done")
BOOK = {"people": 2}

ROWS: dict[str, tuple[Any, tuple[Any, ...], dict[str, int]]] = {
    "prompt and completion": ({"prompt": "hi ->", "completion": " hello\n"}, (Turn("hi ->", "hello"),), {}),
    "prompt and completion as messages": (
        {"prompt": [{"role": "system", "content": "be kind"}, HI], "completion": [HELLO]},
        (KIND, FIRST),
        {},
    ),
    "instruction, input and output": (
        {"instruction": "add", "input": "1 and 2", "output": "3", "text": "Below is …"},
        (Turn("add\n1 and 2", "3"),),
        {"'text' of a dialog": 1},
    ),
    "instruction without an input": ({"instruction": "hi", "input": "", "output": "hello"}, (FIRST,), {}),
    "instruction, context and response": (
        {"instruction": "where", "context": "The inn is in Rome.", "response": "Rome", "category": "qa"},
        (Note("The inn is in Rome."), Turn("where", "Rome")),
        {"'category' of a dialog": 1},
    ),
    "a history of pairs": (
        {"system": "be kind", "history": [["hi", "hello"]], "instruction": "bye", "output": "see you"},
        (KIND, FIRST, SECOND),
        {},
    ),
    "a history of messages": ({"query": "bye", "response": "see you", "history": [HI, HELLO]}, (FIRST, SECOND), {}),
    "question and answer": ({"question": "hi", "answer": "hello", "id": 7}, (FIRST,), {"'id' of a dialog": 1}),
    "system prompt, question and response": (
        {"system_prompt": "be kind", "question": "hi", "response": "hello"},
        (KIND, FIRST),
        {},
    ),
    "context and response": ({"context": "hi", "response": "hello"}, (FIRST,), {}),
    "user and assistant": ({"user": "hi", "assistant": "hello"}, (FIRST,), {}),
    "input and output": ({"input": "hi", "output": "hello"}, (FIRST,), {}),
    "prompt, chosen and rejected": (
        {"prompt": "hi", "chosen": "hello", "rejected": "no"},
        (FIRST,),
        {"'rejected' of a dialog": 1},
    ),
    "a whole conversation as chosen": (
        {"prompt": "hi", "chosen": [HI, HELLO], "rejected": [HI, BYE]},
        (FIRST,),
        {"'rejected' of a dialog": 1},
    ),
    "chosen without a prompt": ({"chosen": [HI, HELLO]}, (FIRST,), {}),
    "chosen with another prompt": (
        {"prompt": "x", "chosen": [HI, HELLO]},
        (FIRST,),
        {"'prompt' of a dialog": 1},
    ),
    "a preferred output": (
        {"input": {"messages": [HI], "tools": [{}]}, "preferred_output": [HELLO], "non_preferred_output": [BYE]},
        (FIRST,),
        {"'non_preferred_output' of a dialog": 1, "'tools' of a dialog": 1},
    ),
    "ShareGPT": (
        {
            "conversations": [
                {"from": "system", "value": "be kind"},
                {"from": "human", "value": "hi"},
                {"from": "gpt", "value": "hello"},
            ]
        },
        (KIND, FIRST),
        {},
    ),
    "ShareGPT with the keys of messages": ({"conversations": [HI, HELLO], "tools": "[]"}, (FIRST,), None),
    "ShareGPT with calls": (
        {
            "conversations": [
                {"from": "human", "value": "a table"},
                {"from": "function_call", "value": '{"name": "book", "arguments": {"people": 2}}'},
                {"from": "observation", "value": '{"ok": true}'},
                {"from": "gpt", "value": "done"},
            ]
        },
        (CALL, BOOKED, DONE),
        {},
    ),
    "conversation of pairs": (
        {
            "conversation": [
                {"system": "be kind", "input": "hi", "output": "hello"},
                {"human": "bye", "assistant": "see you"},
            ]
        },
        (KIND, FIRST, SECOND),
        {},
    ),
    "texts in turns": (
        {"id": "1", "data": ["hi", "hello", "bye", "see you"]},
        (FIRST, SECOND),
        {"'id' of a dialog": 1},
    ),
    "messages as texts": ({"messages": ["hi", "hello"]}, (FIRST,), {}),
    "authors": ({"context": "be kind", "messages": [{"author": "user", "content": "hi"}, HELLO]}, (KIND, FIRST), {}),
    "columns that are null": (
        {
            "messages": None,
            "prompt": "hi",
            "completion": "hello",
            "conversations": None,
            "tools": None,
            "weight": None,
        },
        (FIRST,),
        {},
    ),
    "a list of messages": ([HI, HELLO], (FIRST,), {}),
    "Gemini": (
        {
            "systemInstruction": {"role": "system", "parts": [{"text": "be kind"}]},
            "contents": [
                {
                    "role": "user",
                    "parts": [{"text": "a table"}, {"inlineData": {"mimeType": "image/png", "data": ""}}],
                },
                {"role": "model", "parts": [{"functionCall": {"name": "book", "args": BOOK}}]},
                {"role": "user", "parts": [{"functionResponse": {"name": "book", "response": {"ok": True}}}]},
                {"role": "model", "parts": [{"text": "well", "thought": True}, {"text": "done"}]},
            ],
        },
        (KIND, CALL, BOOKED, DONE),
        {"part 'inlineData' of a message": 1, "part 'thought' of a message": 1},
    ),
    "Anthropic": (
        {
            "system": [{"type": "text", "text": "be kind", "cache_control": {"type": "ephemeral"}}],
            "messages": [
                {"role": "user", "content": "a table"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "book", "input": BOOK}]},
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "t",
                            "content": [{"type": "text", "text": '{"ok": true}'}],
                        }
                    ],
                },
                {
                    "role": "assistant",
                    "content": [{"type": "thinking", "thinking": "well"}, {"type": "text", "text": "done"}],
                },
            ],
        },
        (KIND, CALL, BOOKED, DONE),
        {"'cache_control' of a part": 1, "part 'thinking' of a message": 1},
    ),
    "Anthropic, with words beside a result": (
        {
            "messages": [
                {"role": "user", "content": "a table"},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "one moment"},
                        {"type": "tool_use", "id": "t", "name": "book", "input": BOOK},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "t", "content": "full", "is_error": True},
                        {"type": "text", "text": "well?"},
                    ],
                },
                {"role": "assistant", "content": "done"},
            ]
        },
        (Turn("a table", "one moment", acts=(Act("call", "book"),)), Note("full"), Turn("well?", "done")),
        {"call of a tool in a message that also has text": 1, "'is_error' of a message": 1},
    ),
    "Bedrock": (
        {
            "schemaVersion": "bedrock-conversation-2024",
            "system": [{"text": "be kind"}],
            "messages": [
                {"role": "user", "content": [{"text": "a table"}]},
                {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "book", "input": BOOK}}]},
                {
                    "role": "user",
                    "content": [
                        {"toolResult": {"toolUseId": "t", "content": [{"json": {"ok": True}}, {"text": "good"}]}}
                    ],
                },
                {"role": "assistant", "content": [{"text": "done"}]},
            ],
        },
        (KIND, CALL, BOOKED, Note("good"), DONE),
        {"'schemaVersion' of a dialog": 1},
    ),
    "Responses": (
        {
            "input": [
                {"type": "message", "role": "developer", "content": "be kind"},
                {"type": "reasoning", "summary": [], "id": "r"},
                {"role": "user", "content": [{"type": "input_text", "text": "a table"}]},
                {"type": "function_call", "call_id": "c", "name": "book", "arguments": '{"people":2}', "id": "f"},
                {"type": "function_call_output", "call_id": "c", "output": '{"ok": true}'},
            ],
            "output": [
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]}
            ],
        },
        (KIND, CALL, BOOKED, DONE),
        {"item 'reasoning' of a dialog": 1},
    ),
}
ROWS["ShareGPT with the keys of messages"] = (
    *ROWS["ShareGPT with the keys of messages"][:2],
    {"'tools' of a dialog": 1},
)


@pytest.mark.parametrize("name", list(ROWS))
def test_a_row_of_every_public_shape_is_a_dialog(tmp_path: Path, name: str) -> None:
    value, events, lost = ROWS[name]
    files = (json.dumps(value), json.dumps([value]), json.dumps([value], indent=2), f"{json.dumps(value)}\n" * 2)
    for number, text in enumerate(files):
        path = tmp_path / f"{number}.json"
        path.write_text(text)
        assert format_of(path).name == "chat"
        for dialog in read_dialogs(path):
            assert dialog.events == events
        found = validate(path)
        assert (found.lost, found.problems) == ({key: count * found.dialogs for key, count in lost.items()}, ())
        assert found.dialogs == 1 + (number == 3)


@pytest.mark.parametrize("name", list(ROWS))
def test_a_row_goes_to_chat_messages_as_it_is_with_weights_beside(tmp_path: Path, name: str) -> None:
    value, events, _ = ROWS[name]
    (tmp_path / "in.json").write_text(json.dumps([value], indent=1))
    assert convert(tmp_path / "in.json", tmp_path / "out.jsonl").lost == {}
    assert json.loads((tmp_path / "out.jsonl").read_text()) == value
    count = sum(isinstance(event, Turn) for event in events)
    weights = {(0, turn): 0.25 + turn for turn in range(count)}
    done = convert(tmp_path / "in.json", tmp_path / "out.jsonl", weights=weights)
    assert (done.turns, done.lost) == (count, {})
    (dialog,) = read_dialogs(tmp_path / "out.jsonl")
    assert dialog.events == events
    assert [turn.learned for turn in dialog.turns] == list(weights.values())


@pytest.mark.parametrize(
    ("row", "weight"),
    [
        ({"prompt": "hi", "completion": "hello", "weight": 0.5}, 0.5),
        ({"prompt": "hi", "completion": "hello", "label": False}, 0),
        ({"prompt": "hi", "completion": "hello", "label": True}, 1),
        ({"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello", "weight": 2}]}, 2),
        ({"contents": [{"role": "user", "parts": ["hi"]}, {"role": "model", "parts": ["hello"], "weight": 0}]}, 0),
    ],
)
def test_what_a_row_says_of_its_response_counts(tmp_path: Path, row: object, weight: float) -> None:
    (tmp_path / "dialogs").write_text(json.dumps(row))
    (dialog,) = read_dialogs(tmp_path / "dialogs")
    assert (dialog.events, dialog.turns[0].learned) == ((FIRST,), weight)
    assert validate(tmp_path / "dialogs").lost == {}


KNOWN = "expected 'messages', 'conversations' or 'contents', or two keys such as 'prompt' and 'completion'"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "<|user|>hi"}, f"found 'text' in which no marks say who speaks; {KNOWN}"),
        ({"instruction": "hi"}, f"found keys ['instruction']; {KNOWN}"),
        (
            {"chosen": "hi"},
            "found 'chosen' without 'prompt'; expected a list of messages that begins with the user's",
        ),
        ({"chosen": [HELLO]}, "found 'chosen' without 'prompt'"),
        ({"question": "hi", "answer": ["a", "b"]}, "found ['a', 'b']; expected one text, or a list of messages"),
        ({"prompt": "hi", "completion": 5}, "'completion': found 5; expected text"),
        ({"conversations": {"a": 1}}, "found {'a': 1} as 'conversations'; expected a list of messages"),
        (
            {"messages": [{"role": "user", "said": "hi"}]},
            "message 1: found keys ['role', 'said']; expected an object",
        ),
        ({"messages": [{"role": "call", "content": ""}]}, "message 1: found role 'call'"),
        (
            {"messages": [{"from": "tool_call", "value": "book"}]},
            "message 1: found 'book'; expected a call of a tool",
        ),
        ({"messages": [{**HELLO, "content": {"a": 5}}]}, "message 1: found {'a': 5}; expected text"),
    ],
)
def test_what_is_of_no_known_shape_is_refused_in_a_sentence(tmp_path: Path, row: object, message: str) -> None:
    for text in (json.dumps(row), json.dumps([row])):
        (tmp_path / "dialogs.json").write_text(text)
        with pytest.raises(UserError) as caught:
            read_dialogs(tmp_path / "dialogs.json")
        assert str(caught.value).startswith(f"{tmp_path / 'dialogs.json'}:1: ")
        assert message in str(caught.value)


def test_null_says_nothing(tmp_path: Path) -> None:
    rows = [
        {"messages": [{"role": "user", "content": None}, {**HELLO, "tool_calls": None, "weight": None}]},
        {"messages": [HI, {"role": "assistant", "content": None}, {"role": "tool", "content": None}, BYE, SEE_YOU]},
        {"prompt": "hi", "completion": None},
    ]
    (tmp_path / "dialogs").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [dialog.events for dialog in read_dialogs(tmp_path / "dialogs")] == [(Turn("", "hello"),), (SECOND,)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            {"status": "ok", "data": {"total": 2, "inns": [{"name": "A"}, {"name": "B"}]}},
            (
                Record("find", (("name", "A"),)),
                Record("find", (("name", "B"),)),
                Record("find", (("status", "ok"), ("total", "2"))),
            ),
        ),
        (
            {"inn": {"name": "A", "at": {"city": "Rome"}}, "open": True},
            (
                Record(
                    "find",
                    (("inn", Record("", (("name", "A"), ("at", Record("", (("city", "Rome"),)))))), ("open", "true")),
                ),
            ),
        ),
        ([[{"name": "A"}]], (Note('[[{"name": "A"}]]'),)),
        ([1, None], (Note("[1, null]"),)),
        (21, (Note("21"),)),
    ],
)
def test_what_a_tool_answers_is_records_or_a_note(
    tmp_path: Path, content: object, told: tuple[Record | Note, ...]
) -> None:
    for given in (content, json.dumps(content)):
        result = {"role": "tool", "name": "find", "content": given}
        (tmp_path / "dialogs").write_text(json.dumps({"messages": [result, HI, HELLO]}))
        (dialog,) = read_dialogs(tmp_path / "dialogs")
        assert dialog.events == (*told, FIRST)
