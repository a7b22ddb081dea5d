"""Every element of every exact estimator's meta-gradient, against a naive float64 unroll."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tasksieve import kernels
from tasksieve.metagrad import Recompute, estimator_named
from tests.gradients.problems import Case
from tests.gradients.settings import CASES, SETTINGS, UNROLLS, assert_same, case_named, truth

EVERY_STEP = ("unrolled", "adjoint", "recompute", "forward")
"""Exact for any number of simulated steps."""
ONE_STEP = (*EVERY_STEP, "one-step", "first-order")
"""Exact for one."""
LONG = ("momentum", "adamw-carried")
"""Settings for all unrolls of dialogs, which take their time; the others are left some."""
COMBINATIONS = [
    (case, setting, steps, joint)
    for case, setting, steps, joint in itertools.product(CASES, SETTINGS, UNROLLS, (False, True))
    if (steps > 1 or joint) and (case.startswith("classifier") or setting in LONG or (joint and steps < max(UNROLLS)))
]
DIALOGS = tuple(case for case in CASES if case.startswith("dialogs"))


def gradients(case: Case, estimator: str, setting: str, steps: int, joint: bool) -> Any:
    """The estimator's result; forward mode's with respect to few weight params."""
    one = SETTINGS[setting]
    chosen = case.few if estimator == "forward" else tuple(case.weight_params)
    weight_params = {name: case.weight_params[name] for name in chosen}
    simulation = case.simulation(steps, joint=joint, state=one.state(case))
    return estimator_named(estimator)(case.problem, one.rule(case.lr), simulation, weight_params).gradients


def compare(name: str, estimator: str, setting: str, steps: int, joint: bool) -> None:
    found = gradients(case_named(name), estimator, setting, steps, joint)
    expected = truth(name, setting, steps, joint)
    assert max(float(value.abs().max()) for value in expected.values()) > 1e-8
    assert_same(found, {name: expected[name] for name in found})


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("estimator", ONE_STEP)
def test_one_simulated_step(name: str, estimator: str, setting: str) -> None:
    compare(name, estimator, setting, 1, joint=False)


@pytest.mark.parametrize(("name", "setting", "steps", "joint"), COMBINATIONS)
@pytest.mark.parametrize("estimator", EVERY_STEP)
def test_several_simulated_steps(name: str, estimator: str, setting: str, steps: int, joint: bool) -> None:
    compare(name, estimator, setting, steps, joint)


@pytest.mark.parametrize("name", DIALOGS)
@pytest.mark.parametrize("setting", ["momentum-carried", "adamw"])
@pytest.mark.parametrize("estimator", ONE_STEP)
def test_torch_operations_in_place_of_compiled_code(name: str, estimator: str, setting: str) -> None:
    with kernels.disabled():
        compare(name, estimator, setting, 1, joint=False)
        if estimator in EVERY_STEP:
            compare(name, estimator, setting, 2, joint=True)


@pytest.mark.parametrize("every", range(1, 11))
@pytest.mark.parametrize("setting", ["momentum-carried", "adamw-carried"])
def test_any_spacing_of_checkpoints_gives_the_adjoint(every: int, setting: str) -> None:
    case, one = case_named("classifier-mean"), SETTINGS[setting]
    simulation = case.simulation(5, joint=True, state=one.state(case))
    results = [
        estimator(case.problem, one.rule(case.lr), simulation, case.weight_params)
        for estimator in (Recompute(every), estimator_named("adjoint"))
    ]
    assert_same(results[0].gradients, results[1].gradients)
    assert float(results[0].meta_loss) == float(results[1].meta_loss)
