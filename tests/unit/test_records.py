"""What formats tell of databases and tools: records of named fields, whatever their values, and notes in prose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tasksieve.dialogs import Dialog, Note, Record, Turn
from tasksieve.dialogs.formats import FORMATS, read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.validate import validate
from tasksieve.dialogs.record import DEEPEST, collected, told, triples
from tasksieve.errors import UserError
from tests.reading import WRITTEN

FOUND = {"name": "71 Saint Peter", "near": ["San Jose", "a lake"], "at": {"floor": 2, "open": True, "note": None}}
FIELDS = (
    ("name", "71 Saint Peter"),
    ("near", ("San Jose", "a lake")),
    ("at", Record("", (("floor", "2"), ("open", "true"), ("note", "null")))),
)
RASA = """stories:
- story: a
  steps:
  - user: hi
  - slot_was_set:
    - name: 71 Saint Peter
    - near: [San Jose, a lake]
    - at: {floor: 2, open: true, note: null}
    - told: be kind
    - name_alone
  - bot: hello
"""


def events(folder: Path, text: str) -> list[Record | Note]:
    """What stands between the turns of a file's first dialog."""
    (folder / "dialogs").write_text(text)
    return [event for event in read_dialogs(folder / "dialogs")[0].events if not isinstance(event, Turn)]


def chat(*messages: dict[str, Any]) -> str:
    said = [{"role": "user", "content": "hi"}, *messages, {"role": "assistant", "content": "hello"}]
    return json.dumps({"messages": said})


def tool(content: object, **more: object) -> dict[str, object]:
    return {"role": "tool", "content": content if isinstance(content, str) else json.dumps(content), **more}


def test_results_with_any_values_are_records_of_their_service_domain_or_slots(tmp_path: Path) -> None:
    turn = {"speaker": "SYSTEM", "utterance": "a", "frames": [{"service": "Hotels_1", "service_results": [FOUND]}]}
    assert events(tmp_path, json.dumps([{"services": [], "turns": [turn]}])) == [Record("Hotels_1", FIELDS)]
    turn = {"speaker": "system", "utterance": "a", "db_results": {"hotel": [FOUND, FOUND]}}
    assert events(tmp_path, json.dumps([{"domains": [], "turns": [turn]}])) == [Record("hotel", FIELDS)] * 2
    slots = Record("slots", (*FIELDS, ("name_alone", "")))
    assert events(tmp_path, RASA) == [Note("be kind"), slots]


def test_a_tool_s_json_is_a_record_of_its_name_or_several(tmp_path: Path) -> None:
    call = {"role": "assistant", "tool_calls": [{"id": "7", "function": {"name": "find", "arguments": "{}"}}]}
    record = Record("find", FIELDS)
    for content in (FOUND, [FOUND], {"results": [FOUND]}):
        assert events(tmp_path, chat(call, tool(content, tool_call_id="7"))) == [record]
    assert events(tmp_path, chat(tool([FOUND, FOUND], name="find"))) == [record] * 2
    assert events(tmp_path, chat(tool({"inns": [FOUND, FOUND]}))) == [Record("inns", FIELDS)] * 2
    assert events(tmp_path, chat(tool('{"price": 12.50, "to": [{"a": 1}, 2]}', name="x"))) == [
        Record("x", (("price", "12.50"), ("to", (Record("", (("a", "1"),)), "2"))))
    ]
    assert events(tmp_path, chat(tool({"results": []}, name="find"))) == [Record("find", (("results", ()),))]
    assert not validate(tmp_path / "dialogs").lost
    for text in ("[]", "21", "[1, {}]", "no such place", "{broken"):
        assert events(tmp_path, chat(tool(text, name="find"))) == [Note(text)]


def test_prose_is_one_note_and_lines_of_records_are_records(tmp_path: Path) -> None:
    prompt = (
        'You are kind.\n\nAnswer in brief: {"a": 1}\ninn R_price cheap\ninn R_city rome\nHotels_1 {"a": "b c"}\nBye.'
    )
    for message in ({"role": "system"}, {"role": "developer"}, {"role": "tool", "name": "find"}):
        assert events(tmp_path, chat({**message, "content": prompt})) == [
            Note('You are kind.\n\nAnswer in brief: {"a": 1}'),
            Record("kb", (("name", "inn"), ("R_price", "cheap"), ("R_city", "rome"))),
            Record("Hotels_1", (("a", "b c"),)),
            Note("Bye."),
        ]


