"""Runs in Weights & Biases: offline unless asked, every point once."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasksieve.records.run_folder import RunFolder
from tasksieve.training.runs.dialogs import train
from tasksieve.training.tracking import Tracking
from tests.small import small_config
from tests.unit import trackers
from tests.unit.test_tracking import Stop, stop_at, told_metrics
from tests.unit.trackers import FakeRun

BLOCK = 32768


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    trackers.install(monkeypatch)
    yield
    trackers.uninstall()


def points_of(lines: list[dict[str, Any]]) -> set[tuple[str, int, float]]:
    plain = [(k, line["iteration"], v) for line in lines for k, v in line.items() if not isinstance(v, (tuple, dict))]
    return {point for point in plain if point[0] != "iteration" and not point[0].startswith("_")}


def test_a_run_is_offline_unless_asked_and_a_run_that_goes_on_is_written_anew(
    fakes: None, tasks_dir: Path, tmp_path: Path
) -> None:
    config = small_config(tasks_dir, "restaurant", training={"iterations": 20, "evaluate_every": 6})
    tracking = Tracking(("wandb",), tmp_path, "mine")
    with pytest.raises(Stop):
        train(config, tmp_path / "run", stop_at(10), tracking=tracking)
    train(config, tmp_path / "run", tracking=tracking)
    first, second = FakeRun.started
    assert (first.mode, first.code, second.code) == ("offline", 1, 0)
    assert (second.name, second.number, second.project) == ("mine", first.number, "tasksieve")
    assert [folder.name for folder in (tmp_path / "wandb").iterdir()] == [f"offline-run-1-{first.number}"]
    assert points_of(second.points) == told_metrics(tmp_path / "run")
    steps = [point["iteration"] for point in second.points if "weights" in point]
    assert steps == RunFolder(tmp_path / "run").weight_steps()
    assert second.settings["training"]["method"] == "learned"
    assert second.defined == {"iteration": None, "*": "iteration"}


def test_a_server_is_told_no_point_twice(fakes: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_PROJECT", "dialogs")
    program = import_module("tasksieve.training.tracking.wandb")
    for steps in ((3, 6), (3, 6, 9)):
        tracker = program.open_tracker(tmp_path, "mine")
        for step in steps:
            tracker.metrics(step, {"loss": 0.5})
        tracker.weights(steps[-1], np.array([0.25, 0.75]))
    first, second = FakeRun.started
    assert (second.number, second.mode, second.project) == (first.number, "online", "dialogs")
    assert [p["iteration"] for run in FakeRun.started for p in run.points if "loss" in p] == [3, 6, 9]
    assert [p["iteration"] for run in FakeRun.started for p in run.points if "weights" in p] == [6, 9]


def records(path: Path) -> Iterator[Any]:
    """The records of an offline file: in blocks of 32 KiB, in parts with a header of 7 bytes."""
    from wandb.proto import wandb_internal_pb2

    data, at, part = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        left = BLOCK - at % BLOCK
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        part, at = part + data[at + 7 : at + 7 + length], at + 7 + length
        if kind in (1, 4):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(part)
            part = b""
            yield record


def history(path: Path) -> list[dict[str, Any]]:
    lines = [record.history for record in records(path) if record.WhichOneof("record_type") == "history"]
    return [{i.key or i.nested_key[-1]: json.loads(i.value_json) for i in line.item} for line in lines]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_wandb_itself_keeps_every_point_once(
    tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trackers.own_environment(monkeypatch)
    trackers.uninstall()
    pytest.importorskip("wandb", reason="wandb is not installed")
    monkeypatch.setenv("HOME", str(tmp_path))
    config = small_config(tasks_dir, "restaurant", training={"iterations": 20, "evaluate_every": 6})
    tracking = Tracking(("wandb",), tmp_path, "mine")
    with pytest.raises(Stop):
        train(config, tmp_path / "run", stop_at(10), tracking=tracking)
    train(config, tmp_path / "run", tracking=tracking)
    (file,) = (tmp_path / "wandb").glob("offline-run-*/run-*.wandb")
    lines = history(file)
    assert points_of([line for line in lines if "valid_accuracy" in line]) == told_metrics(tmp_path / "run")
    counts = [(line["iteration"], sum(line["values"])) for line in lines if "values" in line]
    folder = RunFolder(tmp_path / "run")
    assert counts == [(step, len(folder.read_examples())) for step in folder.weight_steps()]
