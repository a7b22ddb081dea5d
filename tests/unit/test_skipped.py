"""How many meta-updates a run left out is told at its end, and that it learned hardly anything if these are most."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasksieve.experiments.with_results import seed_result
from tasksieve.records.comparison import Comparison, MeasuredSeed, comparison_row
from tasksieve.records.measures import RESPONSES
from tasksieve.report.skipped import skipped_in
from tasksieve.report.terminal import told_below
from tasksieve.training.loop.skipped import meta_updates_of, warn_of_skipped


def after_warm_up(iterations: range) -> int:
    """Two meta-updates in every iteration from 3 on."""
    return 2 * sum(step >= 3 for step in iterations)


def test_shares_of_validations_become_counts() -> None:
    lines = [
        {"step": 2, "meta_updates_skipped": None},
        {"step": 5, "meta_updates_skipped": 0.25},
        {"step": 10, "meta_updates_skipped": 0.5},
    ]
    assert meta_updates_of(lines, after_warm_up) == {"meta_updates": 14, "meta_updates_skipped": 6}
    assert meta_updates_of(lines[:1], after_warm_up) == {}


@pytest.mark.parametrize(("skipped", "warned"), [(0, False), (5, False), (6, True), (10, True)])
def test_only_a_run_that_left_out_more_than_half_is_warned_of(
    skipped: int, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    warn_of_skipped({"meta_updates": 10, "meta_updates_skipped": skipped}, Path("run"))
    assert (f"{skipped} of 10 meta-updates were skipped" in caplog.text) is warned


def test_a_run_without_meta_updates_is_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_skipped({"method": "primary"}, Path("run"))
    assert caplog.text == ""


def measured(method: str, seed: int, skipped: int) -> MeasuredSeed:
    """A run as a comparison reads it from its records."""
    result = {"method": method, "seed": seed, "valid_accuracy": 50.0, "iterations": 9, "seconds": 1.0}
    counts = {"meta_updates": 600, "meta_updates_skipped": skipped} if method == "learned" else {}
    return seed_result({**result, **counts}, {"accuracy": 50.0, "per_dialog_accuracy": 1.0}, RESPONSES)


def compared(*skipped: int, sizes: tuple[int, ...] = (5,)) -> Comparison:
    rows = []
    for size in sizes:
        primary = [measured("primary", seed, 0) for seed in range(len(skipped))]
        learned = [measured("learned", seed, count) for seed, count in enumerate(skipped)]
        rows += [comparison_row("primary", size, primary, primary), comparison_row("learned", size, learned, primary)]
    return Comparison(rows=tuple(rows), verdict="")


def test_a_comparison_tells_how_many_meta_updates_its_runs_skipped() -> None:
    said = "of 1,200 meta-updates were skipped, as their gradient was not finite."
    assert skipped_in(compared(2, 1)) == [f"learned: 3 {said}"]
    assert [str(line) for line in told_below(compared(2, 1))][-1] == f"learned: 3 {said}"
    assert skipped_in(compared(2, 1, sizes=(5, 10)))[1] == f"learned, size 10: 3 {said}"
    assert skipped_in(compared(0, 0)) == []
