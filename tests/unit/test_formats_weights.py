"""Weights of responses, from a table into chat messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasksieve.dialogs import SILENCE, Act, Dialog, Turn
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.dialogs.formats.chat import write_chat
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.validate import validate
from tasksieve.dialogs.response_weights import read_weights, task_of
from tasksieve.errors import UserError


def written(folder: Path, text: str, name: str = "dialogs") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_weights_are_written_beside_assistant_messages(tmp_path: Path) -> None:
    dialogs = [Dialog((Turn("a", "b"), Turn(SILENCE, "c"))), Dialog((Turn("d", "e"),))]
    write_chat(dialogs, tmp_path / "out.jsonl", {(0, 0): 1.0, (0, 1): 0.25})
    first, second = (json.loads(line)["messages"] for line in (tmp_path / "out.jsonl").read_text().splitlines())
    assert first == [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "weight": 1},
        {"role": "assistant", "content": "c", "weight": 0.25},
    ]
    assert "weight" not in second[1]
    assert isinstance(first[1]["weight"], int)


CALLS = {
    "messages": [
        {"role": "system", "content": "Answer briefly.", "name": "admin"},
        {"role": "user", "content": "weather in Rome"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": '{"degrees": 21}'},
        {"role": "assistant", "content": " "},
        {"role": "assistant", "content": "it is \ud83c\udf1e 21", "weight": 0.5},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
}
SHARED = {"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}], "id": 7}
NO_TURN = {"messages": [{"role": "user", "content": "hi"}], "n": 1.0}


def test_chat_messages_keep_all_they_have_beside_their_weights(tmp_path: Path) -> None:
    held = [CALLS, NO_TURN, SHARED]
    source = written(tmp_path, "".join(json.dumps(value) + "\n" for value in held))
    weights = {(0, 0): 0.25, (0, 1): 1.0, (1, 0): 0.0}
    done = convert(source, tmp_path / "out.jsonl", weights=weights)
    assert (done.dialogs, done.turns, done.lost) == (2, 3, {})
    calls, no_turn, shared = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert no_turn == NO_TURN
    assert [message.pop("weight", None) for message in calls["messages"]] == [None, None, 0.25, None, None, 1]
    assert shared["conversations"][1].pop("weight") == 0
    as_it_was = json.loads(json.dumps(CALLS))
    del as_it_was["messages"][5]["weight"]
    assert (calls, shared) == (as_it_was, SHARED)
    with pytest.raises(UserError, match="has 3 responses to learn from, and the table weights of 1"):
        convert(source, tmp_path / "out.jsonl", weights={(1, 0): 1.0})


def test_weights_of_a_run_that_predicts_actions_are_of_the_responses_with_one(tmp_path: Path) -> None:
    turns = (Turn("hi", "hello", acts=(Act("greet"),)), Turn("so", "well"), Turn("bye", "bye", acts=(Act("bye"),)))
    write_chat([Dialog(turns)], tmp_path / "half.jsonl")
    done = convert(tmp_path / "half.jsonl", tmp_path / "out.jsonl", weights={(0, 0): 0.5, (0, 2): 0.25})
    assert (done.unweighted, done.lost) == (1, {})
    assert [turn.learned for turn in read_dialogs(tmp_path / "out.jsonl")[0].turns] == [0.5, 1.0, 0.25]
    for wrong in ({(0, 0): 0.5, (0, 1): 0.25}, {(0, 0): 0.5}, {}):
        with pytest.raises(UserError, match="expected the table of this very file"):
            convert(tmp_path / "half.jsonl", tmp_path / "out.jsonl", weights=wrong)


def test_weights_are_read_and_kept_by_formats_that_have_a_place_for_them(tmp_path: Path) -> None:
    said = [("a", "b", 0), ("c", "d", 1), ("e", "f", 0.5)]
    messages = [
        message
        for user, system, weight in said
        for message in (
            {"role": "user", "content": user},
            {"role": "assistant", "content": system, "weight": weight},
        )
    ]
    source = written(tmp_path, json.dumps({"messages": messages}) + "\n")
    assert [turn.learned for turn in read_dialogs(source)[0].turns] == [0, 1, 0.5]
    assert validate(source).lost == {}
    for name in ("out.jsonl", "out.conversations"):
        assert convert(source, tmp_path / name).lost == {}
        assert [turn.learned for turn in read_dialogs(tmp_path / name)[0].turns] == [0, 1, 0.5]
    lost = {"weight of a response": 1, "weight 0 of a response": 1}
    assert convert(source, tmp_path / "out.txt").lost == lost
    convert(source, tmp_path / "out.jsonl", weights={(0, 1): 0.25, (0, 2): 0.75})
    written_messages = json.loads((tmp_path / "out.jsonl").read_text())["messages"]
    assert [message["weight"] for message in written_messages if "weight" in message] == [0, 0.25, 0.75]
    with pytest.raises(UserError, match="has 2 responses to learn from, and the table weights of 3"):
        convert(source, tmp_path / "out.jsonl", weights={(0, turn): 1.0 for turn in range(3)})


def test_weights_come_from_an_exported_table(tmp_path: Path) -> None:
    table = written(tmp_path, "task,dialog,turn,step,weight\n0,0,0,5,0.9\n0,0,0,9,0.5\n1,0,0,9,0.1\n", "w.csv")
    assert read_weights(table) == {(0, 0): 0.5}
    assert read_weights(table, task=1, threshold=0.5) == {(0, 0): 0.0}
    assert read_weights(table, threshold=0.5) == {(0, 0): 1.0}
    for text, message in (("a,b\n1,2\n", "expected dialog, turn, weight"), ("", "cannot be read")):
        with pytest.raises(UserError, match=message):
            read_weights(written(tmp_path, text, "bad.csv"))
    with pytest.raises(UserError, match="cannot be read"):
        read_weights(written(tmp_path, "PAR1 and no more", "bad.parquet"))
    with pytest.raises(UserError, match="'turn' of type String, 'weight' of type String; expected whole numbers"):
        read_weights(written(tmp_path, "task,dialog,turn,weight\nx,y,z,a\n", "bad.csv"))
    with pytest.raises(UserError, match="no number"):
        read_weights(written(tmp_path, "dialog,turn,weight\n0,0,\n", "bad.csv"))
    with pytest.raises(UserError, match=r"expected .parquet"):
        read_weights(tmp_path / "w.xls")
    with pytest.raises(UserError, match="Rasa stories has no place for them"):
        convert(written(tmp_path, "1 a\tb\n"), tmp_path / "out.yml", weights={})
    with pytest.raises(
        UserError, match="has 1 responses to learn from, and the table weights of 2; expected the table of this"
    ):
        convert(tmp_path / "dialogs", tmp_path / "out.jsonl", weights={(0, 0): 1.0, (0, 1): 1.0})
    assert not list(tmp_path.glob("*out*"))


def test_weights_that_are_replaced_are_counted(tmp_path: Path) -> None:
    dialogs = [
        Dialog((Turn("a", "b", learned=0.5), Turn("c", "d", learned=0), Turn("e", "f"), Turn("g", "h", learned=2)))
    ]
    write_chat(dialogs, tmp_path / "in.jsonl")
    done = convert(tmp_path / "in.jsonl", tmp_path / "out.jsonl", weights={(0, 0): 1.0, (0, 2): 0.5, (0, 3): 2.0})
    assert done.replaced == 1
    assert convert(tmp_path / "in.jsonl", tmp_path / "plain.jsonl").replaced == 0


def test_which_related_task_a_file_is_is_told_by_its_responses(tmp_path: Path) -> None:
    rows = "task,dialog,turn,system,weight\n0,0,0,hello,0.9\n1,0,0,hello,0.5\n1,0,1,good bye,0.1\n"
    table = written(tmp_path, rows, "w.csv")
    assert task_of(table, [Dialog((Turn("hi", "hello"), Turn("bye", "good bye")))]) == 1
    assert task_of(table, [Dialog((Turn("hi", "hello"),))]) == 0
    assert task_of(table, [Dialog((Turn("hi", "who is it"),))]) is None
    alone = written(tmp_path, "task,dialog,turn,system,weight\n1,0,0,hello,0.9\n", "alone.csv")
    assert task_of(alone, [Dialog((Turn("hi", "hello"),))]) is None
    assert task_of(written(tmp_path, "task,dialog,turn,weight\n0,0,0,1\n1,0,0,1\n", "bare.csv"), []) is None
