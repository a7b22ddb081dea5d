"""Calls of tools and roles in files for fine-tuning tools: objects, answers behind their calls, and what is lost."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from tasksieve.dialogs.finetuning import ChatTask, Dialogs, Written, tool_named
from tasksieve.dialogs.finetuning.rasa_calls import CALLED as CALLED_ACTION
from tasksieve.dialogs.finetuning.rasa_calls import NO_WORDS


def call(identity: str, arguments: str) -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": "look_up", "arguments": arguments}}


def task(folder: Path, name: str, *dialogs: list[dict[str, Any]]) -> ChatTask:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps({"messages": messages}) + "\n" for messages in dialogs))
    return ChatTask(name, path)


def messages_of(written: Written) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(written.files[0].read_text().splitlines()[0])["messages"]
    return found


PLAIN: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"}]
NAMED: list[dict[str, Any]] = [
    {"role": "user", "name": "Ann", "content": "Hello"},
    {"role": "assistant", "content": "Hello!"},
]
CALLED: list[dict[str, Any]] = [
    {"role": "user", "content": "Where?"},
    {"role": "assistant", "content": None, "tool_calls": [call("a", '{"city": "Rome", "near": {"km": 3}}')]},
    {"role": "tool", "tool_call_id": "a", "content": "found"},
    {"role": "assistant", "content": "There."},
]


@pytest.mark.parametrize("name", ["trl", "huggingface"])
def test_calls_have_objects_for_arguments_and_no_message_has_keys_of_others(name: str, tmp_path: Path) -> None:
    written = tool_named(name).write(Dialogs(task(tmp_path, "old", CALLED)), tmp_path)
    messages = messages_of(written)
    assert messages[1]["tool_calls"][0]["function"]["arguments"] == {"city": "Rome", "near": {"km": 3}}
    assert [sorted(message) for message in messages] == [sorted(message) for message in CALLED]


@pytest.mark.parametrize("arguments", ["Rome", '{"km": NaN}', "{"])
def test_arguments_that_are_no_json_stay_as_they_are(arguments: str, tmp_path: Path) -> None:
    dialog = [CALLED[0], {**CALLED[1], "tool_calls": [call("a", arguments)]}, *CALLED[2:]]
    written = tool_named("trl").write(Dialogs(task(tmp_path, "old", dialog)), tmp_path)
    assert messages_of(written)[1]["tool_calls"][0]["function"]["arguments"] == arguments


@pytest.mark.parametrize("valid", [False, True])
def test_the_card_names_the_files_and_the_columns(valid: bool, tmp_path: Path) -> None:
    held = task(tmp_path, "held", NAMED) if valid else ()
    written = tool_named("trl").write(Dialogs(task(tmp_path, "old", PLAIN), held), tmp_path)
    card = yaml.safe_load(written.files[-1].read_text().split("---\n")[1])
    splits = {one["split"]: one["path"] for one in card["configs"][0]["data_files"]}
    assert splits == {"train": "train.jsonl"} | ({"validation": "valid.jsonl"} if valid else {})
    assert all((tmp_path / path).is_file() for path in splits.values())
    columns = {one["name"] for one in card["dataset_info"]["features"]}
    assert json.loads((tmp_path / "train.jsonl").read_text()).keys() <= columns


def test_the_card_has_another_name_for_other_dialogs_so_that_no_cache_takes_them_for_the_same(tmp_path: Path) -> None:
    names = []
    for dialog in (PLAIN, NAMED, PLAIN):
        written = tool_named("trl").write(Dialogs(task(tmp_path, "old", dialog)), tmp_path)
        card = yaml.safe_load(written.files[-1].read_text().split("---\n")[1])
        assert card["dataset_info"]["config_name"] == card["configs"][0]["config_name"]
        names.append(card["configs"][0]["config_name"])
    assert names[0] == names[2] != names[1]


@pytest.mark.parametrize(("train", "valid"), [(PLAIN, NAMED), (NAMED, PLAIN), (PLAIN, CALLED), (CALLED, PLAIN)])
def test_both_files_load_together_whatever_keys_their_messages_have(
    train: list[dict[str, Any]], valid: list[dict[str, Any]], tmp_path: Path
) -> None:
    if importlib.util.find_spec("datasets") is None:
        pytest.skip("datasets is not installed")
    import datasets  # type: ignore[import-not-found,unused-ignore]

    folder = tmp_path / "trl"
    folder.mkdir()
    tool_named("trl").write(Dialogs(task(tmp_path, "old", train), task(tmp_path, "held", valid)), folder)
    data = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    for split, dialog in (("train", train), ("validation", valid)):
        assert [sorted(message) for message in data[split][0]["messages"]] == [sorted(one) for one in dialog]


@pytest.mark.parametrize("name", ["openai", "azure", "together"])
def test_what_a_tool_said_to_no_call_comes_behind_the_answers_of_that_call(name: str, tmp_path: Path) -> None:
    dialog = [
        CALLED[0],
        {**CALLED[1], "tool_calls": [call("a", "{}"), call("b", "{}")]},
        {"role": "tool", "tool_call_id": "wrong", "content": "lost"},
        {"role": "tool", "tool_call_id": "b", "content": "found"},
        CALLED[3],
    ]
    written = tool_named(name).write(Dialogs(task(tmp_path, "old", dialog)), tmp_path)
    found = [(message["role"], message.get("tool_call_id"), message["content"]) for message in messages_of(written)]
    assert found[2:] == [
        ("tool", "b", "found"),
        ("tool", "a", ""),
        ("system", None, "lost"),
        ("assistant", None, "There."),
    ]
    assert written.lost["answer of a tool to no call, now a system message"] == 1


@pytest.mark.parametrize("name", ["openai", "llama-factory", "axolotl", "trl"])
def test_another_name_of_a_role_is_said(name: str, tmp_path: Path) -> None:
    dialog = [{"role": "developer", "content": "Be brief."}, *PLAIN]
    written = tool_named(name).write(Dialogs(task(tmp_path, "old", dialog, PLAIN)), tmp_path)
    assert messages_of(written)[0]["role"] == "system"
    assert written.lost == {"message of role 'developer', now 'system'": 1}


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("openai", {"reasoning_content"}),
        ("fireworks", {"reasoning_content"}),
        ("mistral", {"name", "reasoning_content"}),
        ("llama-factory", {"name"}),
        ("ms-swift", {"name"}),
        ("csv", {"name", "reasoning_content"}),
        ("trl", set()),
    ],
)
def test_keys_that_a_tool_has_no_place_for_are_counted(name: str, keys: set[str], tmp_path: Path) -> None:
    dialog = [NAMED[0], {**PLAIN[1], "reasoning_content": "Greet back."}]
    written = tool_named(name).write(Dialogs(task(tmp_path, "old", dialog)), tmp_path)
    assert written.lost == {f"'{key}' of a message": 1 for key in keys}


def test_parts_that_are_no_text_are_counted_by_their_type(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "This?"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    chats = task(tmp_path, "old", [{"role": "user", "content": parts}, PLAIN[1]])
    tool_named("openai").write(Dialogs(chats), tmp_path)
    assert chats.lost == {"part 'image_url' of a message": 1}


@pytest.mark.parametrize("result", [[{"at": "9"}, {"at": "10"}], {"at": "9"}, [1, 2], {"text": "9", "number": 3}])
def test_results_of_a_tool_that_are_no_text_are_kept_as_json(result: Any, tmp_path: Path) -> None:
    chats = task(tmp_path, "old", [*CALLED[:2], {**CALLED[2], "content": result}, CALLED[3]])
    written = tool_named("openai").write(Dialogs(chats), tmp_path)
    assert json.loads(messages_of(written)[2]["content"]) == result
    assert not chats.lost


def test_a_result_in_parts_of_text_is_their_text(tmp_path: Path) -> None:
    result = [{"type": "text", "text": "found"}]
    chats = task(tmp_path, "old", [*CALLED[:2], {**CALLED[2], "content": result}, CALLED[3]])
    assert messages_of(tool_named("openai").write(Dialogs(chats), tmp_path))[2]["content"] == "found"


@pytest.mark.parametrize("name", ["trl", "huggingface"])
def test_tables_beside_the_lines_have_the_same_rows_and_all_the_same_columns(name: str, tmp_path: Path) -> None:
    old, new = task(tmp_path, "old", CALLED, PLAIN), task(tmp_path, "new", NAMED)
    written = {file.name: file for file in tool_named(name).write(Dialogs(old, new), tmp_path / "out").files}
    train, valid = (pl.read_parquet(written[f"{split}.parquet"]) for split in ("train", "valid"))
    assert train.schema == valid.schema
    lines = [json.loads(line) for line in written["train.jsonl"].read_text().splitlines()]
    assert train["weights"].to_list() == [line["weights"] for line in lines]
    (arguments,) = (message["tool_calls"] for message in train["messages"][0] if message["tool_calls"])
    assert json.loads(arguments[0]["function"]["arguments"]) == {"city": "Rome", "near": {"km": 3}}
    assert valid["messages"][0][0]["name"] == "Ann" and train["messages"][1][0]["name"] is None


STORIES = """\
stories:
- story: move
  steps:
  - user: my number is 667059
  - action: action_lookup_customer
  - slot_was_set:
    - name: Frida
    - town: Rome
  - action: utter_hello
  - user: bye
  - action: utter_no_words
