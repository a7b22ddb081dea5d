"""What `tasksieve sieve` counts, refuses and leaves in its folder."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tasksieve.errors import UserError
from tasksieve.experiments.own_parts import own_parts
from tasksieve.experiments.sieve import alike_in
from tasksieve.experiments.sieve_record import SieveRecord
from tests.cli.test_sieve import COMMON
from tests.commands import Cli, small_options


@pytest.fixture
def chats(tmp_path: Path) -> list[str]:
    """Options of a primary task of twelve dialogs and a related one, as chat files."""
    for name, count in (("new", 12), ("older", 10)):
        dialogs: list[list[dict[str, object]]] = [
            [
                {"role": "user", "content": f"{name} question {number}"},
                {"role": "assistant", "content": f"answer {number % 3}"},
            ]
            for number in range(count)
        ]
        write(tmp_path / f"{name}.jsonl", dialogs)
    folder = str(tmp_path)
    return ["--primary", f"{folder}/new.jsonl", "--related", f"{folder}/older.jsonl", *small_options()]


def write(path: Path, dialogs: list[list[dict[str, object]]]) -> None:
    path.write_text("".join(json.dumps({"messages": messages}) + "\n" for messages in dialogs))


def read(path: Path) -> list[list[dict[str, object]]]:
    return [json.loads(line)["messages"] for line in path.read_text().splitlines()]


def test_a_dialog_that_says_nothing_to_learn_counts_like_the_others(
    cli: Cli, chats: list[str], tmp_path: Path
) -> None:
    dialogs = read(tmp_path / "new.jsonl")
    for messages in dialogs[:6]:
        messages[1]["weight"] = 0
    write(tmp_path / "new.jsonl", dialogs)
    ended = cli("sieve", *chats, "--out", "s", *COMMON, "--for", "openai")
    assert ended.code == 0, ended.err
    found = json.loads((tmp_path / "s" / "comparison.json").read_text())
    assert {row["size"] for row in found["rows"]} == {7}
    (run,) = json.loads((tmp_path / "s" / "sieve.json").read_text())["runs"]
    assert run == "runs/learned-7-0"
    assert json.loads((tmp_path / "s" / run / "result.json").read_text())["size"] == 7


def test_another_draw_leaves_the_dialogs_of_runs_as_they_are(cli: Cli, chats: list[str], tmp_path: Path) -> None:
    call = ("sieve", *chats, "--out", "s", *COMMON, "--for", "openai")
    first = cli(*call)
    assert first.code == 0, first.err
    before = {path: path.read_bytes() for path in sorted((tmp_path / "s" / "dialogs").iterdir())}
    ended = cli(*call, "--split-seed", 1)
    assert ended.code == 2
    assert "holds other dialogs than are drawn now, and there are runs that learned from them" in ended.err
    assert {path: path.read_bytes() for path in sorted((tmp_path / "s" / "dialogs").iterdir())} == before
    assert cli(*call).code == 0


def test_dialogs_are_not_overwritten_with_a_part_of_themselves(cli: Cli, chats: list[str], tmp_path: Path) -> None:
    mine = tmp_path / "s" / "dialogs" / "train.jsonl"
    mine.parent.mkdir(parents=True)
    before = (tmp_path / "new.jsonl").read_bytes()
    mine.write_bytes(before)
    ended = cli("sieve", "--primary", mine, *chats[2:], "--out", "s", *COMMON, "--for", "openai")
    assert ended.code == 2
    assert "would be overwritten with a part of itself" in ended.err
    assert mine.read_bytes() == before


def test_a_folder_of_dialogs_that_is_the_users_own_is_left_alone(cli: Cli, chats: list[str], tmp_path: Path) -> None:
    mine = tmp_path / "s" / "dialogs" / "train.jsonl"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    ended = cli("sieve", *chats, "--out", "s", *COMMON, "--for", "openai")
    assert ended.code == 2
    said = "s/dialogs: is there and was not written by sieve (train.jsonl); move it away, or choose another --out"
    assert ended.err.endswith(f"{said}\n")
    assert [path.name for path in mine.parent.iterdir()] == ["train.jsonl"]
    assert mine.read_text() == "mine"
    assert [path.name for path in (tmp_path / "s").iterdir()] == ["dialogs"]


def test_dialogs_that_a_sieve_drew_before_it_was_stopped_are_drawn_anew(tmp_path: Path) -> None:
    write(
        tmp_path / "new.jsonl",
        [[{"role": "user", "content": str(n)}, {"role": "assistant", "content": "a"}] for n in range(9)],
    )
    out = tmp_path / "s"
    found = [
        own_parts(str(tmp_path / "new.jsonl"), None, None, None, seed, SieveRecord(out), strict=False)
        for seed in (0, 1)
    ]
    assert found[0] == found[1]
    assert SieveRecord(out).dialogs == Path(found[0].primary).parent
    SieveRecord(out).claim(["openai"])
    SieveRecord(out).claim_dialogs(begun=False)


def test_what_validation_dialogs_lose_is_counted(cli: Cli, chats: list[str], tmp_path: Path) -> None:
    dialogs = read(tmp_path / "new.jsonl")
    write(tmp_path / "valid.jsonl", [[{**m, "mood": "glad"} for m in messages] for messages in dialogs[:6]])
    ended = cli("sieve", *chats, "--valid", tmp_path / "valid.jsonl", "--out", "s", *COMMON, "--for", "openai")
    assert ended.code == 0, ended.err
    lost = json.loads((tmp_path / "s" / "sieve.json").read_text())["tools"]["openai"]["lost"]
    assert lost["'mood' of a message"] == 6


def test_files_of_another_selection_are_named_with_it(cli: Cli, chats: list[str], tmp_path: Path) -> None:
    call = ("sieve", *chats, "--out", "s", *COMMON)
    first = cli(*call, "--for", "openai,ms-swift")
    assert first.code == 0, first.err
    same = cli(*call, "--for", "trl")
    assert same.code == 0, same.err
    assert "stays as it was written before" not in same.err
    other = cli(*call, "--for", "openai", "--keep", "20%")
    assert other.code == 0, other.err
    for name in ("ms-swift", "trl"):
        said = (
            f"s/{name} stays as it was written before, without --keep and --threshold; add --for {name} to write it"
        )
        assert said in other.err
    record = json.loads((tmp_path / "s" / "sieve.json").read_text())
    assert {name: one["keep"] for name, one in record["tools"].items()} == {
        "ms-swift": None,
        "openai": 0.2,
        "trl": None,
    }
    assert (record["keep"], "begun" in record) == (0.2, False)


def test_files_of_the_users_own_are_not_overwritten(cli: Cli, chats: list[str], tmp_path: Path) -> None:
    mine = tmp_path / "s" / "openai" / "train.jsonl"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    ended = cli("sieve", *chats, "--out", "s", *COMMON, "--for", "trl,openai")
    assert ended.code == 2
    assert "openai: is there and was not written by sieve (train.jsonl); move it away, or choose" in ended.err
    assert mine.read_text() == "mine"
    assert [path.name for path in (tmp_path / "s").iterdir()] == ["openai"]


def test_a_sieve_that_was_stopped_while_it_wrote_goes_on(tmp_path: Path) -> None:
    record = SieveRecord(tmp_path)
    record.claim(["openai"])
    (tmp_path / "openai").mkdir()
    (tmp_path / "openai" / "train.jsonl").write_text("{}")
    SieveRecord(tmp_path).check(["openai"])
    (tmp_path / "trl").mkdir()
    (tmp_path / "trl" / "train.parquet").write_text("mine")
    with pytest.raises(UserError, match="was not written by sieve"):
        SieveRecord(tmp_path).check(["trl"])


def test_a_threshold_that_keeps_nothing_is_said(cli: Cli, chats: list[str]) -> None:
    ended = cli("sieve", *chats, "--out", "s", *COMMON, "--for", "trl", "--threshold", 1)
    assert ended.code == 0, ended.err
    assert "trl: no related response is kept, and your own alone are learned; lower --threshold" in ended.err


def test_responses_that_hold_given_words_are_left_out_whatever_their_weight(
    cli: Cli, chats: list[str], tmp_path: Path
) -> None:
    call = ("sieve", *chats, "--out", "s", *COMMON)
    refused = cli(*call, "--for", "openai", "--without", " ")
    assert (refused.code, "--without: found no text; expected words that stand in responses" in refused.err) == (
        2,
        True,
    )
    assert not (tmp_path / "s").exists()
    ended = cli(
        *call, "--for", "trl,demonstrations", "--threshold", 0, "--without", "ANSWER  1", "--without", "phone"
    )
    assert ended.code == 0, ended.err
    assert "--without 'ANSWER  1': 3 related responses hold it" in ended.err
    assert "warning: --without 'phone': 0 related responses hold it" in ended.err
    rows = [json.loads(line) for line in (tmp_path / "s" / "trl" / "train.jsonl").read_text().splitlines()]
    older = [row for row in rows if row["messages"][0]["content"].startswith("older")]
    assert {row["messages"][1]["content"] for row in older} == {"answer 0", "answer 2"}
    assert len(older) == 7
    assert all(row["weights"][0] > 0 for row in older)
    shown = read(tmp_path / "s" / "demonstrations" / "demonstrations.jsonl")
    assert {messages[1]["content"] for messages in shown} == {"answer 0", "answer 2"}
    weights = pl.read_parquet(tmp_path / "s" / "weights.parquet")
    assert weights["weight"].min() > 0  # type: ignore[operator]
    again = cli(*call, "--for", "openai", "--keep", "100%", "--without", "answer 0", "--without", "answer 1")
    assert again.code == 0, again.err
    assert "cost:" not in again.err
    assert "trl stays as it was written before, --threshold 0.0 and --without 'ANSWER  1'" in again.err
    tools = json.loads((tmp_path / "s" / "sieve.json").read_text())["tools"]
    assert tools["openai"]["without"] == ["answer 0", "answer 1"]
    assert tools["openai"]["related_learned"] == 3


def test_weights_that_tell_nothing_apart_are_said(cli: Cli, chats: list[str]) -> None:
    ended = cli("sieve", *chats, "--out", "s", *COMMON, "--for", "openai")
    assert ended.code == 0, ended.err
    assert "the weights hardly differ: four of five are from 0.5" in ended.err
    assert "--threshold 0" in ended.err


@pytest.mark.parametrize(
    ("weights", "alike"),
    [
        ([0.5] * 9 + [0.55] * 9, True),
        ([0.5] * 9, False),
        ([0.5] * 9 + [0.8] * 9, False),
        ([0.97] * 9 + [0.99] * 9, False),
        ([0.01] * 9 + [0.03] * 9, False),
    ],
)
def test_only_weights_that_might_as_well_be_equal_are(weights: list[float], *, alike: bool) -> None:
    assert (alike_in(pl.DataFrame({"weight": weights})) is not None) == alike


@pytest.mark.parametrize("out", ["taken", "taken/within"])
def test_a_file_where_a_folder_is_to_be_is_named(cli: Cli, chats: list[str], tmp_path: Path, out: str) -> None:
    (tmp_path / "taken").write_text("mine")
    new = chats[1]
    for call in (
        ("sieve", *chats, "--for", "openai", "--out", out),
        ("compare", *chats, "--split", "60/20/20", "--out", out),
        ("train", *chats, "--split", "60/20/20", "--out", out),
        ("simulate", "restaurant", "--out", out),
        ("convert", new, out, "--for", "openai"),
    ):
        ended = cli(*call)
        assert ended.code == 2, call
        assert ended.err == "error: taken: is a file, where a folder is to be written; choose another folder\n"
        assert (tmp_path / "taken").read_text() == "mine"
