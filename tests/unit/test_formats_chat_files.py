"""Chat files whose dialogs stand in something else: a tree, an object around them, white space before them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tasksieve.dialogs import SILENCE, Note, Record, Turn
from tasksieve.dialogs.formats import format_of, read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.validate import validate

HI: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}
BYE: dict[str, Any] = {"messages": [{"role": "user", "content": "bye"}, {"role": "assistant", "content": "bye bye"}]}


def node(parent: str | None, children: list[str], role: str = "", *parts: Any) -> dict[str, Any]:
    """A node of a conversation as ChatGPT exports it."""
    message = {"author": {"role": role}, "content": {"content_type": "text", "parts": list(parts)}} if role else None
    return {"message": message, "parent": parent, "children": children}


TREE: dict[str, Any] = {
    "title": "Rome",
    "mapping": {
        "root": node(None, ["prompt"]),
        "prompt": node("root", ["asked"], "system", ""),
        "asked": node("prompt", ["old", "new"], "user", "weather in Rome"),
        "old": node("asked", [], "assistant", "no idea"),
        "new": node("asked", [], "assistant", "sunny"),
    },
    "current_node": "new",
}


def test_a_conversation_that_branches_is_read_on_its_current_way(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([TREE]))
    assert read_dialogs(path)[0].events == (Turn("weather in Rome", "sunny"),)
    assert validate(path).lost == {"'title' of a dialog": 1, "message of another branch of a conversation": 1}
    path.write_text(json.dumps([{**TREE, "current_node": "old"}]))
    assert read_dialogs(path)[0].events == (Turn("weather in Rome", "no idea"),)
    path.write_text(json.dumps([{key: TREE[key] for key in ("title", "mapping")}], indent=1))
    assert read_dialogs(path)[0].events == (Turn("weather in Rome", "sunny"),)


def test_a_tree_that_leads_in_a_circle_ends(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    circle = {"a": node("b", ["b"], "user", "hi"), "b": node("a", ["a"], "assistant", "hello")}
    path.write_text(json.dumps([{"mapping": circle, "current_node": "b"}, {"mapping": circle}]))
    assert [dialog.events for dialog in read_dialogs(path)] == [(Turn("hi", "hello"),)]


@pytest.mark.parametrize("key", ["data", "dialogs", "conversations", "examples"])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_object_around_all_dialogs_is_seen_through(tmp_path: Path, key: str, indent: int | None) -> None:
    path = tmp_path / "wrapped.json"
    path.write_text(json.dumps({"version": "1.0", "empty": [], key: [HI, BYE]}, indent=indent))
    assert [dialog.events for dialog in read_dialogs(path)] == [(Turn("hi", "hello"),), (Turn("bye", "bye bye"),)]
    assert validate(path).lost == {"'version' beside the dialogs": 1}
    assert convert(path, tmp_path / "lines.jsonl").lost == {"'version' beside the dialogs": 1}
    assert (tmp_path / "lines.jsonl").read_text() == f"{json.dumps(HI)}\n{json.dumps(BYE)}\n"


def test_splits_around_dialogs_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"train": [HI, HI], "validation": [BYE]}))
    assert validate(path).splits == {"train": 2, "validation": 1}
    assert [dialog.events for dialog in read_dialogs(f"{path}#valid")] == [(Turn("bye", "bye bye"),)]


def test_lists_in_one_dialog_are_not_taken_for_dialogs(tmp_path: Path) -> None:
    path = tmp_path / "dialogs.jsonl"
    pairs = [{"user": "hi", "assistant": "hello"}]
    shapes = [{"conversation": pairs}, {"instruction": "bye", "output": "bye bye", "history": pairs}]
    path.write_text("".join(json.dumps(shape) + "\n" for shape in shapes))
    assert [len(dialog.turns) for dialog in read_dialogs(path)] == [1, 2]


@pytest.mark.parametrize("key", ["dialog", "dialogue", "data"])
def test_a_list_of_texts_alternates(tmp_path: Path, key: str) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text(json.dumps({key: ["hi", "hello", "bye", "bye bye"], "act": [1, 2, 1, 2]}) + "\n")
    assert format_of(path).name == "chat"
    assert read_dialogs(path)[0].turns == (Turn("hi", "hello"), Turn("bye", "bye bye"))
    assert validate(path).lost == {"'act' of a dialog": 1}


@pytest.mark.parametrize(
    "text",
    [
        f"   {json.dumps(HI)}\n\t{json.dumps(HI)}\n",
        f"\n\n  [\n  {json.dumps(HI)},\n{json.dumps(HI)}]",
        "  " + "\n  ".join(json.dumps(HI, indent=1).splitlines()) + "\n" + json.dumps(HI, indent=1),
    ],
)
def test_space_before_json_means_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "no_ending"
    path.write_text(text)
    assert [dialog.events for dialog in read_dialogs(path)] == [(Turn("hi", "hello"),)] * 2


@pytest.mark.parametrize("blank", ["", " ", "\n\n", None, [], [{"type": "text", "text": "\n"}]])
def test_a_blank_text_beside_calls_or_a_refusal_says_nothing(tmp_path: Path, blank: object) -> None:
    path = tmp_path / "dialogs.jsonl"
    called = {
        "role": "assistant",
        "content": blank,
        "tool_calls": [{"function": {"name": "look", "arguments": "{}"}}],
    }
    refused = {"role": "assistant", "content": blank, "refusal": "I must not."}
    user = {"role": "user", "content": "hi"}
    path.write_text(json.dumps({"messages": [user, called, user, refused]}) + "\n")
    assert [turn.system for turn in read_dialogs(path)[0].turns] == ["api_call look {}", "I must not."]
    assert validate(path).lost == {}


def test_null_frames_say_nothing_and_unknown_keys_in_them_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "dialogues_001.json"
    turns = [
        {"speaker": "USER", "utterance": "hi", "frames": None},
        {"speaker": "SYSTEM", "utterance": "hello", "frames": [{"service": "a", "actions": None, "comment": "x"}]},
    ]
    path.write_text(json.dumps([{"dialogue_id": "1", "services": [], "turns": turns}]))
    assert read_dialogs(path)[0].events == (Turn("hi", "hello"),)
    assert validate(path).lost == {"'comment' in the frames of a turn": 1}


def test_every_answer_of_an_interface_is_read_or_counted(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    answers = [{"time": "7"}, ["Dune", {"title": "Up"}], 2, None]
    apis = [{"name": "find", "args": {}, "response": answer} for answer in answers]
    said = [{"speaker": "USER", "text": "hi"}, {"speaker": "ASSISTANT", "text": "hello", "apis": apis}]
    path.write_text(json.dumps([{"conversation_id": "1", "utterances": said}]))
    found = Record.of("find", {"time": "7"}), Note("Dune"), Record.of("find", {"title": "Up"})
    assert read_dialogs(path)[0].events == (*found, Turn("hi", "hello"))
    assert validate(path).lost == {"'response' of an api that could not be read": 1}


def test_the_assistant_may_begin_and_the_user_end(tmp_path: Path) -> None:
    path = tmp_path / "dialogs.jsonl"
    said = [
        ("assistant", "welcome"),
        ("assistant", "how can i help"),
        ("user", "bye"),
        ("assistant", "ok"),
        ("user", "x"),
    ]
    path.write_text(json.dumps({"messages": [{"role": role, "content": text} for role, text in said]}) + "\n")
    turns = Turn(SILENCE, "welcome"), Turn(SILENCE, "how can i help"), Turn("bye", "ok")
    assert read_dialogs(path)[0].turns == turns
    assert validate(path).lost == {"utterance of the user without a response at the end": 1}


@pytest.mark.parametrize("wide", [False, True])
def test_a_name_that_stands_twice_in_an_object_is_named(tmp_path: Path, wide: bool) -> None:
    path = tmp_path / "dialogs.jsonl"
    row = json.dumps(HI).replace('"hello"', '"good day", "content": "hello"')
    path.write_text(f"[{row}, {row.replace('[', '[' + ' ' * (1 << 19))}]" if wide else f"{row}\n{row}\n")
    assert [dialog.events for dialog in read_dialogs(path)] == [(Turn("hi", "hello"),)] * 2
    lost = {"value of 'content', which stands twice in one object": 2}
    assert validate(path).lost == lost
    assert convert(path, tmp_path / "lines.jsonl").lost == lost


def test_calls_and_results_that_become_text_elsewhere_are_named_and_kept_in_chat(tmp_path: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "find", "arguments": '{"city": "Rome"}'}}
    messages = [
        {"role": "user", "content": "a hotel in Rome"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": '{"name": "Rex"}'},
        {"role": "assistant", "content": "Rex?"},
    ]
    source = tmp_path / "chat.jsonl"
    source.write_text(json.dumps({"messages": messages}) + "\n")
    named = {"call of a tool, which is text there": 1, "result of a tool, which is text there": 1}
    assert convert(source, tmp_path / "table.parquet").lost == named
    assert convert(source, tmp_path / "table.csv").lost == named
    assert convert(source, tmp_path / "again.jsonl").lost == {}
