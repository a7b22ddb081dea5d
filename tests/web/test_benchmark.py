"""The benchmark of the server runs, and SIGTERM ends its server with 0; what it measures is never asserted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import serve


def test_the_benchmark_reports_every_request_and_the_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "EXAMPLES": 200,
        "RECORDS": 7,
        "CANDIDATES": 100,
        "CLIENTS": 3,
        "WARM_UP": 1,
        "ROUNDS": 2,
    }.items():
        monkeypatch.setattr(serve, name, value)
    monkeypatch.setattr(sys, "argv", ["serve", "--json", str(tmp_path / "out.json"), "--seconds", "0.2"])
    serve.main()
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["sizes"] == {"examples": 200, "records": 7, "candidates": 100}
    assert [row["request"] for row in found["alone"]] == list(serve.REQUESTS)
    assert found["at_once"]["errors"] == 0
    assert found["at_once"]["answers"] > 0
    assert capsys.readouterr().out.count("ms median") == len(serve.REQUESTS)
