"""The benchmarks run; what they measure is never asserted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import checkpoints, meta_update
from tests.small import small_config


def test_the_meta_update_benchmark_prints_ratios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(meta_update, "WARM_UP", 1)
    monkeypatch.setattr(meta_update, "ROUNDS", 2)
    arguments = ["meta_update", "--json", str(tmp_path / "out.json"), "--scratch", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)
    threads = torch.get_num_threads()
    meta_update.main()
    torch.set_num_threads(threads)
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert rows[0]["name"] == "plain forward+backward, related batch"
    assert rows[0]["plain_passes"] == 1.0
    assert len(rows) == 5
    assert capsys.readouterr().out.count("plain passes") == 5


def test_the_checkpoint_benchmark_gives_ratios_and_mends_what_it_changed(tasks_dir: Path, tmp_path: Path) -> None:
    config = small_config(tasks_dir, "restaurant", training={"method": "learned", "iterations": 4})
    save = checkpoints.TrainState.save
    record = checkpoints.measure(config, tmp_path, 1)
    assert checkpoints.TrainState.save is save
    assert 0 < record["writing"] < 1
    assert record["ratio"] > 0
