"""`tasksieve sieve`: one command from dialogs to weighted files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasksieve.records.run_folder import RunFolder
from tests.commands import Cli, small_options
from tests.unit.archives import write_archive

COMMON = ("--seeds", 1, "--workers", 1, "--no-audit")


def options(tasks: Path) -> list[str]:
    primary = str(tasks / "primary")
    return ["--primary", primary, "--valid", primary, "--related", str(tasks / "restaurant"), *small_options()]


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_one_command_gives_a_verdict_a_report_and_weighted_files(cli: Cli, tasks_dir: Path, tmp_path: Path) -> None:
    call = ("sieve", *options(tasks_dir), "--out", "s", *COMMON, "--for", "llama-factory,openai")
    ended = cli(*call)
    assert ended.code == 0, ended.err
    assert "of the 6 validation dialogs 3 choose the model and 3 judge it" in ended.err
    assert "cost: a run of learned costs about" in ended.err
    assert "related service" in ended.out
    assert (tmp_path / "s" / "report.html").exists()
    weights = pl.read_parquet(tmp_path / "s" / "weights.parquet")
    assert set(weights["heads"]) == {"shared"}
    written = rows(tmp_path / "s" / "llama-factory" / "train.jsonl")
    assert len(written) == 6 + 8
    of_files = [m["loss_weight"] for row in written[6:] for m in row["messages"] if m["role"] == "assistant"]
    assert of_files == pytest.approx(weights["weight"].to_list())
    of_openai = [row["messages"] for row in rows(tmp_path / "s" / "openai" / "train.jsonl")]
    flags = {type(m["weight"]) for messages in of_openai for m in messages if "weight" in m}
    assert flags == {int}
    record = json.loads((tmp_path / "s" / "sieve.json").read_text())
    assert (record["heads"], record["tools"]["openai"]["related_responses"]) == ("shared", len(weights))
    again = cli(*call, "--keep", "50%", "--json")
    assert again.code == 0, again.err
    found = json.loads(again.out)["sieve"]["tools"]
    assert {one["related_learned"] for one in found.values()} == {round(len(weights) / 2)}
    assert "cost:" not in again.err


def test_what_would_mislead_is_refused_before_anything_is_trained(cli: Cli, tasks_dir: Path, tmp_path: Path) -> None:
    given = ("sieve", *options(tasks_dir), "--out", "s", *COMMON)
    for more, message in (
        (
            ("--for", "openai", "--set", "training.heads=own"),
            "and OpenAI has one head, which would learn old policies",
        ),
        (("--for", "oven"), "unknown tool 'oven'; known: "),
        ((), "give at least one tool with --for"),
        (("--for", "openai", "--keep", "most"), "--keep: found 'most'; expected a share of the related responses"),
        (("--for", "openai", "--keep", "5%", "--threshold", 0.5), "--keep and --threshold both say"),
        (("--for", "openai", "--threshold", 7), "--threshold: found 7; expected a weight from 0 to 1"),
        (("--for", "openai", "--threshold", "nan"), "--threshold: found nan; expected a weight from 0 to 1"),
        (("--for", "llamafactory"), "unknown tool 'llamafactory'; did you mean llama-factory? known: "),
        (("--for", "openai", "--split", "60/20/20"), "--split draws validation and test dialogs from --primary"),
        (("--for", "openai", "--budget", "2x", "--slice", "1/2"), "--budget goes by the clock of one machine"),
    ):
        ended = cli(*given, *more)
        assert ended.code == 2
        assert message in ended.err
        assert not (tmp_path / "s" / "runs").exists()


def test_a_budget_that_cannot_be_read_is_refused_before_the_dialogs_are(cli: Cli) -> None:
    ended = cli(
        "sieve", "--primary", "no.jsonl", "--related", "no.jsonl", "--out", "s", "--for", "openai", "--budget", "lots"
    )
    assert ended.code == 2
    assert "lots" in ended.err
    assert "no.jsonl" not in ended.err


def test_slices_leave_what_one_command_leaves(cli: Cli, tasks_dir: Path, tmp_path: Path) -> None:
    for out, more in (("whole", ()), ("slices", ("--slice", "2/2"))):
        ended = cli("sieve", *options(tasks_dir), "--out", out, *COMMON, "--for", "openai", *more)
        assert ended.code == 0, ended.err
    files = [tmp_path / out / "openai" / "train.jsonl" for out in ("whole", "slices")]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("more", "predicted"),
    [((), "responses"), (("--predict", "actions"), "actions"), (("--set", "data.predict='actions'"), "actions")],
)
def test_what_is_said_judges_unless_told_otherwise(
    cli: Cli, tmp_path: Path, more: tuple[str, ...], predicted: str
) -> None:
    folder = write_archive(tmp_path / "archive", count=12)
    quick = ("training.iterations=2", "training.evaluate_every=2", "screening.trials=0", "meta.warm_up=0")
    settings = [part for text in ("model.sentences=bag-of-words", *quick) for part in ("--set", text)]
    files = ("--primary", folder / "Boats_1.json", "--related", folder / "Rooms_1.json", "--split", "34/33/33")
    ended = cli("sieve", *files, "--out", "s", *COMMON, "--for", "openai", *settings, *more)
    assert ended.code == 0, ended.err
    assert ("--predict actions judges by what is done" in ended.err) == (not more)
    (run,) = (tmp_path / "s" / "runs").glob("learned-*")
    assert RunFolder(run).read_config().data.predict == predicted
