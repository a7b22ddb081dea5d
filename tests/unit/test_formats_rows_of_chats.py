"""Tables with an utterance a row that were exported from chats: prompts, calls of tools, parts, names of speakers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasksieve.dialogs import SILENCE, Note, Record, Turn
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.dialogs.formats.validate import validate

CALL = [{"id": "c1", "type": "function", "function": {"name": "rooms", "arguments": '{"n":1}'}}]
ROOMS = {"rooms": [{"name": "blue", "price": 80}, {"name": "red", "price": 90}]}
ROWS: list[dict[str, Any]] = [
    {"role": "system", "content": "You book rooms."},
    {"role": "user", "content": "a room"},
    {"role": "assistant", "content": None, "tool_calls": json.dumps(CALL)},
    {"role": "tool", "content": json.dumps(ROOMS), "tool_call_id": "c1"},
    {"role": "assistant", "content": "The blue one?"},
]
EVENTS = (
    Note("You book rooms."),
    Record.of("rooms", {"name": "blue", "price": 80}),
    Record.of("rooms", {"name": "red", "price": 90}),
)


def _rows() -> pl.DataFrame:
    keys = ("role", "content", "tool_calls", "tool_call_id")
    return pl.DataFrame([{"conversation_id": "a", **{key: row.get(key) for key in keys}} for row in ROWS])


def _written(folder: Path, ending: str) -> Path:
    path, table = folder / f"rows.{ending}", _rows()
    getattr(table, {"csv": "write_csv", "jsonl": "write_ndjson", "parquet": "write_parquet"}[ending])(path)
    return path


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_calls_of_tools_and_their_results_are_read_as_in_chat_messages(tmp_path: Path, ending: str) -> None:
    path = _written(tmp_path, ending)
    (dialog,) = read_dialogs(path)
    note, call, *records, said = dialog.events
    assert (note, *records) == EVENTS
    assert isinstance(call, Turn) and (call.user, call.system) == ("a room", 'api_call rooms {"n":1}')
    assert said == Turn(SILENCE, "The blue one?")
    checked = validate(path)
    assert (checked.problems, checked.lost) == ((), {})


def test_calls_may_be_lists_in_json(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [{"conversation_id": 1, **row} for row in ROWS]
    rows[2]["tool_calls"] = CALL
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [turn.system for turn in read_dialogs(path)[0].turns] == ['api_call rooms {"n":1}', "The blue one?"]
    assert validate(path).lost == {}


def test_results_as_python_prints_them_are_records(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [{"conversation_id": 1, **row} for row in ROWS]
    rows[3]["content"] = str(ROOMS)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_dialogs(path)[0].events[2:4] == EVENTS[1:]
    messages = [*ROWS[1:2], {**ROWS[2], "tool_calls": CALL}, {**ROWS[3], "content": str(ROOMS)}, *ROWS[4:]]
    path.write_text(json.dumps({"messages": messages}) + "\n")
    assert read_dialogs(path)[0].events[1:3] == EVENTS[1:]


@pytest.mark.parametrize("words", ["{'not closed", "[a, b]", "{'a', 'b'}", "{**x}", "[" * 5000])
def test_results_that_only_look_like_it_are_notes(tmp_path: Path, words: str) -> None:
    path = tmp_path / "dialogs.jsonl"
    messages = [{"role": "user", "content": "hi"}, {"role": "tool", "content": words}, ROWS[4]]
    path.write_text(json.dumps({"messages": messages}) + "\n")
    assert read_dialogs(path)[0].events == (Note(words), Turn("hi", "The blue one?"))


def test_what_is_no_call_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("dialog,speaker,text,tool_calls,name\n1,user,hi,[],ann\n1,assistant,hello,none at all,\n")
    assert validate(path).lost == {"column 'tool_calls'": 1, "column 'name'": 1}


def test_a_cell_that_holds_parts_is_read_as_parts(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    parts = [{"type": "text", "text": "what is this"}, {"type": "image_url", "image_url": {"url": "x"}}]
    rows = [
        {"conversation_id": 1, "role": "user", "content": "hi"},
        {"conversation_id": 1, "role": "assistant", "content": "hello"},
        {"conversation_id": 1, "role": "user", "content": parts},
        {"conversation_id": 1, "role": "assistant", "content": "a toaster"},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_dialogs(path)[0].turns == (Turn("hi", "hello"), Turn("what is this", "a toaster"))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows[2:]))
    assert read_dialogs(path)[0].turns == (Turn("what is this", "a toaster"),)
    assert validate(path).lost == {"part 'image_url' of a message": 1}


PROMPTS = """conversation_id,role,content
1,system,be kind
1,user,hi
1,{assistant},hello
2,system,be kind
2,user,nobody answers
"""


@pytest.mark.parametrize("assistant", ["assistant", "AI", "gpt"])
def test_a_system_beside_an_assistant_gives_prompts(tmp_path: Path, assistant: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(PROMPTS.format(assistant=assistant))
    assert [dialog.events for dialog in read_dialogs(path)] == [(Note("be kind"), Turn("hi", "hello"))]
    conversations = tmp_path / "rows.conversations"
    acts = [{"id": "system", "text": "be kind"}, {"id": "user", "text": "hi"}, {"id": assistant, "text": "hello"}]
    conversations.write_text(json.dumps({"dialog": [acts]}) + "\n")
    assert read_dialogs(conversations)[0].events == (Note("be kind"), Turn("hi", "hello"))


def test_a_system_beside_an_agent_gives_notices(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("dialog,speaker,text\n1,system,ann is here\n1,user,hi\n1,agent,hello\n")
    assert read_dialogs(path)[0].events == (Note("ann is here"), Turn("hi", "hello"))


def test_a_system_without_an_assistant_responds(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "dialog,speaker,text\n1,system,welcome\n1,user,hi\n1,system,hello\n2,user,bye\n2,assistant,bye bye\n"
    )
    one, two = read_dialogs(path)
    assert one.turns == (Turn(SILENCE, "welcome"), Turn("hi", "hello"))
    assert two.turns == (Turn("bye", "bye bye"),)


def test_who_speaks_may_be_called_as_support_tools_call_them(tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    rows = "1,Ann,Visitor,hi", "1,Bob,Support,hello", "2,Ann,end-user,bye", "2,Bob,Admin,bye bye"
    path.write_text("\n".join(("Ticket ID,Author,Author Type,Body", *rows)))
    turns = [turn for dialog in read_dialogs(path) for turn in dialog.turns]
    assert turns == [Turn("hi", "hello"), Turn("bye", "bye bye")]


def test_an_unknown_speaker_is_named_with_the_row(tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    path.write_text("dialog,speaker,text\n1,user,hi\n1,Anna,hello\n")
    (problem,) = validate(path).problems
    assert f"{path}:3: found speaker 'Anna'; expected" in str(problem)


def test_a_cell_may_be_as_long_as_a_line(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    words = "word " * 40_000
    path.write_text(f'prompt,response\n"{words}",yes\n')
    assert read_dialogs(path)[0].turns == (Turn(words.strip(), "yes"),)
