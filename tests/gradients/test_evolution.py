"""Evolution strategies: right on average, the same whichever way replicas are trained, and resumed exactly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from tasksieve import kernels
from tasksieve.metagrad import Adam, Adjoint, Evolution, PersistentEvolution, Sgd, StatefulEstimator
from tests.gradients.quadratic import Quadratic
from tests.gradients.settings import SETTINGS, assert_same, case_named, cosine

QUADRATIC = Quadratic()
BATCHES = [torch.tensor(part) for part in ([0, 1, 2], [3, 4, 5], [1, 3, 5], [0, 2, 4])]
RULE = Sgd(0.1)
PAIRS = 20_000
SMALL = 1e-4


def exact(*batches: Any, start: Any = None) -> torch.Tensor:
    found: torch.Tensor = Adjoint()(QUADRATIC.update(RULE, *batches, start=start)).gradients["w"]
    return found


def test_on_average_it_is_the_gradient() -> None:
    """Within five standard errors, element by element; a pair's variance is ‖g‖² + g_i² in units where σ is small."""
    truth = exact(*BATCHES)
    update = QUADRATIC.update(RULE, *BATCHES)
    found = Evolution(PAIRS, SMALL, seed=1)(update)
    errors = ((truth.square().sum() + truth.square()) / PAIRS).sqrt()
    assert bool(((found.gradients["w"] - truth).abs() < 5 * errors).all())
    assert float(errors.max() / truth.norm()) < 0.02
    assert float(found.meta_loss) == pytest.approx(float(Adjoint()(update).meta_loss), rel=1e-4)


def test_persistent_replicas_count_the_weights_of_earlier_calls() -> None:
    """Two calls of two steps: the second sees the whole of the four steps, which plain evolution does not."""
    estimator = PersistentEvolution(PAIRS, SMALL, seed=1)
    first, second = (estimator(QUADRATIC.update(RULE, *part)).gradients["w"] for part in (BATCHES[:2], BATCHES[2:]))
    whole = exact(*BATCHES)
    bound = 5 * (4 * whole.square().sum() / PAIRS).sqrt()
    assert float((first - exact(*BATCHES[:2])).abs().max()) < bound
    assert float((second - whole).abs().max()) < bound
    middle = QUADRATIC.start
    for batch in BATCHES[:2]:
        middle = middle - 0.1 * QUADRATIC.eta["w"][batch] @ QUADRATIC.gradients_at(middle)[batch]
    assert float((exact(*BATCHES[2:], start=middle) - whole).abs().max()) > 2 * bound


@pytest.mark.parametrize("setting", ["momentum-carried", "adamw-carried"])
def test_on_a_classifier_it_points_where_the_gradient_does(setting: str) -> None:
    case, one = case_named("classifier-mean"), SETTINGS[setting]
    update = case.update(one.rule(case.lr), 2, joint=True, state=one.state(case))
    truth = Adjoint()(update).gradients
    for cls in (Evolution, PersistentEvolution):
        found = cls(1000, 0.01)(update).gradients
        assert cosine(found, truth) > 0.95


class _Unbatchable(torch.autograd.Function):
    """The identity, without a batching rule."""

    @staticmethod
    def forward(ctx: Any, value: torch.Tensor) -> torch.Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient


@pytest.mark.parametrize("rule", [Sgd(0.1), Sgd(0.1, 0.9), Adam(0.01)])
def test_one_by_one_is_the_same_as_all_at_once(rule: Any) -> None:
    case = case_named("classifier-sum")
    plain = case.problem

    def unbatchable(function: Any) -> Any:
        return lambda p, batch: function({name: _Unbatchable.apply(value) for name, value in p.items()}, batch)

    slow = replace(
        plain,
        related_losses=unbatchable(plain.related_losses),
        primary_losses=unbatchable(plain.primary_losses),
        example_weights=unbatchable(plain.example_weights),
    )
    together, apart = (
        Evolution(pairs=3)(replace(case.update(rule, 2, joint=True), problem=problem)) for problem in (plain, slow)
    )
    assert_same(apart.gradients, together.gradients)
    assert float(apart.meta_loss) == pytest.approx(float(together.meta_loss), rel=1e-12)


@pytest.mark.parametrize("compiled", [True, False])
def test_parameters_without_a_gradient_stay_as_they_are(compiled: bool) -> None:
    """Heads the related tasks do not use are not moved by moments they came with."""
    case, one = case_named("dialogs"), SETTINGS["adam-carried"]
    estimator = PersistentEvolution(pairs=1)
    update = case.update(one.rule(case.lr), 1, state=one.state(case), few=True)
    if compiled:
        estimator(update)
    else:
        with kernels.disabled():
            estimator(update)
    name = "candidate_embedding.primary"
    kept = estimator.state_dict()[f"params.{name}"]
    assert torch.equal(kept, case.params[name].detach().expand(2, -1, -1))


@pytest.mark.parametrize("setting", ["sgd", "momentum-carried", "adam", "adamw-carried"])
@pytest.mark.parametrize("make", [Evolution, PersistentEvolution])
def test_a_resumed_one_goes_on_as_if_nothing_had_been(make: Any, setting: str) -> None:
    case, one = case_named("classifier-mean"), SETTINGS[setting]

    def call(estimator: Any) -> Any:
        return estimator(case.update(one.rule(case.lr), 2, state=one.state(case))).gradients

    first = make(pairs=2, seed=3)
    assert isinstance(first, StatefulEstimator)
    call(first), call(first)
    kept = {name: value.clone() for name, value in first.state_dict().items()}
    expected = call(first)
    second = make(pairs=2, seed=99)
    second.load_state_dict(kept)
    found = call(second)
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    third = make(pairs=2, seed=99)
    third.load_state_dict(kept)
    again = call(third)
    assert all(torch.equal(again[name], value) for name, value in expected.items()), "what was kept is not written to"


def test_an_estimator_that_was_not_used_yet_can_be_kept() -> None:
    fresh, other = PersistentEvolution(seed=1), PersistentEvolution(seed=2)
    other.load_state_dict(fresh.state_dict())
    found = [one(QUADRATIC.update(RULE, *BATCHES)).gradients["w"] for one in (fresh, other)]
    assert torch.equal(*found)


def test_with_a_horizon_of_one_call_it_is_plain_evolution() -> None:
    plain, persistent = Evolution(4, seed=1), PersistentEvolution(4, seed=1, horizon=2)
    for part in (BATCHES[:2], BATCHES[2:]):
        first, second = (one(QUADRATIC.update(RULE, *part)).gradients["w"] for one in (plain, persistent))
        assert torch.equal(first, second)