"""


def test_custom_actions_of_rasa_are_calls_and_no_words_to_say(tmp_path: Path) -> None:
    (tmp_path / "stories.yml").write_text(STORIES)
    (tmp_path / "domain.yml").write_text("responses:\n  utter_hello:\n  - text: hello Frida\n")
    moving = ChatTask("moving", tmp_path / "stories.yml", {(0, 0): 1.0, (0, 1): 1.0, (0, 2): 1.0})
    (tmp_path / "out").mkdir()
    written = tool_named("openai").write(Dialogs(moving), tmp_path / "out")
    user, called, told, said, bye, unsaid = messages_of(written)
    assert [message["role"] for message in (user, told, bye)] == ["user", "tool", "user"]
    assert called["tool_calls"][0]["function"] == {"name": "action_lookup_customer", "arguments": "{}"}
    assert (called["content"], called["weight"]) == (None, 1)
    assert json.loads(told["content"]) == {"name": "Frida", "town": "Rome"}
    assert told["tool_call_id"] == called["tool_calls"][0]["id"]
    assert (said["content"], said["weight"]) == ("hello Frida", 1)
    assert (unsaid["content"], unsaid["weight"]) == ("utter_no_words", 0)
    assert moving.lost[CALLED_ACTION] == moving.lost[NO_WORDS] == 1


def test_what_a_tool_answered_stays_after_the_customers_words(tmp_path: Path) -> None:
    rows = ("user,my number is 5", 'tool,"{""name"": ""Frida""}"', "agent,hello Frida")
    (tmp_path / "desk.csv").write_text("dialog,speaker,text\n" + "".join(f"1,{row}\n" for row in rows))
    (tmp_path / "out").mkdir()
    written = tool_named("openai").write(Dialogs(ChatTask("desk", tmp_path / "desk.csv")), tmp_path / "out")
    assert [(one["role"], one["content"]) for one in messages_of(written)] == [
        ("user", "my number is 5"),
        ("system", '{"name": "Frida"}'),
        ("assistant", "hello Frida"),
    ]


def test_a_path_in_the_data_set_file_of_llama_factory_is_beside_that_file(tmp_path: Path) -> None:
    stories = tmp_path / "stories.yml"
    stories.write_text(STORIES)
    (tmp_path / "out").mkdir()
    tool_named("llama-factory").write(Dialogs(ChatTask("moving", stories)), tmp_path / "out")
    info = yaml.safe_load((tmp_path / "out" / "dataset_info.yaml").read_text())
    assert info["tasksieve"]["path"] == "train.jsonl"
