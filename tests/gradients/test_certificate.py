"""An estimator beside the exact meta-gradient in double precision."""

from __future__ import annotations

import math
from collections import namedtuple
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch

from tasksieve.metagrad import (
    Adam,
    Adjoint,
    FiniteDifference,
    FirstOrder,
    InnerRule,
    MetaGradient,
    MetaUpdate,
    Moments,
    Params,
    Sgd,
    Simulation,
    Unrolled,
)
from tasksieve.metagrad.certificate import certify, compared, double_of
from tests.gradients.problems import Case, classifier_case, dialog_case


def single(params: Params) -> Params:
    return {name: value.detach().float() for name, value in params.items()}


def in_single_precision(case: Case, rule: InnerRule, steps: int = 3, state: Any = None) -> MetaUpdate[Any, Any]:
    """The case as a run has it: parameters and batches in float32."""

    def batch(pair: Any) -> Any:
        return (pair[0].float(), pair[1])

    def weights(p: Params, batches: Any) -> list[torch.Tensor]:
        eye = torch.eye(3, dtype=p["u"].dtype)
        return [torch.sigmoid(torch.tanh(torch.cat([x, eye[y]], 1) @ p["u"]) @ p["v"]) for x, y in batches]

    related = [batch(pair) for pair in case.related_batches(steps)]
    simulation = Simulation(single(case.params), related, batch(case.primary_batch), state)
    problem = replace(case.problem, example_weights=weights)
    return MetaUpdate(problem, rule, simulation, single(case.weight_params))


def test_an_exact_estimator_is_as_good_as_its_precision() -> None:
    update = in_single_precision(classifier_case("mean"), Sgd(0.3))
    found = certify(Adjoint(), update)
    assert found.cosine > 1 - 1e-9
    assert 0 < found.relative_error < 1e-4
    assert math.isclose(found.norm, found.reference_norm, rel_tol=1e-4)
    assert abs(found.meta_loss_error) < 1e-5
    assert found.worst in update.weight_params


def test_state_is_carried_into_double_precision() -> None:
    case = classifier_case("mean")
    moments = {
        name: Moments(torch.full_like(value, 0.1).float(), torch.full_like(value, 0.02).float(), 4)
        for name, value in case.params.items()
    }
    update = in_single_precision(case, Adam(0.01), state=moments)
    carried = certify(Adjoint(), update)
    fresh = certify(Adjoint(), replace(update, simulation=replace(update.simulation, state=None)))
    assert carried.relative_error < 1e-3
    assert carried.reference_norm != pytest.approx(fresh.reference_norm, rel=1e-3)


def test_a_biased_estimator_shows_its_bias() -> None:
    update = in_single_precision(classifier_case("mean"), Sgd(0.3))
    exact = certify(Adjoint(), update)
    biased = certify(FirstOrder(), update)
    assert biased.relative_error > 100 * exact.relative_error
    assert biased.cosine < 1 - 1e-6
    assert biased.reference_norm == exact.reference_norm


def test_the_reference_may_be_another() -> None:
    update = in_single_precision(classifier_case("mean"), Sgd(0.3))
    by_graph = certify(Adjoint(), update)
    by_differences = certify(Adjoint(), update, reference=FiniteDifference())
    assert by_differences.reference_norm == pytest.approx(by_graph.reference_norm, rel=1e-6)


@pytest.mark.parametrize("estimator", [Adjoint(), Unrolled()])
def test_dialogs_need_no_conversion_of_their_own(estimator: Any) -> None:
    case = dialog_case("mean", shared=True)
    simulation = Simulation(single(case.params), case.related_batches(2), case.primary_batch)
    found = certify(estimator, MetaUpdate(case.problem, Sgd(case.lr), simulation, single(case.weight_params)))
    assert found.relative_error < 1e-3
    assert found.cosine > 0.999999


def test_metrics_are_named_and_finite() -> None:
    update = in_single_precision(classifier_case("mean"), Sgd(0.3), steps=1)
    metrics = certify(Adjoint(), update).metrics()
    assert set(metrics) == {
        f"certificate_{name}" for name in ("cosine", "relative_error", "norm", "reference_norm", "meta_loss_error")
    }
    assert all(math.isfinite(value) for value in metrics.values())


@pytest.mark.parametrize(
    ("ours", "theirs", "cosine", "error"),
    [(0.0, 0.0, 1.0, 0.0), (1.0, 0.0, 0.0, math.inf), (0.0, 2.0, 0.0, 1.0), (-1.0, 1.0, -1.0, 2.0)],
)
def test_zeros_have_an_answer(ours: float, theirs: float, cosine: float, error: float) -> None:
    found = compared(*(MetaGradient({"u": torch.tensor([x])}, torch.tensor(0.0), ()) for x in (ours, theirs)))
    assert (found.cosine, found.relative_error) == (cosine, error)


def test_batches_of_any_shape_become_double() -> None:
    pair = namedtuple("pair", "x y")

    @dataclass(frozen=True)
    class Held:
        x: torch.Tensor
        name: str

    x, y = torch.ones(2), torch.tensor([1, 2])
    for batch in (x, (x, y), [x, y], {"x": x, "y": y}, pair(x, y), Held(x, "a"), ({"x": [x]}, 3)):
        found = double_of(batch)
        assert type(found) is type(batch)
    assert double_of({"x": (x, y)})["x"][0].dtype == torch.float64
    assert double_of({"x": (x, y)})["x"][1] is y
    assert double_of(Held(x, "a")).x.dtype == torch.float64
    assert double_of(pair(x, y)).x.dtype == torch.float64