@pytest.mark.parametrize("name", WRITTEN)
def test_prompts_are_notes_in_every_format_that_has_them(tmp_path: Path, name: str) -> None:
    prompts = [Note("You are a kind assistant."), Note("api_call no result")]
    FORMATS[name].write([Dialog((*prompts, Turn("hi", "hello")))], tmp_path / "dialogs")
    written = read_dialogs(tmp_path / "dialogs")[0].events
    assert written == (*(prompts[1:] if name == "babi" else prompts), Turn("hi", "hello"))


def test_what_is_lost_is_named_record_note_or_place(tmp_path: Path) -> None:
    content = 'be kind\nHotels_1 {"name": "Inn"}\ninn R_price cheap'
    (tmp_path / "in.jsonl").write_text(chat({"role": "system", "content": content}))
    moved = "record or note after the user's utterance, which stands before it there"
    assert convert(tmp_path / "in.jsonl", tmp_path / "out.txt").lost == {"note": 1, "record": 1, moved: 1}
    assert convert(tmp_path / "in.jsonl", tmp_path / "out.json").lost == {}
    said = [Turn("a", "b"), Record("x", ()), Turn("c", "d")]
    FORMATS["chat"].write([Dialog((*said, Record("y", ())))], tmp_path / "in.jsonl")
    assert convert(tmp_path / "in.jsonl", tmp_path / "out.json").lost == {"record": 1}


def test_records_that_are_no_text_or_too_deep_are_refused_with_their_place(tmp_path: Path) -> None:
    deep: Any = "x"
    for _ in range(DEEPEST + 1):
        deep = {"a": deep}
    for content, message in (
        ('{"a": "\\ud800"}', "half a surrogate pair in a record"),
        ('{"a\\u0000": "b"}', "found a NUL"),
        (deep, f"nested more than {DEEPEST} deep"),
    ):
        with pytest.raises(UserError, match=f":1: message 2: .*{message}"):
            events(tmp_path, chat(tool(content)))
    with pytest.raises(UserError, match=r"found 5 of 'a'; expected an object of names and values"):
        events(tmp_path, '[{"domains": [], "turns": [{"speaker": "user", "db_results": {"a": [5]}}]}]')


def test_a_line_tells_a_record_only_if_it_is_one() -> None:
    for record in (
        Record("", ()),
        Record("a", (("b", "1"), ("b", ("c d", Record("", (("e", "\n"),)))))),
        Record("two words: {}", (("a", "b"),)),
        Record("kb", (("name", "an inn"), ("R_a", "b"))),
    ):
        assert told(record.text) == record
        assert "\n" not in record.text
    for text in ("", "You {are} kind", 'Result: {"a": 1}', "{1}", 'a{"b": 1}', "a R_b", "a b c", 'x {"a": 1} y'):
        assert told(text) == Note(text)
    assert told("inn R_motto we are open") == Record("kb", (("name", "inn"), ("R_motto", "we are open")))
    assert told("{" + '"a": {' * 5000) == Note("{" + '"a": {' * 5000)


def test_triples_of_an_entity_in_a_row_are_one_record() -> None:
    lines = ["a R_x 1", "a R_y 2", "b R_x 1", "be kind", "b R_y 2"]
    found = list(collected([*map(told, lines), Record("kb", (("name", ("b",)), ("R_x", "1")))]))
    assert [triples(event) for event in found if isinstance(event, Record)] == [
        ("a R_x 1", "a R_y 2"),
        ("b R_x 1",),
        ("b R_y 2",),
        None,
    ]


def test_values_that_json_does_not_have_are_no_record() -> None:
    with pytest.raises(ValueError, match="found bytes; expected what JSON can hold"):
        Record.of("a", {"b": b"c"})
