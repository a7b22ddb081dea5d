"""Estimators that are exact under conditions only: where they are, and how far off elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from tasksieve.metagrad import (
    Adam,
    BilevelProblem,
    ConjugateGradient,
    FiniteDifference,
    Moments,
    Neumann,
    Sgd,
    estimator_named,
)
from tests.gradients.quadratic import Quadratic
from tests.gradients.settings import CASES, SETTINGS, assert_same, case_named, relative_error, truth

QUADRATIC = Quadratic()
ALL = torch.arange(6)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("setting", ["momentum-carried", "adam", "adamw-carried"])
def test_differences_are_close(name: str, setting: str) -> None:
    case, one = case_named(name), SETTINGS[setting]
    for steps in (1, 3):
        found = FiniteDifference()(case.update(one.rule(case.lr), steps, joint=True, state=one.state(case)))
        assert relative_error(found.gradients, truth(name, setting, steps, True)) < 1e-5


def test_without_the_hessian_the_error_is_of_the_order_of_the_step() -> None:
    case = case_named("classifier-mean")
    errors = []
    for lr in (1e-3, 1e-4):
        exact, without = (
            estimator_named(name)(case.update(Sgd(lr), 3)).gradients for name in ("adjoint", "first-order")
        )
        errors.append(relative_error(without, exact))
    assert errors[0] < 0.02
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.05)


def at_the_minimum(*batches: Any, rule: Any, estimator: Any, state: Any = None) -> torch.Tensor:
    start = QUADRATIC.minimum(QUADRATIC.eta["w"])
    result: torch.Tensor = estimator(QUADRATIC.update(rule, *batches, start=start, state=state)).gradients["w"]
    return result


def implicit_truth() -> torch.Tensor:
    """Through the closed form of the minimum."""
    weights = QUADRATIC.eta["w"].clone().requires_grad_()
    loss = (QUADRATIC.minimum(weights) - QUADRATIC.goal).square().sum() / 2
    return torch.autograd.grad(loss, weights)[0]


def carried() -> dict[str, Moments]:
    """Adam's moments after very many steps, at rest: gradients of different sizes were seen."""
    square = torch.tensor([0.5, 2.0, 1.0], dtype=torch.float64)
    return {"x": Moments(torch.zeros(3, dtype=torch.float64), square, 100_000)}


IMPLICIT = {
    "cg": ConjugateGradient(damping=0.0, tolerance=1e-14),
    "neumann": Neumann(terms=300),
}


@pytest.mark.parametrize("name", IMPLICIT)
@pytest.mark.parametrize(
    ("rule", "repeats"),
    [(Sgd(0.05), 1), (Sgd(0.01, 0.8), 2), (Adam(0.05), 1)],
    ids=["sgd", "momentum", "adam"],
)
def test_at_a_minimum_implicit_differentiation_is_exact(name: str, rule: Any, repeats: int) -> None:
    """Also where the same batch is simulated twice."""
    state = carried() if isinstance(rule, Adam) else None
    found = at_the_minimum(*[ALL] * repeats, rule=rule, estimator=IMPLICIT[name], state=state)
    torch.testing.assert_close(found, implicit_truth(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("estimator", [ConjugateGradient(damping=0.1, tolerance=1e-14), Neumann(400, damping=0.1)])
@pytest.mark.parametrize("adam", [False, True])
def test_damping_is_a_share_of_each_step(estimator: Any, adam: bool) -> None:
    lr, theta = 0.05, QUADRATIC.minimum(QUADRATIC.eta["w"])
    rule, state = (Adam(lr), carried()) if adam else (Sgd(lr), None)
    gains = lr / (0.999 * carried()["x"].square).sqrt() if adam else torch.full((3,), lr, dtype=torch.float64)
    matrix = QUADRATIC.hessian(QUADRATIC.eta["w"]) + 0.1 * torch.diag(1 / gains)
    v = torch.linalg.solve(matrix, theta - QUADRATIC.goal)
    expected = -QUADRATIC.gradients_at(theta) @ v
    found = at_the_minimum(ALL, rule=rule, estimator=estimator, state=state)
    torch.testing.assert_close(
        found, expected, rtol=1e-5 if adam else 1e-9, atol=1e-12
    )  # Adam's second moment decays


@pytest.mark.parametrize("terms", [1, 2, 7])
def test_a_short_series_is_the_unroll_of_so_many_steps_at_the_minimum(terms: int) -> None:
    rule = Sgd(0.05)
    found = at_the_minimum(ALL, rule=rule, estimator=Neumann(terms))
    expected = at_the_minimum(*[ALL] * terms, rule=rule, estimator=estimator_named("adjoint"))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_joint_batches_bend_the_loss_too() -> None:
    """One related and one primary batch: H is the mean of both Hessians."""
    update = QUADRATIC.update(Sgd(0.05), ALL)
    joint = replace(update, simulation=replace(update.simulation, joint_batches=[None]))
    found = ConjugateGradient(damping=0.0, tolerance=1e-14)(joint)
    theta = QUADRATIC.start - 0.05 * (QUADRATIC.start - QUADRATIC.goal)
    theta = theta - 0.05 * QUADRATIC.eta["w"] @ QUADRATIC.gradients_at(theta)
    matrix = (QUADRATIC.hessian(QUADRATIC.eta["w"]) + torch.eye(3, dtype=torch.float64)) / 2
    v = torch.linalg.solve(matrix, theta - QUADRATIC.goal)
    torch.testing.assert_close(found.gradients["w"], -QUADRATIC.gradients_at(theta) @ v / 2, rtol=1e-9, atol=1e-12)


def test_conjugate_gradients_stop_where_the_loss_bends_down() -> None:
    """At a maximum the first direction is taken by itself, which is the first term of the series."""
    quadratic = Quadratic()
    downward: BilevelProblem[Any, Any] = replace(
        quadratic.problem, related_losses=lambda p, batch: -quadratic.problem.related_losses(p, batch)
    )
    first, term = (
        estimator(replace(quadratic.update(Sgd(0.01), ALL), problem=downward)).gradients
        for estimator in (ConjugateGradient(damping=0.0), Neumann(terms=1))
    )
    assert_same(first, term)
