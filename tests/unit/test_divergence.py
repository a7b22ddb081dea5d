"""A run that diverges in a comparison is named, and does not stop the others."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from tasksieve.cli import run as run_cli
from tasksieve.errors import UserError
from tasksieve.experiments.compare import Plan, compare
from tasksieve.experiments.published.mnist import Table1Plan, reproduce_table1, table1_config
from tasksieve.experiments.workers import Job, run_jobs
from tasksieve.records.comparison import Comparison, SeedResult, comparison_row
from tasksieve.records.verdict import verdict
from tasksieve.training.loop.divergence import Diverged
from tests.small import OPTIONS, small_config

EXPLODING = {"related_lr": 1e38, "iterations": 50, "optimizer_state": "separate"}


@pytest.mark.parametrize("workers", [1, 2])
def test_the_others_finish_and_the_failure_is_recorded(tasks_dir: Path, tmp_path: Path, workers: int) -> None:
    config = small_config(tasks_dir, "restaurant", training=EXPLODING)
    plan = Plan(config, str(tasks_dir / "primary"), ("multitask", "primary"), (), 1, tmp_path)
    comparison = compare(plan, workers)
    assert [row.method for row in comparison.rows] == ["primary"]
    (failed,) = comparison.failed
    assert (failed.name, failed.method, failed.seed) == ("multitask-6-0", "multitask", 0)
    assert "is not finite; the last good checkpoint is kept" in failed.message
    assert Comparison.model_validate_json((tmp_path / "comparison.json").read_text()) == comparison


def test_the_command_says_so_and_ends_with_2(
    tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    options: dict[str, dict[str, Any]] = {**OPTIONS, "training": {**OPTIONS["training"], **EXPLODING}}
    settings = [f"--set={s}.{k}={v}" for s, values in options.items() for k, v in values.items()]
    primary = str(tasks_dir / "primary")
    words = ["--primary", primary, "--valid", primary, "--test", primary, "--related", str(tasks_dir / "restaurant")]
    words += ["--methods", "primary,multitask", "--seeds", "1", "--workers", "1", "--out", str(tmp_path / "c")]
    for extra in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", ["tasksieve", "compare", *words, *settings, *extra])
        with pytest.raises(SystemExit) as ended:
            run_cli()
        assert ended.value.code == 2
        printed = capsys.readouterr()
        start = "error: left out, as training diverged: multitask-6-0; iteration "
        assert printed.err.splitlines()[-1].startswith(start)
        if extra:
            assert json.loads(printed.out)["failed"][0]["name"] == "multitask-6-0"
        else:
            assert "failed" in printed.out
            assert max(map(len, printed.out.splitlines())) <= 80 + len(str(tmp_path)) + 80
    assert "runs/multitask-6-0 failed: iteration" in (tmp_path / "c" / "report.html").read_text()


@pytest.mark.filterwarnings("ignore:the gradient is not the derivative")
def test_the_table_of_the_paper_names_the_run_after_the_others_are_done(tmp_path: Path) -> None:
    quick = ["iterations=6", "evaluate_every=3", "snapshot_every=3", "batch_size=64", "related_lr=1e38"]
    config = table1_config(None, "next", 0.75, [f"training.{setting}" for setting in quick])
    with pytest.raises(UserError, match=r"runs/.*is not finite.*the others are done"):
        reproduce_table1(Table1Plan(config, 1, tmp_path), 1)


def test_other_errors_still_stop_at_once(tmp_path: Path) -> None:
    def wrong(watch: object) -> None:
        raise UserError("bad data")

    jobs = [Job(str(number), tmp_path / str(number), wrong, dict) for number in range(2)]
    with pytest.raises(UserError, match="bad data"):
        run_jobs(jobs, 1, lambda name, report: None)


def test_errors_stay_what_they_are_between_processes() -> None:
    error = Diverged(3, "primary", "the loss (nan)")
    assert isinstance(pickle.loads(pickle.dumps(error)), Diverged)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    users = UserError("bad data", Path("file"), 3)
    assert str(pickle.loads(pickle.dumps(users))) == str(users) == "file:3: bad data"


def test_no_verdict_without_a_pair() -> None:
    results = [
        SeedResult(seed=seed, test_accuracy=1, valid_accuracy=1, per_dialog_accuracy=0, iterations=1, seconds=1)
        for seed in (0, 1)
    ]
    rows = [
        comparison_row("primary", 5, results[:1], results[:1]),
        comparison_row("ones", 5, results[1:], results[:1]),
    ]
    assert verdict(rows) == "No verdict: no seed came to its end with both ones and primary."
