"""Files for fine-tuning tools: what they hold, what a weight becomes in each, and what is said to be lost."""

from __future__ import annotations

import csv
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.export_checkers import CHECKERS
from benchmarks.export_checks import RECORD
from tasksieve.dialogs import Act, Dialog, Note, Record, Turn
from tasksieve.dialogs.finetuning import TOOLS, ChatTask, Cut, Dialogs, Written, facts_of, tool_named, weights_for
from tasksieve.dialogs.formats import FORMATS
from tasksieve.dialogs.formats.writing import writer
from tasksieve.errors import UserError
from tasksieve.report.sieve import lines as said_of

SCHEMAS = Path(__file__).parent / "finetuning_schemas"
CALL = {"id": "c-1", "type": "function", "function": {"name": "look.up", "arguments": '{"city": "Rome"}'}}
CHAT: dict[str, Any] = {
    "messages": [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "A bus to Rome"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c-1", "content": '{"buses": [{"at": "9"}, {"at": "10"}]}'},
        {"role": "assistant", "content": "At 9 or 10?"},
        {"role": "system", "content": "The 9 o'clock bus is full."},
        {"role": "user", "content": "9"},
        {"role": "assistant", "content": "It is full \U0001f68c."},
        {"role": "assistant", "content": "Will 10 do?", "action": "offer(time)"},
        {"role": "user", "content": "bye"},
    ],
    "tools": [{"type": "function", "function": {"name": "look.up", "parameters": {"type": "object"}}}],
    "id": 7,
}
WEIGHTS = {(0, 0): 0.25, (0, 1): 1.0, (0, 2): 0.0, (0, 3): 0.743}
LOSSLESS = ("openai", "azure", "together", "axolotl", "llama-factory", "trl", "csv")


def chat_file(folder: Path, *values: Any) -> Path:
    path = folder / "old.jsonl"
    path.write_text("".join(json.dumps(value) + "\n" for value in values or (CHAT,)))
    return path


def write(name: str, task: ChatTask, folder: Path) -> Written:
    folder.mkdir(parents=True, exist_ok=True)
    return tool_named(name).write(Dialogs(task, task), folder)


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def train_rows(name: str, written: Written) -> list[Any]:
    if name == "mistral":
        return [row for file in written.files if file.name.startswith("train-") for row in lines(file)]
    return lines(written.files[0])


