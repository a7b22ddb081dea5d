"""What must hold of every estimator, whatever its accuracy."""

from __future__ import annotations

import inspect
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.distributed import ReduceOp

from tasksieve.errors import UserError
from tasksieve.metagrad import (
    ESTIMATORS,
    AutogradLinearization,
    Estimator,
    MetaGradient,
    Sgd,
    StatefulEstimator,
    estimator_named,
    register,
    related_loss,
)
from tasksieve.metagrad.distributed import assert_same_on_all_ranks
from tasksieve.metagrad.problem import AnyUpdate
from tasksieve.records.config import MetaConfig
from tasksieve.training.loop.chosen_estimator import check_estimator
from tests.gradients.problems import Case, classifier_case
from tests.gradients.settings import assert_same, case_named

OPTIONS: dict[str, dict[str, Any]] = {"evolution": {"pairs": 2}, "persistent-evolution": {"pairs": 2}}
EXACT = ("unrolled", "adjoint", "recompute", "forward")
CASE_NAMES = ("classifier-sum", "dialogs-entities")


@pytest.fixture(scope="module", params=CASE_NAMES)
def case(request: Any) -> Case:
    return few_of(case_named(request.param))


def few_of(case: Case) -> Case:
    """With few weight params, which any estimator can work with."""
    return replace(case, weight_params={name: case.weight_params[name] for name in case.few})


def estimate(case: Case, name: str, steps: int) -> MetaGradient:
    return estimator_named(name, **OPTIONS.get(name, {}))(case.update(Sgd(case.lr), steps))


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


def test_an_estimator_is_one_class_that_makes_itself_known() -> None:
    """Under its name, with what it needs; nothing else has to be told of it."""

    @register("halved", second_derivatives=False)
    class Halved:
        def __call__(self, update: AnyUpdate) -> MetaGradient:
            found = estimator_named("adjoint")(update)
            return replace(found, gradients={name: value / 2 for name, value in found.gradients.items()})

    try:
        case = case_named("classifier-sum")
        found, whole = (estimate(case, name, 2).gradients for name in ("halved", "adjoint"))
        assert_same(found, {name: value / 2 for name, value in whole.items()})
        assert ESTIMATORS["halved"].fits_runs and not ESTIMATORS["forward"].fits_runs
        check_estimator(MetaConfig(estimator="halved"))
    finally:
        del ESTIMATORS["halved"]


@pytest.mark.parametrize("name", ["halved", "forward", "evolution"])
def test_a_run_refuses_an_estimator_that_it_cannot_use(name: str) -> None:
    with pytest.raises(UserError, match=rf"meta\.estimator: found '{name}'; a run can use adjoint, cg, .*unrolled"):
        check_estimator(MetaConfig(estimator=name))


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({"estimator": "one-step"}, r"set meta\.unroll_length=1 \(found 5\)"),
        ({"estimator": "small-step"}, r"set meta\.unroll_length=1 \(found 5\)"),
        ({"estimator": "one-step", "unroll_length": 1, "joint": True}, r"set meta\.joint=false"),
        ({"estimator": "small-step", "unroll_length": 1, "inner_optimizer": "adam"}, r"inner_optimizer=held-adam"),
        ({"estimator": "small-step", "unroll_length": 1, "inner_momentum": 0.5}, r"sgd without momentum"),
    ],
)
def test_a_run_refuses_steps_that_its_estimator_cannot_go_over(settings: dict[str, Any], advice: str) -> None:
    with pytest.raises(UserError, match=rf"^meta\.estimator: '{settings['estimator']}' is for .*{advice}"):
        check_estimator(MetaConfig(**settings))
    check_estimator(MetaConfig(**settings), learns=False)
    check_estimator(MetaConfig(**settings, updates=0))


@pytest.mark.parametrize("settings", [{}, {"inner_optimizer": "adam"}, {"inner_momentum": 0.5}])
def test_a_run_takes_the_one_step_estimator_for_one_step_of_any_kind(settings: dict[str, Any]) -> None:
    check_estimator(MetaConfig(estimator="one-step", unroll_length=1, **settings))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_is_one_and_says_when_to_use_it(name: str) -> None:
    estimator = estimator_named(name)
    assert isinstance(estimator, Estimator)
    assert isinstance(estimator, StatefulEstimator) == ESTIMATORS[name].keeps_state
    text = inspect.getdoc(type(estimator)) or ""
    assert all(word in text for word in ("Cost", "When:"))
    assert "emory" in text


def test_an_unknown_estimator_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'exact'; known: adjoint, cg"):
        estimator_named("exact")


def test_estimators_refuse_what_they_cannot_do() -> None:
    case = case_named("classifier-sum")
    with pytest.raises(ValueError, match="simulates one step, not 2"):
        estimate(case, "one-step", 2)
    with pytest.raises(ValueError, match="here 40, and at most 39"):
        estimator_named("forward", limit=39)(case.update(Sgd(0.1), 1))
    update = case.update(Sgd(0.1), 2)
    uneven = replace(update.simulation, joint_batches=case.joint_batches(1))
    with pytest.raises(ValueError, match="2 related batches, but 1 primary"):
        estimator_named("adjoint")(replace(update, simulation=uneven))


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("head", ["related-1", "primary"])
def test_params_that_connect_the_tasks_in_no_way_give_no_meta_gradient(name: str, head: str) -> None:
    """Only the head of one task is simulated: either the meta-loss does not see it, or the related loss."""
    case = few_of(case_named("dialogs").only(f"candidate_embedding.{head}"))
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


@pytest.mark.parametrize(("name", "passes"), [("adjoint", 2), ("recompute", 3), ("cg", 4), ("neumann", 4)])
def test_a_problem_s_own_linearization_is_used(name: str, passes: int) -> None:
    case, asked = case_named("classifier-sum"), []

    def linearize(params: Any, batch: Any) -> AutogradLinearization:
        asked.append(batch)
        return AutogradLinearization(lambda p: case.problem.related_losses(p, batch), params)

    own = replace(case, problem=replace(case.problem, linearize=linearize))
    assert_same(estimate(own, name, 2).gradients, estimate(case, name, 2).gradients)
    assert len(asked) == passes


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


@pytest.mark.parametrize("other", [math.nan, 1.0])
def test_ranks_that_all_have_no_number_do_not_differ(monkeypatch: pytest.MonkeyPatch, other: float) -> None:
    """Each of two ranks has one; what they have in common is not found by comparing it with itself."""

    def reduced(values: torch.Tensor, operation: Any, group: Any) -> None:
        theirs = torch.full_like(values, other).nan_to_num(math.inf)
        values.copy_(torch.maximum(values, theirs) if operation == ReduceOp.MAX else torch.minimum(values, theirs))

    monkeypatch.setattr("torch.distributed.all_reduce", reduced)
    params = {"w": torch.tensor([math.nan])}
    if math.isnan(other):
        assert_same_on_all_ranks(params)
    else:
        with pytest.raises(ValueError, match="'w' differs between ranks"):
            assert_same_on_all_ranks(params)
