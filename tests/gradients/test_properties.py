"""What must hold of every estimator, whatever its accuracy."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import pytest
import torch

from tasksieve.metagrad import (
    ESTIMATORS,
    AutogradLinearization,
    Estimator,
    MetaGradient,
    Sgd,
    estimator_named,
    related_loss,
)
from tests.gradients.naive import naive_meta_gradient
from tests.gradients.problems import Case, classifier_case
from tests.gradients.settings import SETTINGS, assert_same, case_named

OPTIONS: dict[str, dict[str, Any]] = {"evolution": {"pairs": 2}, "persistent-evolution": {"pairs": 2}}
EXACT = ("unrolled", "adjoint", "recompute", "forward")
CASE_NAMES = ("classifier-sum", "dialogs-entities")


@pytest.fixture(scope="module", params=CASE_NAMES)
def case(request: Any) -> Case:
    found = case_named(request.param)
    return replace(found, weight_params={name: found.weight_params[name] for name in found.few})


def estimate(case: Case, name: str, steps: int, **options: Any) -> MetaGradient:
    estimator = estimator_named(name, **OPTIONS.get(name, {}))
    return estimator(case.problem, Sgd(case.lr), case.simulation(steps, **options), case.weight_params)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_nothing_simulated_gives_no_meta_gradient(case: Case, name: str) -> None:
    result = estimate(case, name, 0)
    assert list(result.gradients) == list(case.weight_params)
    assert all(not bool(value.any()) for value in result.gradients.values())
    assert result.example_weights == ()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_what_is_given_is_not_touched(case: Case, name: str) -> None:
    given = case.params | case.weight_params
    before = {key: value.detach().clone() for key, value in given.items()}
    result = estimate(case, name, 1)
    for key, value in given.items():
        assert torch.equal(value, before[key])
        assert value.grad is None
    assert all(not value.requires_grad for value in result.gradients.values())
    assert not result.meta_loss.requires_grad
    assert [tuple(w.shape) for w in result.example_weights] == [(len(result.example_weights[0]),)]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_is_one_and_says_when_to_use_it(name: str) -> None:
    estimator = estimator_named(name)
    assert isinstance(estimator, Estimator)
    text = inspect.getdoc(type(estimator)) or ""
    assert all(word in text for word in ("Cost", "When:"))
    assert "emory" in text


def test_an_unknown_estimator_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'exact'; known: unrolled, adjoint"):
        estimator_named("exact")


def test_estimators_refuse_what_they_cannot_do() -> None:
    case = case_named("classifier-sum")
    with pytest.raises(ValueError, match="simulates one step, not 2"):
        estimate(case, "one-step", 2)
    with pytest.raises(ValueError, match="here 40, and at most 39"):
        estimator_named("forward", limit=39)(case.problem, Sgd(0.1), case.simulation(1), case.weight_params)
    uneven = replace(case.simulation(2), joint_batches=case.joint_batches(1))
    with pytest.raises(ValueError, match="2 related batches, but 1 primary"):
        estimator_named("adjoint")(case.problem, Sgd(0.1), uneven, case.weight_params)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("setting", ["momentum", "adamw-carried"])
@pytest.mark.parametrize(
    "frozen",
    [
        ("body.transform",),
        ("body.embedding", "candidate_embedding.shared"),
    ],
)
def test_a_subset_of_params_is_simulated_alone(name: str, setting: str, frozen: tuple[str, ...]) -> None:
    whole, one = case_named("dialogs-entities"), SETTINGS[setting]
    case = whole.only(*frozen)
    few = {key: case.weight_params[key] for key in case.few}
    state = one.state(case)
    found = estimator_named(name)(case.problem, one.rule(case.lr), case.simulation(2, joint=True, state=state), few)
    truth = naive_meta_gradient(case, 2, one.naive(case.lr), joint=True, moments=one.moments(case))
    assert any(bool(value.any()) for value in truth.values())
    assert_same(found.gradients, {key: truth[key] for key in few})


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("head", ["related-1", "primary"])
def test_params_that_connect_the_tasks_in_no_way_give_no_meta_gradient(name: str, head: str) -> None:
    """Only the head of one task is simulated: either the meta-loss does not see it, or the related loss."""
    case = case_named("dialogs-separate").only(f"candidate_embedding.{head}")
    case = replace(case, weight_params={key: case.weight_params[key] for key in case.few})
    result = estimate(case, name, 1)
    assert all(not bool(value.any()) for value in result.gradients.values())


@pytest.mark.parametrize("name", EXACT)
def test_a_step_against_the_meta_gradient_lowers_the_meta_loss(case: Case, name: str) -> None:
    first = estimate(case, name, 2)
    norm = sum(float(g.square().sum()) for g in first.gradients.values())
    step = 1e-4 / max(norm**0.5, 1e-12)
    nudged = {key: value - step * first.gradients[key] for key, value in case.weight_params.items()}
    assert float(estimate(replace(case, weight_params=nudged), name, 2).meta_loss) < float(first.meta_loss)


@pytest.mark.parametrize("case_name", ["classifier-mean", "dialogs-entities", "dialogs-given"])
def test_one_sgd_step_has_the_closed_form(case_name: str) -> None:
    """-β Σ_i ⟨∇L_P(θ'), ∇L_i(θ)⟩ ∇η w_i: Eq. 14 with its sign."""
    case = case_named(case_name)
    (batch,) = case.related_batches(1)
    theta = {name: value.detach().requires_grad_() for name, value in case.params.items()}
    eta = {name: value.detach().requires_grad_() for name, value in case.weight_params.items()}
    losses = case.problem.related_losses(theta, batch)
    (weights,) = case.problem.example_weights(eta, case.related_batches(1))
    scale = case.lr / len(losses)
    each = [
        torch.autograd.grad(loss, list(theta.values()), retain_graph=True, materialize_grads=True) for loss in losses
    ]
    moved = {
        name: (value - scale * sum(w * g[k] for w, g in zip(weights.detach(), each, strict=True)))
        .detach()
        .requires_grad_()
        for k, (name, value) in enumerate(theta.items())
    }
    primary = case.problem.primary_losses(moved, case.primary_batch).mean()
    adjoint = torch.autograd.grad(primary, list(moved.values()), materialize_grads=True)
    inner = torch.stack([sum((a * g).sum() for a, g in zip(adjoint, parts, strict=True)) for parts in each])
    truth = torch.autograd.grad(weights, list(eta.values()), grad_outputs=-scale * inner)
    found = estimate(case, "one-step", 1)
    assert found.slopes is not None
    torch.testing.assert_close(found.slopes[0], -scale * inner, rtol=1e-9, atol=1e-15)
    assert_same(found.gradients, dict(zip(eta, truth, strict=True)))


@pytest.mark.parametrize("name", ["adjoint", "recompute", "cg", "neumann"])
def test_a_problem_s_own_linearization_is_used(name: str) -> None:
    case, asked = case_named("classifier-sum"), []

    def linearize(params: Any, batch: Any) -> AutogradLinearization:
        asked.append(batch)
        return AutogradLinearization(lambda p: case.problem.related_losses(p, batch), params)

    own = replace(case, problem=replace(case.problem, linearize=linearize))
    assert_same(estimate(own, name, 2).gradients, estimate(case, name, 2).gradients)
    assert len(asked) == 2


def test_a_weight_counts_as_often_as_its_example() -> None:
    """A duplicated example equals a doubled weight."""
    case = classifier_case("sum")
    (x, y), *_ = case.related_batches(1)
    theta = {name: value.detach().requires_grad_() for name, value in case.params.items()}
    twice = (torch.cat([x, x[:1]]), torch.cat([y, y[:1]]))
    weights = torch.full((8,), 0.4, dtype=torch.float64)
    doubled = weights.clone()
    doubled[0] = 0.8
    one = related_loss(case.problem.related_losses(theta, (x, y)), doubled)
    two = related_loss(case.problem.related_losses(theta, twice), torch.full((9,), 0.4, dtype=torch.float64))
    first, second = (torch.autograd.grad(loss, list(theta.values())) for loss in (one, two))
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


def test_weights_and_losses_must_be_of_one_batch() -> None:
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        inspect.unwrap(related_loss)(torch.ones(3), torch.ones(2))