def messages_of(name: str, written: Written) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Role, text and calls of every message of the training file of a tool that keeps them."""
    if name == "csv":
        with written.files[0].open(newline="") as file:
            for row in csv.DictReader(file):
                called = json.loads(row["tool_calls"] or "[]")
                yield row["role"], row["content"], [_named(call["function"]) for call in called]
        return
    else:
        rows = lines(written.files[0])
    for row in rows:
        for message in row["messages"]:
            content, calls = message["content"], message.get("tool_calls") or []
            if isinstance(content, list):
                calls = [{"function": json.loads(part["value"])} for part in content if part["type"] == "tool_call"]
                content = "".join(part["value"] for part in content if part["type"] == "text")
            yield message["role"], content or "", [_named(call["function"]) for call in calls]


def _named(function: dict[str, Any]) -> tuple[str, str]:
    given = function["arguments"]
    return function["name"], json.dumps(json.loads(given) if isinstance(given, str) else given)


def plain(value: dict[str, Any], end: int | None = None) -> list[tuple[str, str, list[tuple[str, str]]]]:
    return [
        (
            message["role"],
            message["content"] or "",
            [_named(call["function"]) for call in message.get("tool_calls", ())],
        )
        for message in value["messages"][:end]
    ]


@pytest.mark.parametrize("name", LOSSLESS)
def test_a_round_trip_keeps_every_message_and_every_call(name: str, tmp_path: Path) -> None:
    written = write(name, ChatTask("old", chat_file(tmp_path), WEIGHTS), tmp_path / name)
    end = None if name == "csv" else -1  # what comes after the last response is not learned from, and is counted
    expected = plain(CHAT, end)
    if name != "csv":
        expected[0] = ("system", *expected[0][1:])
        assert written.lost["message after the last response of a dialog"] == 2  # training and validation
    assert list(messages_of(name, written)) == expected


@pytest.mark.parametrize("name", ["mistral", "ms-swift", "fireworks"])
def test_where_messages_must_follow_each_other_otherwise_every_word_is_still_there(name: str, tmp_path: Path) -> None:
    written = write(name, ChatTask("old", chat_file(tmp_path), WEIGHTS), tmp_path / name)
    longest = max(train_rows(name, written), key=lambda row: len(row["messages"]))
    said = "\n".join(message.get("content") or "" for message in longest["messages"])
    places = [said.find(message["content"]) for message in CHAT["messages"][:-1] if message["content"]]
    assert -1 not in places
    assert "Rome" in json.dumps(longest)
    assert sum(written.lost.values()) > 0
    roles = [message["role"] for message in longest["messages"]]
    assert roles[0] == "system"
    assert "system" not in roles[1:]


@pytest.mark.parametrize("name", [path.stem for path in sorted(SCHEMAS.glob("*.json"))])
def test_each_row_is_what_the_tool_says_it_reads(name: str, tmp_path: Path) -> None:
    schema = jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text()))
    dialogs = [
        Dialog(
            (Turn("hi", "hello"), Record("Bus", (("at", "9"),)), Turn("<SILENCE>", "nine"), Note("full")), ("male",)
        ),
        Dialog((Note("be kind"), Turn("a", "b", learned=0.0), Turn("", "c"))),
    ]
    writer(FORMATS["sgd"])(dialogs, tmp_path / "sgd.json")
    weights = {(0, 0): 0.4, (0, 1): 0.55, (1, 0): 0.0, (1, 1): 0.001}
    tasks = [ChatTask("old", chat_file(tmp_path), WEIGHTS), ChatTask("sgd", tmp_path / "sgd.json", weights)]
    for number, task in enumerate(tasks):
        written = write(name, task, tmp_path / f"{name}-{number}")
        rows = [row for file in written.files if file.suffix == ".jsonl" for row in lines(file)]
        assert rows
        for row in rows:
            schema.validate(row)
        broken = json.loads(json.dumps(rows[0]))
        broken["messages"][-1]["weight" if name != "llama-factory" else "loss_weight"] = "much"
        with pytest.raises(jsonschema.ValidationError):
            schema.validate(broken)


def test_each_tool_says_which_weight_a_response_has_in_its_own_way(tmp_path: Path) -> None:
    task = ChatTask("old", chat_file(tmp_path), WEIGHTS)
    weights = [0.25, 1.0, 0.0, 0.743]

    def beside(name: str, key: str) -> list[Any]:
        (row,) = lines(write(name, task, tmp_path / name).files[0])
        return [m[key] for m in row["messages"] if m["role"] in ("assistant", "tool_call")]

    assert beside("llama-factory", "loss_weight") == weights
    assert beside("ms-swift", "loss_scale") == weights
    assert beside("openai", "weight") == [1, 1, 0, 1]
    assert beside("axolotl", "train") == [True, True, False, True]
    assert [row["weights"] for row in lines(write("trl", task, tmp_path / "trl").files[0])] == [weights]
    with write("csv", task, tmp_path / "csv").files[0].open(newline="") as file:
        assert [float(row["weight"]) for row in csv.DictReader(file) if row["role"] == "assistant"] == weights
    rows = lines(write("fireworks", task, tmp_path / "fireworks").files[0])
    flags = [[m["weight"] for m in row["messages"] if m["role"] == "assistant"] for row in rows]
    assert [row["weight"] for row in rows] == [1, 0.74, 0.25]
    assert flags == [[0, 1], [0, 0, 0, 1], [1]]
    written = write("mistral", task, tmp_path / "mistral")
    config = yaml.safe_load(written.files[-1].read_text())["data"]
    drawn = dict(part.split(":") for part in config["instruct_data"].split(","))
    assert drawn == {"train-1.0.jsonl": "1", "train-0.7.jsonl": "0.7", "train-0.2.jsonl": "0.2"}
    for name in drawn:
        (row,) = lines(tmp_path / "mistral" / name)
        assert sum(m.get("weight", 0) for m in row["messages"]) == 1


def test_demonstrations_are_the_related_dialogs_with_the_highest_weights(tmp_path: Path) -> None:
    chats = [
        {"messages": [{"role": "user", "content": str(n)}, {"role": "assistant", "content": "ok"}]} for n in range(20)
    ]
    weights = {(n, 0): (n * 7 % 20) / 20 for n in range(20)}
    found = lines(write("demonstrations", ChatTask("old", chat_file(tmp_path, *chats), weights), tmp_path).files[0])
    assert [row["weight"] for row in found] == sorted(weights.values(), reverse=True)[:16]
    assert [row["messages"][0]["content"] for row in found[:2]] == ["17", "14"]


def test_what_is_said_of_demonstrations_is_of_those_that_are_written(tmp_path: Path) -> None:
    chats = [
        {"messages": [{"role": "user", "content": str(n)}, {"role": "assistant", "content": "ok"}]} for n in range(20)
    ]
    task = ChatTask("old", chat_file(tmp_path, *chats), {(n, 0): (n + 1) / 20 for n in range(20)})
    tool, chosen = tool_named("demonstrations"), weights_for([task.weights or {}], Cut(), flags=False)
    facts = facts_of(tool, tool.write(Dialogs(task), tmp_path), chosen, {}, tmp_path)
    assert (facts["related_responses"], facts["related_learned"], facts["learned"]) == (20, 16, 16)
    assert facts["weight_left_out"] == pytest.approx((1 + 2 + 3 + 4) / 20)
    assert "16 dialogs in 16 rows, 16 of 20 related responses are shown" in next(said_of(facts)).plain


def test_dialogs_without_anything_learned_are_left_out_and_counted(tmp_path: Path) -> None:
    chats = [{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}] * 3
    task = ChatTask("old", chat_file(tmp_path, *chats), {(0, 0): 0.0, (1, 0): 1.0, (2, 0): 0.0})
    written = tool_named("openai").write(Dialogs(task), tmp_path)
    assert (written.dialogs, written.learned) == (1, 1)
    assert written.lost == {"dialog of which nothing is learned": 2}


def test_weights_of_other_dialogs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match="has 4 responses to learn from, and there are weights of 1: it has changed since; give"
    ):
        list(ChatTask("old", chat_file(tmp_path), {(0, 0): 1.0}))
    with pytest.raises(UserError, match="unknown tool 'oven'; known: axolotl, "):
        tool_named("oven")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0.01, 1))
def test_a_share_that_is_kept_is_that_with_the_highest_weights(values: list[float], keep: float) -> None:
    weights = [{(number, 0): value for number, value in enumerate(values)}]
    for flags in (True, False):
        found = weights_for(weights, Cut(keep=keep), flags=flags)
        kept = [place for place, weight in found.weights[0].items() if weight > 0 or (not flags and weight == 0)]
        stays = [values[n] for (n, _), weight in found.weights[0].items() if weight > 0]
        left = [values[n] for (n, _), weight in found.weights[0].items() if weight == 0]
        assert len(kept) <= len(values)
        assert not stays or not left or min(stays) >= max(left)
        assert found.left_out == pytest.approx(sum(left))
        if flags:
            assert found.learned == round(keep * len(values))


def test_without_a_cut_flags_are_drawn_by_the_weights() -> None:
    weights = [{(number, 0): 0.3 for number in range(2000)}, {(0, 0): 1.0, (1, 0): 0.0}]
    found = weights_for(weights, Cut(), flags=True)
    assert 540 < sum(found.weights[0].values()) < 660
    assert found.weights[1] == {(0, 0): 1.0, (1, 0): 0.0}
    assert found == weights_for(weights, Cut(), flags=True)
    assert weights_for(weights, Cut(), flags=False).weights == tuple(weights)


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).filter(str.strip)
TURNS = st.lists(st.tuples(TEXT, TEXT, st.floats(0.01, 1)), min_size=1, max_size=4)


@settings(max_examples=15, deadline=None)
@given(st.lists(TURNS, min_size=1, max_size=4), st.sampled_from(sorted(TOOLS)))
def test_any_words_pass_through_every_tool(
    tmp_path_factory: pytest.TempPathFactory, dialogs: list[list[tuple[str, str, float]]], name: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    values = [
        {
            "messages": [
                m for u, s, _ in turns for m in ({"role": "user", "content": u}, {"role": "assistant", "content": s})
            ]
        }
        for turns in dialogs
    ]
    weights = {(d, t): weight for d, turns in enumerate(dialogs) for t, (_, _, weight) in enumerate(turns)}
    written = write(name, ChatTask("old", chat_file(folder, *values), weights), folder / name)
    if name in LOSSLESS:
        assert list(messages_of(name, written)) == [one for value in values for one in plain(value)]
    elif name != "demonstrations" and name != "huggingface":
        said = [m.get("content") for row in train_rows(name, written) for m in row["messages"]]
        assert {text for turns in dialogs for _, text, _ in turns} <= set(said)


@pytest.mark.parametrize("name", sorted(CHECKERS))
def test_the_tools_own_code_takes_the_files_where_it_is_installed(name: str, tmp_path: Path) -> None:
    check, packages = CHECKERS[name]
    modules = {"ms-swift": "swift", "mistral-common": "mistral_common"}
    missing = [package for package in packages if importlib.util.find_spec(modules.get(package, package)) is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed; python -m benchmarks.export_checks takes it from elsewhere")
    write(name, ChatTask("old", chat_file(tmp_path), WEIGHTS), tmp_path / name)
    assert check(tmp_path / name)["rows"] > 0


def test_every_tool_has_a_record_of_what_checked_its_files() -> None:
    record = json.loads(RECORD.read_text())
    assert record.keys() == TOOLS.keys()
    assert all(
        "checked" in record[name] or "schema" in record[name] for name in record.keys() - {"csv", "huggingface"}
    )
    assert sum("checked" in facts for facts in record.values()) >= 7


def test_responses_without_an_action_are_context_where_the_weights_are_of_actions(tmp_path: Path) -> None:
    turns = (Turn("hi", "hello", acts=(Act("greet"),)), Turn("so", "well"), Turn("bye", "bye", acts=(Act("bye"),)))
    FORMATS["chat"].write([Dialog(turns)], tmp_path / "half.jsonl")
    task = ChatTask("half", tmp_path / "half.jsonl", {(0, 0): 0.5, (0, 2): 0.25})
    (chat,) = task
    assert list(chat.weights.values()) == [0.5, 0.0, 0.25]
    assert task.lost["weight of a response without an action, which is not learned"] == 1
    with pytest.raises(UserError, match="it has changed since"):
        list(ChatTask("half", tmp_path / "half.jsonl", {(0, 0): 0.5}))
