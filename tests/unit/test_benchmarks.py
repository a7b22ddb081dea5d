"""The benchmarks run; what they measure is never asserted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import meta_update


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
