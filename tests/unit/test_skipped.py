"""How many meta-updates a run left out is told at its end, and that it learned hardly anything if these are most."""

from __future__ import annotations

from pathlib import Path

import pytest

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
