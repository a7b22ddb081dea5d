"""The chat messages that the pages export are read back: by `tasksieve validate`, and with every word and weight."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tasksieve.cli.convert import validate
from tasksieve.dialogs import SILENCE, Dialog, Turn
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.records.run_folder import RunFolder
from tasksieve.serve.export import Asked, file_of
from tasksieve.serve.recorded import Recorded
from tests.web.folders import HOSTILE


def exported(run: Path, folder: Path, **asked: object) -> Path:
    name, _, content = file_of(Recorded(run).examples(), Asked.model_validate({"format": "chat", **asked}))
    (folder / name).write_bytes(content)
    return folder / name


def recorded(run: Path) -> pl.DataFrame:
    folder = RunFolder(run)
    last = folder.read_weights(folder.weight_steps()[-1]).select("example", "weight")
    return folder.read_examples().join(last, on="example").sort("example")


def test_validate_finds_no_problem_and_counts_every_dialog(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    validate([exported(run, tmp_path)])
    shown = " ".join(capsys.readouterr().out.split())
    examples = recorded(run)
    dialogs = examples.select("task", "dialog").n_unique()
    assert f"chat messages, {dialogs} whole dialogs, {len(examples)} turns, no problem" in shown


def test_every_dialog_comes_back_as_it_was(run: Path, tmp_path: Path) -> None:
    examples = recorded(run)
    assert {SILENCE, HOSTILE} <= set(examples["user"])
    read = read_dialogs(exported(run, tmp_path, order="dialog"))
    wanted = [
        Dialog(tuple(Turn(row["user"], row["system"]) for row in one.sort("turn").iter_rows(named=True)), line=line)
        for line, one in enumerate(examples.partition_by("task", "dialog", maintain_order=True), start=1)
    ]
    assert read == wanted


def test_weights_stand_at_their_responses_and_silence_is_no_message(run: Path, tmp_path: Path) -> None:
    examples = recorded(run)
    lines = exported(run, tmp_path, order="dialog", low=0.5).read_text(encoding="utf-8").splitlines()
    dialogs = {(line["task"], line["dialog"]): line["messages"] for line in map(json.loads, lines)}
    wanted = examples.filter(pl.col("weight") >= 0.5)
    assert set(dialogs) == set(wanted.select("task", "dialog").rows())
    for (task, dialog), messages in dialogs.items():
        turns = examples.filter((pl.col("task") == task) & (pl.col("dialog") == dialog)).sort("turn")
        said = [message["weight"] for message in messages if message["role"] == "assistant"]
        kept = [weight if weight >= 0.5 else 0 for weight in turns["weight"]]
        assert said == pytest.approx(kept, abs=1e-5)
        assert all(message["content"] != SILENCE for message in messages)
