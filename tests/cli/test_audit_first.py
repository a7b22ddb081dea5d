"""`compare` and `train` look at the dialogs first, and draw their splits from one file if asked to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasksieve.dialogs.formats import read_dialogs, write_babi
from tests.commands import Cli, small_options
from tests.small import write_tasks

ONE_METHOD = ("--methods", "primary", "--seeds", 1, "--workers", 1)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """18 dialogs of a primary task in one file."""
    folder = tmp_path_factory.mktemp("one")
    tasks = write_tasks(folder)
    dialogs = [d for split in ("train", "valid", "test") for d in read_dialogs(tasks / "primary" / f"{split}.txt")]
    write_babi(dialogs, folder / "all.txt")
    return folder / "all.txt"


def trained(*files: object, method: str = "primary") -> list[object]:
    return ["train", *files, *small_options(method=method), "--out", "run"]


@pytest.mark.parametrize("command", ["train", "compare"])
def test_training_on_the_validation_dialogs_ends_before_it_begins(cli: Cli, file: Path, command: str) -> None:
    test = ("--test", file, *ONE_METHOD) if command == "compare" else ()
    ended = cli(command, "--primary", file, "--valid", file, *test, *small_options(), "--out", "run")
    assert (ended.code, ended.out) == (2, "")
    (line,) = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert line.startswith(f"error: The validation dialogs are the training dialogs ({file}), and")
    assert line.endswith("have three parts drawn from it; --no-audit trains all the same")
    assert not Path("run").exists()


def test_it_is_trained_all_the_same_where_that_is_asked_for(cli: Cli, file: Path) -> None:
    ended = cli(*trained("--primary", file, "--valid", file, "--no-audit"), "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["method"] == "primary"


def test_the_gravest_findings_come_first_in_a_line_each_and_once(cli: Cli, tasks_dir: Path, file: Path) -> None:
    related = ("--related", tasks_dir / "restaurant")
    command = [*trained("--primary", file, "--split", "50/25/25", *related, method="multitask"), "--json"]
    ended = cli(*command)
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["size"] == 9
    said = [line for line in ended.err.splitlines() if line.startswith(("mend: ", "look: "))]
    assert 0 < len(said) <= 3
    assert said == sorted(said, key=lambda line: line.startswith("look"))
    again = cli(*command)
    assert json.loads(again.out) == json.loads(ended.out)
    assert not any(line.startswith(("mend: ", "look: ")) for line in again.err.splitlines())
    assert not any("look: " in line for line in cli(*command[:-2], "run2", "--no-audit").err.splitlines())


def test_one_file_is_split_for_training_and_measured_on_the_rest(cli: Cli, file: Path) -> None:
    ended = cli(*trained("--primary", file, "--split", "50/25/25", "--split-seed", 3))
    assert ended.code == 0, ended.err
    assert "Next: tasksieve evaluate run, tasksieve chat run" in ended.out
    assert 'split = "50/25/25"' in Path("run/config.toml").read_text()
    record = json.loads(cli("evaluate", "run", "--json").out)
    assert (record["dialogs"], record["split"], record["split_seed"]) == (4, "50/25/25", 3)
    other = cli("train", "--config", "run/config.toml", "--out", "again", "--json")
    assert json.loads(other.out)["size"] == 9, other.err


def test_a_comparison_tests_on_the_third_part(cli: Cli, file: Path) -> None:
    split = ("--split", "50/25/25", *small_options(), *ONE_METHOD, "--out", "c", "--json")
    ended = cli("compare", "--primary", file, *split)
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["settings"]["test"] == str(file)
    record = json.loads(Path("c/runs/primary-9-0/test.json").read_text())
    assert (record["dialogs"], record["split"]) == (4, "50/25/25")
    assert json.loads(cli("compare", "--primary", file, *split).out)["rows"] == json.loads(ended.out)["rows"]
    seeds = cli("compare", "--primary", file, "--split-seed", 1, *split)
    assert (seeds.code, "data.split_seed is 0 there and 1 here" in seeds.err) == (2, True)


MISSING = {
    "valid": (
        ["train", "--primary", "f"],
        "dialogs are missing: give --valid, or --split 60/20/20 to have them drawn from --primary, or --config",
    ),
    "valid and test": (
        ["compare", "--primary", "f"],
        "dialogs are missing: give --valid, or --split 60/20/20 to have them drawn from --primary",
    ),
    "test": (
        ["compare", "--primary", "f", "--valid", "v"],
        "test dialogs are missing: give --test, or --split 60/20/20 instead of --valid to have all three parts drawn",
    ),
    "nothing": (
        ["compare", "--primary", "f", "--test", "t", "--split", "60/20/20"],
        "--split draws the test dialogs too; leave --test out, or give --valid instead of --split",
    ),
    "one of two": (
        ["train", "--primary", "f", "--valid", "v", "--split", "60/20/20"],
        "data: expected valid (--valid), or a split (--split) such as 60/20/20 of primary; found both",
    ),
    "what adds up": (
        ["train", "--primary", "f", "--split", "60/20/30"],
        "data.split: found '60/20/30'; expected per cent of training, validation and test dialogs, 100 together",
    ),
}


@pytest.mark.parametrize("name", list(MISSING))
def test_what_is_missing_is_said_with_what_to_give(cli: Cli, name: str) -> None:
    command, message = MISSING[name]
    ended = cli(*command, "--out", "run")
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err, ended.err


def test_validation_dialogs_take_the_place_of_a_split_and_the_other_way_round(cli: Cli, file: Path) -> None:
    write_babi(read_dialogs(file)[:6], Path("v.txt"))
    write_babi(read_dialogs(file)[6:], Path("p.txt"))
    assert cli(*trained("--primary", file, "--split", "50/25/25")).code == 0
    given = cli("train", "--config", "run/config.toml", "--primary", "p.txt", "--valid", "v.txt", "--out", "other")
    assert given.code == 0, given.err
    assert 'valid = "v.txt"' in Path("other/config.toml").read_text()
    drawn = cli("train", "--config", "other/config.toml", "--primary", file, "--split", "50/25/25", "--out", "third")
    assert drawn.code == 0, drawn.err
    assert "valid =" not in Path("third/config.toml").read_text()


def test_audit_takes_a_split_and_what_is_predicted(cli: Cli, file: Path) -> None:
    record = json.loads(cli("audit", "--primary", file, "--split", "50/25/25", "--json").out)
    assert [size["dialogs"] for size in record["sizes"]] == [9, 5, 4]
    assert record["predicting"]["what"] == "responses"
    stopped = json.loads(cli("audit", "--primary", file, "--predict", "actions", "--json").out)
    assert stopped["findings"][0]["level"] == "stop"
    assert "No training turn says what the system does" in stopped["findings"][0]["sentence"]
    both = cli("audit", "--primary", file, "--valid", file, "--split", "50/25/25")
    assert (both.code, "leave --valid and --test out" in both.err) == (2, True)
