"""The benchmarks run; what they measure is never asserted."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from benchmarks import checkpoints, estimator_tables, meta_update, performance, reliability
from tasksieve.dialogs.simulate import simulate
from tests.small import small_config


def test_the_meta_update_benchmark_prints_ratios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(meta_update, "missing", lambda: dict.fromkeys(("betty", "higher", "torchopt"), "left out"))
    monkeypatch.setattr(meta_update, "simulate", lambda kind, **how: simulate(kind, **{**how, "dialogs": 20}))
    every = meta_update.entries  # that compiled passes are right: tests/gradients/test_compiled.py
    monkeypatch.setattr(
        meta_update, "entries", lambda *which: [row for row in every(*which) if "-compiled" not in row.name]
    )
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


@pytest.mark.parametrize("writer", [performance, estimator_tables, reliability])
def test_the_pages_say_what_the_records_say(writer: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["writer", "--check"])
    with pytest.raises(SystemExit) as ended:
        writer.main()
    assert ended.value.code == 0


def test_the_checkpoint_benchmark_gives_ratios_and_mends_what_it_changed(tasks_dir: Path, tmp_path: Path) -> None:
    config = small_config(tasks_dir, "restaurant", training={"method": "learned", "iterations": 4})
    save = checkpoints._Run._save
    record = checkpoints.measure(config, tmp_path, 1)
    assert checkpoints._Run._save is save
    assert 0 < record["writing"] < 1
    assert record["ratio"] > 0


def test_noise_keeps_every_response_and_no_order(tmp_path: Path) -> None:
    from benchmarks.negative_transfer import related_of, shuffled
    from tasksieve.dialogs import Turn
    from tasksieve.dialogs.formats import read_dialogs
    from tasksieve.dialogs.simulate import write_simulation

    dialogs = simulate("restaurant", dialogs=10, seed=0, task=5)["train"]
    noise = shuffled(dialogs)

    def turns(those: list[Any], side: str) -> list[str]:
        return [getattr(event, side) for dialog in those for event in dialog.events if isinstance(event, Turn)]

    assert turns(noise, "user") == turns(dialogs, "user")
    assert sorted(turns(noise, "system")) == sorted(turns(dialogs, "system"))
    same = sum(map(str.__eq__, turns(noise, "system"), turns(dialogs, "system")))
    assert same < 0.3 * len(turns(dialogs, "system"))
    write_simulation({"train": dialogs}, tmp_path / "restaurant")
    assert turns(read_dialogs(related_of("noise", tmp_path)), "system") == turns(noise, "system")
