"""`convert`, `validate` and `audit` as a user meets them; and that training takes any format."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tasksieve.dialogs.formats import read_dialogs
from tasksieve.records.config import config_from
from tasksieve.records.run_folder import RunFolder
from tests.commands import Cli, small_options
from tests.reading import WRITTEN


@pytest.mark.parametrize("command", ["convert", "validate", "audit"])
def test_help_fits_into_80_columns(cli: Cli, command: str) -> None:
    ended = cli(command, "--help")
    assert ended.code == 0
    assert max(map(len, ended.out.splitlines())) <= 80
    assert "--json" in ended.out


def test_adapters_are_of_runs_of_a_language_model(cli: Cli, tmp_path: Path) -> None:
    RunFolder(tmp_path / "run").write_config(config_from({"data": {"primary": "a", "valid": "b"}}))
    for call, message in (
        (("run",), "run: is a run of 'auto', without adapters; give one with model.kind = language-model"),
        (("run", "--weights", "w.csv"), "leave --weights out"),
        (("other",), "other: is not a run folder"),
    ):
        ended = cli("convert", call[0], "out", "--for", "peft", *call[1:])
        assert ended.code == 2
        assert message in ended.err
    assert not (tmp_path / "out").exists()


def test_convert_says_what_it_wrote_and_what_it_could_not(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("1 a b c\n1 hi\thello\n".removeprefix("1 a b c\n"))
    ended = cli("convert", "in.txt", "out.jsonl")
    assert (ended.code, ended.out) == (0, "Wrote out.jsonl: 1 dialog, 1 turn, from babi to chat\n")
    chat = (
        '{"messages": [{"role": "system", "content": "be kind"}, {"role": "assistant", "content": "a\\nb"}], "n": 1}'
    )
    (tmp_path / "chat.jsonl").write_text(chat)
    ended = cli("convert", "chat.jsonl", "back.txt")
    lost = "Not in back.txt: 'n' of a dialog (1); line end or tab in a turn (1); note (1)"
    assert ended.out.splitlines()[1] == lost
    assert (tmp_path / "back.txt").read_text() == "1 <SILENCE>\ta b\n\n"
    record = json.loads(cli("convert", "chat.jsonl", "x.doc", "--to", "rasa", "--from", "chat", "--json").out)
    counts = {"dialogs": 1, "turns": 1, "lost": {"'n' of a dialog": 1}}
    assert record == {"source": "chat", "target": "rasa", **counts, "as_one": None, "replaced": 0, "unweighted": 0}


def test_responses_that_differ_in_case_alone_count_as_right(cli: Cli) -> None:
    chats = [("bye", "Goodbye."), ("that is all", "goodbye."), ("hello", "hi"), ("a table", "for how many")]
    lines = [
        {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": system}]}
        for user, system in chats
    ]
    Path("d.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines * 5))
    options = small_options(method="primary", iterations=150, evaluate_every=50, primary_lr=0.05)
    files = ("--primary", "d.jsonl", "--valid", "d.jsonl", "--no-audit")
    ended = cli("train", *files, *options, "--out", "run", "--json")
    assert json.loads(ended.out)["valid_accuracy"] == 100.0


def test_convert_leaves_nothing_half_written(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("1 hi\thello\n\n1 hi\n")
    (tmp_path / "out.jsonl").write_text("before")
    ended = cli("convert", "in.txt", "out.jsonl")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: in.txt:3: found 'hi'; expected a turn")
    assert (tmp_path / "out.jsonl").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.txt", "out.jsonl"]
    for arguments, message in (
        (("in.txt", "out.doc"), "expected one of .txt, .jsonl"),
        (("in.txt", "out.txt", "--to", "xml"), "unknown format 'xml'; known: babi"),
        (("none", "out.txt"), "none: no such file"),
        (("in.txt", "out.jsonl", "--weights", "none.csv"), "none.csv: cannot be read"),
    ):
        refused = cli("convert", *arguments)
        assert (refused.code, message in refused.err) == (2, True)


def test_learned_weights_go_into_chat_messages(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("1 hi\thello\n2 bye\tbye bye\n")
    pl.DataFrame({"dialog": [0, 0], "turn": [0, 1], "weight": [0.75, 0.1]}).write_parquet(tmp_path / "w.parquet")

    def written(*options: object) -> list[object]:
        assert cli("convert", "in.txt", "out.jsonl", "--weights", "w.parquet", *options).code == 0
        messages = json.loads((tmp_path / "out.jsonl").read_text())["messages"]
        return [message.get("weight") for message in messages if message["role"] == "assistant"]

    assert written() == [0.75, 0.1]
    assert written("--threshold", 0.5) == [1, 0]


def test_weights_of_several_tasks_are_those_of_the_file_or_the_other_task_is_named(cli: Cli, tmp_path: Path) -> None:
    rows = "task,dialog,turn,system,weight\n0,0,0,hi there,0.9\n1,0,0,hello,0.5\n"
    (tmp_path / "w.csv").write_text(rows)
    (tmp_path / "in.csv").write_text("context,response\nhi,hello\n")
    for more in ((), ("--for", "llama-factory")):
        ended = cli("convert", "in.csv", "out" if more else "out.jsonl", "--weights", "w.csv", *more)
        assert (ended.code, ended.err) == (0, "in.csv: related task 2 of w.csv, by its responses\n")
    assert json.loads((tmp_path / "out.jsonl").read_text())["messages"][-1]["weight"] == 0.5
    wrong = cli("convert", "in.csv", "out.jsonl", "--weights", "w.csv", "--task", 1)
    assert wrong.err == "error: in.csv: is related task 2 of w.csv by its responses, not 1; give --task 2\n"


def test_the_weights_of_a_run_go_back_into_its_chat_messages(cli: Cli, tasks_dir: Path) -> None:
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    messages = [
        {"role": "user", "content": "weather"},
        {"role": "assistant", "content": "do not ask", "weight": 0},
        {"role": "user", "content": "please"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c", "content": '{"degrees": 21}'},
        {"role": "assistant", "content": "it is warm"},
    ]
    Path("related.jsonl").write_text(json.dumps({"messages": messages, "tools": [1]}) + "\n")
    primary = tasks_dir / "primary"
    options = ("--primary", primary, "--valid", primary, "--related", "related.jsonl", *small_options())
    assert cli("train", *options, "--out", "run").code == 0
    assert cli("weights", "run", "--export", "w.csv").out == "Wrote 2 rows to w.csv\n"
    ended = cli("convert", "related.jsonl", "out.jsonl", "--weights", "w.csv")
    assert (ended.code, ended.out) == (0, "Wrote out.jsonl: 1 dialog, 3 turns, from chat to chat\n")
    value = json.loads(Path("out.jsonl").read_text())
    weights = [message.pop("weight", None) for message in value["messages"]]
    del messages[1]["weight"]
    assert value == {"messages": messages, "tools": [1], "weight_heads": "own"}  # learned with a head a task
    assert (weights[:3], weights[4]) == ([None, 0, None], None)
    assert all(0 < weight < 1 for weight in (weights[3], weights[5]))


def test_validate_names_every_problem_with_its_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text("context,response,n\nhi,hello,3\n")
    (tmp_path / "bad.jsonl").write_text('{"messages": [{"role": "user", "content": 1}]}\n{\n')
    good = cli("validate", "good.csv")
    assert (good.code, good.out) == (
        0,
        "good.csv: CSV, 1 whole dialog, 1 turn, no problem\nNot read: column 'n' (1)\n",
    )
    bad = cli("validate", "good.csv", "bad.jsonl")
    assert bad.code == 2
    assert bad.out.splitlines()[2:] == [
        "bad.jsonl:1: message 1: found 1; expected text",
        "bad.jsonl:2: is not JSON: Expecting property name enclosed in double quotes at column 2",
        "bad.jsonl: chat messages, 0 whole dialogs, 0 turns, 2 problems",
    ]
    record = json.loads(cli("validate", "bad.jsonl", "--json").out)
    assert [problem["line"] for problem in record[0]["problems"]] == [1, 2]
    assert cli("validate", "good.csv", "--from", "babi").code == 2
    missing = cli("validate", "none")
    assert (missing.code, missing.err) == (2, "error: none: no such file; check the path\n")


def test_validate_says_what_it_found_and_then_what_it_could_not_read(cli: Cli) -> None:
    Path("good.csv").write_text("context,response\nhi,hello\n")
    Path("empty").mkdir()
    ended = cli("validate", "good.csv", "missing", "empty", "good.csv")
    assert (ended.code, ended.out) == (2, "good.csv: CSV, 1 whole dialog, 1 turn, no problem\n" * 2)
    missing, empty = ended.err.splitlines()
    assert missing == "error: missing: no such file; check the path"
    assert empty.startswith("error: empty: holds no dialog file; expected a file for each split")
    record = json.loads(cli("validate", "missing", "good.csv", "--json").out)
    assert [(one["path"], one["format"], len(one["problems"])) for one in record] == [
        ("good.csv", "csv", 0),
        ("missing", None, 1),
    ]


def test_validate_looks_at_all_splits_of_a_folder(cli: Cli, tasks_dir: Path) -> None:
    ended = cli("validate", tasks_dir / "primary")
    assert ended.code == 0
    names = sorted(Path(line.partition(": ")[0]).name for line in ended.out.splitlines())
    assert names == ["test-oov.txt", "test.txt", "train.txt", "valid.txt"]
    Path("mixed").mkdir()
    Path("mixed/train.csv").write_text("context,response\nhi,hello\n")
    Path("mixed/valid.txt").write_text("1 hi\n")
    ended = cli("validate", "mixed")
    assert (ended.code, len(ended.out.splitlines())) == (2, 3)


def test_audit_prints_a_verdict_and_json(cli: Cli, tasks_dir: Path) -> None:
    primary = tasks_dir / "primary"
    options = ("--primary", primary, "--valid", primary, "--test", primary, "--related", tasks_dir / "restaurant")
    ended = cli("audit", *options)
    assert ended.code == 0, ended.err
    assert max(map(len, ended.out.splitlines())) <= 80
    record = json.loads(cli("audit", *options, "--json").out)
    assert " ".join(ended.out.split()).startswith(" ".join(record["verdict"].split()))
    assert cli("audit", "--primary", "none.txt").code == 2


@pytest.mark.parametrize("name", [name for name in WRITTEN if name != "babi"])
def test_dialogs_are_the_same_in_any_format(cli: Cli, tasks_dir: Path, tmp_path: Path, name: str) -> None:
    for task, split in (("primary", "train"), ("primary", "test"), ("restaurant", "train")):
        file, converted = tasks_dir / task / f"{split}.txt", tmp_path / f"{task}-{split}"
        assert cli("convert", file, converted, "--to", name).code == 0
        assert [d.events for d in read_dialogs(converted)] == [d.events for d in read_dialogs(file)]


def test_training_takes_any_format_and_learns_the_same(cli: Cli, tasks_dir: Path, tmp_path: Path) -> None:
    splits = [tasks_dir / "primary" / f"{split}.txt" for split in ("train", "valid", "test")]
    plain = [*splits, tasks_dir / "restaurant" / "train.txt"]
    other = [tmp_path / f"other-{number}" for number in range(len(plain))]
    for file, converted, name in zip(plain, other, ("chat", "csv", "chat", "csv"), strict=True):
        assert cli("convert", file, converted, "--to", name).code == 0
    results = []
    for run, (primary, valid, test, related) in (("one", plain), ("other", other)):
        options = ("--primary", primary, "--valid", valid, "--related", related)
        assert cli("train", *options, *small_options(), "--out", run).code == 0
        results.append(json.loads(cli("evaluate", run, "--data", test, "--json").out))
    assert {**results[0], "data": 0, "sha256": 0} == {**results[1], "data": 0, "sha256": 0}


SPLITS = "split,question,answer,n\ntrain,a,b,1\ntrain,c,d,\ntest,e,f,\n"


def test_convert_and_validate_choose_a_split_or_say_that_several_are_read_as_one(cli: Cli) -> None:
    Path("in.csv").write_text(SPLITS)
    said = "in.csv: read train and test as one: 3 dialogs; choose with in.csv#train"
    assert cli("convert", "in.csv", "out.jsonl").out.splitlines()[-1] == said
    assert cli("validate", "in.csv").out.splitlines()[1:] == ["Not read: column 'n' (1)", said]
    assert json.loads(cli("validate", "in.csv", "--json").out)[0]["splits"] == {"train": 2, "test": 1}
    wrote = "Wrote out.jsonl: 1 dialog, 1 turn, from csv to chat\n"
    assert cli("convert", "in.csv#test", "out.jsonl").out == wrote
    assert cli("convert", "in.csv", "out.jsonl", "--split-name", "test").out == wrote
    assert (
        cli("validate", "in.csv", "--split-name", "test").out
        == "in.csv#test: CSV, 1 whole dialog, 1 turn, no problem\n"
    )
    ended = cli("convert", "in.csv#dev", "out.jsonl")
    assert (ended.code, ended.err) == (
        2,
        "error: in.csv#dev: holds no dialog of a split 'dev'; it has train (2) and test (1)\n",
    )


def test_validate_names_what_is_not_read_beside_problems(cli: Cli) -> None:
    Path("bad.csv").write_text("question,answer,n\na,b,1\nc\n")
    ended = cli("validate", "bad.csv")
    assert ended.code == 2
    assert ended.out.splitlines()[1:] == [
        "bad.csv: CSV, 1 whole dialog, 1 turn, 1 problem",
        "Not read: column 'n' (1)",
    ]


def test_a_run_takes_splits_of_one_file_and_evaluates_another(cli: Cli, tasks_dir: Path) -> None:
    rows = []
    for split in ("train", "valid", "test"):
        for number, dialog in enumerate(read_dialogs(tasks_dir / "primary", split)):
            rows += [
                row
                for turn in dialog.turns
                for row in (
                    (split, f"{split}{number}", who, text)
                    for who, text in (("user", turn.user), ("system", turn.system))
                )
            ]
    table = pl.DataFrame(rows, schema=["split", "dialog", "speaker", "text"], orient="row")
    table.write_csv("all.csv")
    options = ("--primary", "all.csv#train", "--valid", "all.csv#dev", "--no-audit", *small_options(method="primary"))
    assert cli("train", *options, "--out", "run").code == 0
    measured = [
        json.loads(cli("evaluate", "run", "--data", *data, "--json").out)
        for data in (("all.csv#test",), ("all.csv", "--split-name", "test"))
    ]
    assert measured[0] == measured[1]
    assert measured[0]["data"] == "all.csv#test"
    Path("empty.csv").write_text("dialog,speaker,text\n1,user,a\n1,system,b\n1,user,c\n1,system,\n")
    assert cli("evaluate", "run", "--data", "empty.csv").code == 0
    strict = cli("evaluate", "run", "--data", "empty.csv", "--strict")
    assert (strict.code, strict.err.startswith("error: empty.csv:5: text of the system is empty")) == (2, True)
    assert cli("train", *options, "--out", "run").code == 0
