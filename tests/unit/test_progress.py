"""Progress: a rate that was measured, bars at a terminal, and a line now and then elsewhere."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest
from rich.console import Console

from tasksieve.cli import progress as bars_module
from tasksieve.cli.progress import BoardBars, RunBars
from tasksieve.records.progress import Pace, ProgressLog, RunProgress, told_left, told_rate
from tasksieve.training.runs.dialogs import train
from tests.small import small_config


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_rate_counts_what_was_done_since_the_first_report_of_a_phase() -> None:
    pace = Pace()
    assert pace.rate(RunProgress(4000, 6000, 50.0), 7.0) is None
    assert pace.rate(RunProgress(4010, 6000, 50.0), 7.001) is None, "reports in one burst"
    assert pace.rate(RunProgress(4200, 6000, 50.0), 9.0) == 100.0
    assert pace.rate(RunProgress(6000, 6000, 50.0, ended=True), 12.0) is None
    screening = RunProgress(100, 6000, 0.0, screening=True)
    assert pace.rate(screening, 13.0) is None
    assert pace.rate(RunProgress(500, 6000, 0.0, screening=True), 15.0) == 200.0
    assert pace.rate(RunProgress(510, 6000, 0.0), 16.0) is None, "training goes at its own pace"


def test_rates_and_times_are_told_in_few_signs() -> None:
    assert [told_rate(rate) for rate in (None, 0.25, 9.96, 639_174.0)] == ["", "0.25 it/s", "10 it/s", "639,174 it/s"]
    assert [told_left(RunProgress(0, 6000, 0.0), rate) for rate in (None, 100.0, 0.5)] == ["", "0:01:00", "3:20:00"]


def test_a_line_comes_every_ten_seconds_a_run_and_one_at_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tasksieve")
    clock = Clock()
    log = ProgressLog(clock)
    for second in range(25):
        clock.now = 100.0 + second
        for name in ("one", "two") if second < 15 else ("one",):
            log.watch(name, RunProgress(100 * second, 6000, 0.0 if second < 12 else 61.25, screening=second < 12))
    log.watch("two", RunProgress(1400, 1400, 61.25, ended=True))
    assert caplog.messages == [
        "one: screening, iteration 1,000 of 6,000, 100 it/s, 0:00:50 left",
        "two: screening, iteration 1,000 of 6,000, 100 it/s, 0:00:50 left",
        "one: iteration 2,000 of 6,000, best validation 61.2 %, 100 it/s, 0:00:40 left",
        "two: done, best validation 61.2 %",
    ]


def test_training_without_a_watcher_tells_the_log(
    tasks_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tasksieve")
    result = train(small_config(tasks_dir, training={"method": "primary"}), tmp_path / "run")
    assert f"primary: done, best validation {result['valid_accuracy']:.1f} %" in caplog.messages


@pytest.mark.parametrize("terminal", [True, False])
def test_bars_say_what_is_done_and_no_rate_that_was_not_measured(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, terminal: bool
) -> None:
    caplog.set_level(logging.INFO, "tasksieve")
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock)
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=terminal, color_system=None)
    monkeypatch.setattr(bars_module, "errors", lambda: console)
    with RunBars() as bars:
        bars.watch("learned-50-0:100:", RunProgress(10, 6000, 0.0, screening=True))
        clock.now += 4.0
        bars.watch("learned-50-0:100:", RunProgress(850, 6000, 0.0, screening=True))
        at_screening = [dict(task.fields) for task in bars._progress.tasks]
        bars.watch("learned-50-0:100:", RunProgress(3000, 3000, 83.4, ended=True))
        bars.watch("finished", RunProgress(2000, 2000, 77.0, ended=True))
    if not terminal:
        assert out.getvalue() == ""
        assert caplog.messages == [
            "learned-50-0:100:: done, best validation 83.4 %",
            "finished: done, best validation 77.0 %",
        ]
        return
    assert at_screening == [{"rate": "210 it/s", "left": "0:00:25", "state": "screening"}]
    one, two = [line for line in out.getvalue().splitlines() if "valid" in line][-2:]
    assert [part in one for part in ("learned-50-0:100:", "3000/3000", "valid 83.4 %", "it/s")] == [True] * 3 + [
        False
    ]
    assert [part in two for part in ("finished", "2000/2000", "valid 77.0 %", "it/s")] == [True] * 3 + [False]


def test_very_many_runs_have_one_bar_and_those_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, written = Clock(), io.StringIO()
    terminal = Console(file=written, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr(bars_module, "errors", lambda: terminal)
    with BoardBars(clock) as bars:
        bars.announce(100, 40)
        bars.watch("first", RunProgress(10, 20, 50.0))
        clock.now += 30
        bars.watch("first", RunProgress(20, 20, 50.0, ended=True))
        bars.watch("first", RunProgress(20, 20, 50.0, ended=True))
        bars.watch("second", RunProgress(5, 20, 50.0))
    last = written.getvalue().rpartition("all runs")[2]
    assert "41/100" in last and "2 runs/min" in last and "0:29:30 left" in last
    assert "second" in last and "first" not in last


def test_very_many_runs_are_told_in_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    monkeypatch.setattr(bars_module, "errors", lambda: Console(file=io.StringIO(), force_terminal=False))
    caplog.set_level(logging.INFO, "tasksieve")
    with BoardBars(clock) as bars:
        bars.announce(4, 1)
        for name in ("b", "c", "d"):
            clock.now += 6
            bars.watch(name, RunProgress(20, 20, 50.0, ended=True))
    assert [record.getMessage() for record in caplog.records] == [
        "1 of 4 runs are done",
        "3 of 4 runs, 10 runs/min, 0:00:06 left",
    ]
