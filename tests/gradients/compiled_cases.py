"""Passes fused by torch.compile give the same meta-gradients.

Run by ``test_compiled.py`` in a process of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tasksieve.kernels import compiler
from tasksieve.metagrad import (
    Adam,
    BilevelProblem,
    CompiledLosses,
    ExampleWeights,
    MetaUpdate,
    Moments,
    Params,
    Simulation,
)
from tasksieve.metagrad import estimator_named as estimator
from tests.gradients.naive import naive_meta_gradient
from tests.gradients.settings import SETTINGS, assert_same, case_named, truth
from tests.gradients.test_random_draws import dropout_case

TRACED = "aot_eager"
"""Traces and differentiates as the default backend, and compiles nothing."""


def compiled(problem: BilevelProblem[Any, Any], backend: str = TRACED) -> BilevelProblem[Any, Any]:
    """A problem whose related and primary losses are the same, as passes that are compiled once."""
    losses = CompiledLosses(problem.related_losses, backend)
    return replace(problem, linearize=losses, linearize_primary=losses)


@pytest.fixture(scope="module")
def traced() -> BilevelProblem[Any, Any]:
    """The classifier's problem, whose passes all tests share."""
    return compiled(case_named("classifier-mean").problem)


@pytest.mark.parametrize("setting", ["sgd", "momentum-carried", "adam-carried"])
@pytest.mark.parametrize("name", ["adjoint", "recompute"])
def test_every_element_is_that_of_the_naive_unroll(name: str, setting: str, traced: Any) -> None:
    case, one = case_named("classifier-mean"), SETTINGS[setting]
    update = case.update(one.rule(case.lr), 3, joint=True, state=one.state(case))
    found = estimator(name)(replace(update, problem=traced)).gradients
    assert_same(found, truth("classifier-mean", setting, 3, True))


@pytest.mark.skipif(compiler() is None, reason="no C++ compiler")
def test_the_default_backend_likewise() -> None:
    case, one = case_named("classifier-mean"), SETTINGS["sgd"]
    update = case.update(one.rule(case.lr), 2)
    assert case.problem.related_losses is case.problem.primary_losses
    found = estimator("adjoint")(replace(update, problem=compiled(case.problem, "inductor"))).gradients
    assert_same(found, truth("classifier-mean", "sgd", 2, False))  # a warning would have been an error


def test_all_passes_draw_the_same_masks() -> None:
    """Those of the naive unroll, which is not compiled."""
    case, one = dropout_case(), SETTINGS["momentum-carried"]
    problem = compiled(case.problem)
    torch.manual_seed(6)
    expected = naive_meta_gradient(case, 3, one.naive(case.lr), joint=True, moments=one.moments(case))
    after = torch.get_rng_state()
    update = replace(case.update(one.rule(case.lr), 3, joint=True, state=one.state(case)), problem=problem)
    for name in ("adjoint", "recompute"):
        torch.manual_seed(6)
        assert_same(estimator(name)(update).gradients, expected)
        assert torch.equal(torch.get_rng_state(), after)


def test_what_the_losses_do_not_depend_on_stays_where_it_is() -> None:
    """Its moments would move it, did it have a gradient of zeros."""

    def losses(params: Params, batch: Tensor) -> Tensor:
        return (batch @ params["used"]).square()

    def weights(eta: Params, batches: Any) -> list[Tensor]:
        return [torch.sigmoid(eta["logits"]) for _ in batches]

    def primary(params: Params, batch: Tensor) -> Tensor:
        return losses(params, batch) + params["idle"].square().sum()

    params = {"used": torch.ones(2, dtype=torch.float64), "idle": torch.ones(3, dtype=torch.float64)}
    state = {name: Moments(value * 0.5, value * 0.1, 4) for name, value in params.items()}
    batch = torch.arange(8, dtype=torch.float64).reshape(4, 2) / 8
    problem: BilevelProblem[Any, Any] = BilevelProblem(losses, primary, weights)
    simulation: Simulation[Any, Any] = Simulation(params, [batch, batch + 1], batch, state)
    eta = {"logits": torch.zeros(4, dtype=torch.float64)}
    passes = replace(
        problem, linearize=CompiledLosses(losses, TRACED), linearize_primary=CompiledLosses(primary, TRACED)
    )
    ours, plain = (estimator("adjoint")(MetaUpdate(p, Adam(0.1), simulation, eta)) for p in (passes, problem))
    torch.testing.assert_close(ours.meta_loss, plain.meta_loss, rtol=1e-12, atol=0)
    torch.testing.assert_close(ours.gradients, plain.gradients, rtol=1e-9, atol=1e-15)


def test_what_cannot_be_compiled_is_said_and_done_by_autograd() -> None:
    def refuse(graph: Any, inputs: Any) -> Any:
        raise RuntimeError("no such machine")

    case, one = case_named("classifier-mean"), SETTINGS["sgd"]
    losses = CompiledLosses(case.problem.related_losses, refuse)
    with pytest.warns(RuntimeWarning, match="not compiled.*no such machine"):
        update = case.update(one.rule(case.lr), 3)
        found = estimator("adjoint")(replace(update, problem=replace(case.problem, linearize=losses))).gradients
    assert_same(found, truth("classifier-mean", "sgd", 3, False))


def test_a_loop_of_ones_own_compiles_by_one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Named tensors in a dict, buffers and a frozen layer on the way."""
    monkeypatch.setattr("tasksieve.metagrad.compiled_losses.BACKEND", TRACED)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4).eval(), nn.Tanh(), nn.Linear(4, 2))
    model[0].weight.requires_grad_(False)

    def losses(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        return F.cross_entropy(model(batch["x"]), batch["y"], reduction="none")

    related = [{"x": torch.randn(5, 3), "y": torch.randint(2, (5,))} for _ in range(3)]
    primary = {"x": torch.randn(5, 3), "y": torch.randint(2, (5,))}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    gradients = []
    for compile in (False, True):
        torch.manual_seed(1)
        module = nn.Linear(3, 1)
        sieve = ExampleWeights(
            model,
            losses,
            module,
            optimizer=optimizer,
            logits=lambda m, b: m(b["x"]),
            unroll_length=3,
            compile=compile,
        )
        gradients.append(sieve.update(related, primary).gradients)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-4, atol=1e-8)
