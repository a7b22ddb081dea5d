"""What a learned run costs, and runs that are made to fit a budget."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig, config_from
from tasksieve.training.runs.cost import (
    LEAST_TRIAL,
    LEAST_UPDATES,
    Budget,
    Seconds,
    bounded_settings,
    cost_of,
    timed,
    within,
)
from tests.small import small_config

SECONDS = Seconds(plain=0.01, meta=0.05, validation=0.0)


def config(trials: int = 0, every: int = 1, warm_up: int = 0, iterations: int = 1000) -> RunConfig:
    return config_from(
        {
            "data": {"primary": "p.txt", "valid": "v.txt"},
            "training": {"iterations": iterations},
            "meta": {"every": every, "warm_up": warm_up},
            "screening": {"trials": trials, "iterations": 1200, "distill_iterations": 100},
        }
    )


def test_the_cost_counts_trials_meta_updates_and_validations() -> None:
    assert cost_of(config(), SECONDS).multitask == pytest.approx(10.0)
    assert cost_of(config(), SECONDS).times == pytest.approx(5.0)
    assert cost_of(config(every=4), SECONDS).times == pytest.approx(2.0)
    assert cost_of(config(every=4, warm_up=500), SECONDS).learned == pytest.approx(10.0 + 125 * 0.04)
    assert cost_of(config(trials=32, warm_up=300), SECONDS).learned == pytest.approx(50.0 + 32 * 12.0 + 1.0)
    slow = Seconds(plain=0.01, meta=0.05, validation=2.0)
    assert cost_of(config(trials=8), slow).multitask == pytest.approx(10.0 + 10 * 2.0)
    assert cost_of(config(trials=8), slow).learned == pytest.approx(70.0 + 8 * (12.0 + 3 * 2.0) + 1.0)
    assert cost_of(config(), SECONDS).sentence == (
        "a run of learned costs about 5.0 times one of multitask, 50 s against 10 s at most (by 5 timed iterations "
        "of each)"
    )
    quick = cost_of(config(), Seconds(plain=0.0001, meta=0.0005, validation=0.0)).sentence
    assert quick.endswith("(by 5 timed iterations of each); times this short are mostly start-up")


@pytest.mark.parametrize(
    ("text", "learned"), [("2x", 20.0), ("3.5x", 35.0), ("50s", 50.0), ("0.25m", 15.0), ("1h", 50.0)]
)
def test_a_budget_is_kept_with_as_many_meta_updates_as_it_allows(text: str, learned: float) -> None:
    found = within(config(), Budget.of(text), SECONDS)
    assert cost_of(found, SECONDS).learned <= learned
    every = found.meta.every
    if every > 1:
        denser = config(every=every - 1)
        assert not Budget.of(text).holds(cost_of(denser, SECONDS))


def test_a_budget_that_is_large_enough_changes_nothing() -> None:
    dear = config(trials=32)
    assert bounded_settings(within(dear, Budget.of("99x"), SECONDS)) == bounded_settings(dear)


def test_screening_becomes_shorter_and_then_smaller() -> None:
    found = within(config(trials=32, iterations=6000), Budget.of("2x"), SECONDS)
    assert (found.screening.trials, found.screening.iterations) == (8, LEAST_TRIAL)
    some = within(config(trials=32, iterations=6000), Budget.of("7x"), SECONDS)
    assert (some.screening.trials, some.screening.iterations) == (32, 600)
    assert some.meta.every == 2


@given(st.sampled_from([0, 8, 16, 32, 64]), st.floats(1.0, 30.0), st.floats(1.0, 40.0), st.integers(100, 8000))
def test_a_budget_is_met_or_refused(trials: int, times: float, dear: float, iterations: int) -> None:
    seconds = Seconds(0.01, 0.01 * dear, 0.02)
    before = config(trials=trials, iterations=iterations)
    try:
        found = within(before, Budget.of(f"{times:.3f}x"), seconds)
    except UserError as error:
        assert "cannot be met: a run of learned costs at least" in str(error)
        return
    assert cost_of(found, seconds).times <= times + 1e-3
    assert found.screening.trials * found.screening.iterations <= trials * 1200
    assert found.meta.every == 1 or iterations / found.meta.every >= LEAST_UPDATES - 1


def test_a_budget_below_what_is_possible_is_refused_in_one_sentence() -> None:
    with pytest.raises(
        UserError, match=r"--budget 1\.1x cannot be met: .* at least 1\.2 times .*; allow more, or use"
    ):
        within(config(), Budget.of("1.1x"), SECONDS)
    with pytest.raises(UserError, match=r"--budget 5s cannot be met"):
        within(config(), Budget.of("5s"), SECONDS)


@pytest.mark.parametrize("text", ["", "x", "2", "-1x", "0m", "nanx", "infx", "two times", "5 minutes"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"--budget: found '.*'; expected times a run of multitask, as 2x, or"):
        Budget.of(text)


def test_iterations_are_timed_on_the_data_and_leave_nothing_behind(tasks_dir: Path) -> None:
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    found = timed(small_config(tasks_dir, "restaurant"))
    assert found is not None
    assert 0 < found.plain <= found.meta
    assert found.validation > 0
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.get_num_threads() == threads
    none = timed(small_config(tasks_dir, "restaurant", meta={"updates": 0}))
    assert none is not None and none.meta == none.plain
