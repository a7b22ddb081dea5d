"""Every element of every meta-gradient against a naive float64 unroll, and against closed forms."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch

from tasksieve.metagrad import Adam, Moments, Sgd, related_loss, unrolled_meta_gradient
from tests.gradients.naive import naive_meta_gradient
from tests.gradients.problems import Case, classifier_case, dialog_case

CASES = {
    "classifier-sum": lambda: classifier_case("sum"),
    "classifier-mean": lambda: classifier_case("mean"),
    "dialogs-shared": lambda: dialog_case("mean", recency=True, shared=True),
    "dialogs-separate": lambda: dialog_case("sum", recency=False, shared=False),
    "dialogs-normalized": lambda: dialog_case("mean", recency=True, shared=True, normalize=True),
}


@pytest.fixture(scope="module", params=list(CASES))
def case(request: Any) -> Case:
    return CASES[request.param]()


def assert_same(found: dict[str, torch.Tensor], truth: dict[str, torch.Tensor]) -> None:
    """Every element within 1e-9, relative to the element, with a floor far below the gradient's size."""
    assert found.keys() == truth.keys()
    for name in truth:
        floor = 1e-12 * float(truth[name].abs().max()) + 1e-300
        torch.testing.assert_close(found[name], truth[name], rtol=1e-9, atol=floor, msg=lambda m, n=name: f"{n}: {m}")


def engine(case: Case, steps: int, rule: Any, state: Any = None) -> Any:
    batches = case.related_batches(steps) if steps else []
    return unrolled_meta_gradient(
        case.problem, rule, case.params, case.weight_params, batches, case.primary_batch, state
    )


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_sgd_agrees_with_a_naive_unroll(case: Case, steps: int) -> None:
    found = engine(case, steps, Sgd(case.lr)).gradients
    truth = naive_meta_gradient(case, steps, rule="sgd", lr=case.lr)
    assert max(float(value.abs().max()) for value in truth.values()) > 1e-8
    assert_same(found, truth)


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("carried", [False, True])
def test_adam_agrees_with_a_naive_unroll(case: Case, steps: int, carried: bool) -> None:
    moments = None
    if carried:
        generator = torch.Generator().manual_seed(9)
        moments = {
            name: (
                torch.randn(value.shape, generator=generator, dtype=torch.float64) * 0.1,
                torch.rand(value.shape, generator=generator, dtype=torch.float64) * 0.01,
                7,
            )
            for name, value in case.params.items()
        }
    state = None if moments is None else {name: Moments(*value) for name, value in moments.items()}
    found = engine(case, steps, Adam(0.01, eps_root=1e-8), state).gradients
    truth = naive_meta_gradient(case, steps, rule="adam", lr=0.01, eps_root=1e-8, moments=moments)
    assert max(float(value.abs().max()) for value in truth.values()) > 1e-8
    assert_same(found, truth)


def test_one_sgd_step_has_the_closed_form(case: Case) -> None:
    """-β Σ_i ⟨∇L_P(θ'), ∇L_i(θ)⟩ ∇η w_i: Eq. 14 with its sign."""
    lr = case.lr
    (batch,) = case.related_batches(1)
    theta = {name: value.detach().requires_grad_() for name, value in case.params.items()}
    eta = {name: value.detach().requires_grad_() for name, value in case.weight_params.items()}
    losses = case.problem.related_losses(theta, batch)
    (weights,) = case.problem.example_weights(eta, case.related_batches(1))
    scale = 1.0 if case.problem.reduction == "sum" else 1.0 / len(losses)
    each = [
        torch.autograd.grad(loss, list(theta.values()), retain_graph=True, materialize_grads=True) for loss in losses
    ]
    moved = {
        name: (value - lr * scale * sum(w * g[k] for w, g in zip(weights.detach(), each, strict=True)))
        .detach()
        .requires_grad_()
        for k, (name, value) in enumerate(theta.items())
    }
    primary = case.problem.primary_losses(moved, case.primary_batch)
    primary = primary.sum() if case.problem.reduction == "sum" else primary.mean()
    adjoint = torch.autograd.grad(primary, list(moved.values()), materialize_grads=True)
    inner = torch.stack([sum((a * g).sum() for a, g in zip(adjoint, parts, strict=True)) for parts in each])
    truth = torch.autograd.grad(weights, list(eta.values()), grad_outputs=-lr * scale * inner)
    assert_same(engine(case, 1, Sgd(lr)).gradients, dict(zip(eta, truth, strict=True)))


def test_nothing_simulated_gives_no_meta_gradient(case: Case) -> None:
    result = engine(case, 0, Sgd(case.lr))
    assert all(not bool(value.any()) for value in result.gradients.values())
    assert result.example_weights == ()


def test_the_real_parameters_are_not_touched(case: Case) -> None:
    before = {name: value.clone() for name, value in (case.params | case.weight_params).items()}
    engine(case, 2, Sgd(case.lr))
    for name, value in (case.params | case.weight_params).items():
        assert torch.equal(value, before[name])
        assert value.grad is None


def test_a_step_against_the_meta_gradient_lowers_the_meta_loss(case: Case) -> None:
    first = engine(case, 2, Sgd(case.lr))
    norm = sum(float(g.square().sum()) for g in first.gradients.values())
    step = 1e-4 / max(norm**0.5, 1e-12)
    nudged = {name: value - step * first.gradients[name] for name, value in case.weight_params.items()}
    moved = Case(case.problem, case.params, nudged, case.primary_batch, case.related, case.lr)
    assert float(engine(moved, 2, Sgd(case.lr)).meta_loss) < float(first.meta_loss)


@pytest.mark.parametrize("eps_root", [0.0, 1e-6])
def test_adam_step_is_torchs(eps_root: float) -> None:
    generator = torch.Generator().manual_seed(1)
    real = torch.randn(5, 3, generator=generator, dtype=torch.float64).requires_grad_()
    optimizer = torch.optim.Adam([real], lr=0.02)
    rule, params, state = Adam(0.02, eps_root=eps_root), {"x": real.detach().clone()}, {}
    for _ in range(4):
        gradient = torch.randn(5, 3, generator=generator, dtype=torch.float64)
        real.grad = gradient.clone()
        optimizer.step()
        params, state = rule.step(params, {"x": gradient}, state)
    tolerance = 1e-12 if eps_root == 0 else 1e-4
    torch.testing.assert_close(params["x"], real.detach(), rtol=tolerance, atol=tolerance)


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
    for a, b in zip(
        torch.autograd.grad(one, list(theta.values())), torch.autograd.grad(two, list(theta.values())), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


def test_weights_and_losses_must_be_of_one_batch() -> None:
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        inspect.unwrap(related_loss)(torch.ones(3), torch.ones(2))
