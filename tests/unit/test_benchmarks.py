"""The benchmarks run; what they measure is never asserted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import checkpoints, meta_update, performance
from tests.small import small_config


def test_the_meta_update_benchmark_prints_ratios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(meta_update, "missing", lambda: dict.fromkeys(("betty", "higher", "torchopt"), "left out"))
    arguments = ["--json", str(tmp_path / "out.json"), "--scratch", str(tmp_path), "--rounds", "1", "--lengths", "5"]
    monkeypatch.setattr(sys, "argv", ["meta_update", *arguments])
    threads = torch.get_num_threads()
    meta_update.main()
    torch.set_num_threads(threads)
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert {row["model"] for row in rows} == {"memory network", "transformer"}
    assert {"tasksieve-adjoint", "tasksieve-recompute", "naive"} <= {row["name"] for row in rows}
    assert all(row["cosine"] > 0.99999 for row in rows)
    assert all(row["ratio"] == 1.0 for row in rows if row["name"] == "naive")
    assert capsys.readouterr().out.count("passes") == len(rows)
    record = json.loads((tmp_path / "out.json").read_text())
    page = performance.written("<!-- measured -->\n<!-- /measured -->", record)
    assert page.count("`tasksieve-adjoint`") == 2


def test_the_page_on_performance_says_what_the_record_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["performance", "--check"])
    with pytest.raises(SystemExit) as ended:
        performance.main()
    assert ended.value.code == 0


def test_the_checkpoint_benchmark_gives_ratios_and_mends_what_it_changed(tasks_dir: Path, tmp_path: Path) -> None:
    config = small_config(tasks_dir, "restaurant", training={"method": "learned", "iterations": 4})
    save = checkpoints.TrainState.save
    record = checkpoints.measure(config, tmp_path, 1)
    assert checkpoints.TrainState.save is save
    assert 0 < record["writing"] < 1
    assert record["ratio"] > 0
