"""Which simulated step went wrong first, and what in it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from tasksieve.metagrad import Adam, Adjoint, BilevelProblem, MetaUpdate, Moments, Params, Sgd, Simulation
from tasksieve.metagrad.diagnosis import diagnose
from tests.gradients.problems import Case, classifier_case


@pytest.fixture
def case() -> Case:
    return classifier_case("mean")


def spoiled(case: Case, number: int, value: float) -> list[Any]:
    """Three related batches, one with this value in it."""
    batches = list(case.related_batches(3))
    inputs = batches[number][0].clone()
    inputs[2, 1] = value
    batches[number] = (inputs, batches[number][1])
    return batches


def simulation_of(case: Case, batches: Any = None, **more: Any) -> Simulation[Any, Any]:
    return Simulation(
        case.params, case.related_batches(3) if batches is None else batches, case.primary_batch, **more
    )


def test_a_spoiled_batch_is_named(case: Case) -> None:
    found = diagnose(
        MetaUpdate(
            replace(case.problem, example_weights=constant),
            Sgd(0.1),
            simulation_of(case, spoiled(case, 1, math.nan)),
            eta(),
        )
    )
    assert found.sentence == ("at simulated step 2 of 3 (related batch 2) the loss is the first that is not finite")
    assert found.culprit is not None and not found.culprit.finite
    assert (found.culprit.place.step, found.culprit.place.batch, found.culprit.quantity) == (2, 2, "loss")
    assert found.growth == math.inf


def test_what_the_weight_module_makes_of_it_comes_first(case: Case) -> None:
    found = diagnose(
        MetaUpdate(case.problem, Sgd(0.1), simulation_of(case, spoiled(case, 2, math.nan)), case.weight_params)
    )
    assert "simulated step 3 of 3 (related batch 3) the weights" in found.sentence


def test_an_explosion_is_dated(case: Case) -> None:
    """With a loss of fourth degree and too large a step, the second batch meets a θ that the first threw away."""

    def losses(p: Params, batch: Any) -> Tensor:
        return (batch[0] @ p["a"]).pow(4).sum(1)

    problem = BilevelProblem(losses, losses, constant, "mean")
    found = diagnose(MetaUpdate(problem, Sgd(0.3), simulation_of(case), eta()))
    assert "at simulated step 2 of 3 (related batch 2) the loss grew" in found.sentence
    assert found.growth > 10
    gone = diagnose(MetaUpdate(problem, Sgd(1e200), simulation_of(case), eta()))
    assert gone.culprit is not None and gone.growth == math.inf
    assert gone.culprit.place.step in (1, 2)


def test_the_way_back_is_watched_too(case: Case) -> None:
    """The forward pass is calm, as the loss is flat in value and steep in curvature."""

    def losses(p: Params, batch: Any) -> Tensor:
        return 1e-3 * torch.cos(3e3 * (batch[0] @ p["a"]).sum(1)) + (batch[0] @ p["a"]).square().mean(1)

    problem = BilevelProblem(losses, losses, constant, "mean")
    found = diagnose(MetaUpdate(problem, Sgd(0.01), simulation_of(case), eta()))
    assert found.sentence.startswith("going back over simulated step 3 of 3 (related batch 3) the adjoint grew")
    assert found.culprit is not None and found.culprit.place.back


def test_slow_growth_is_told_as_such(case: Case) -> None:
    def losses(p: Params, batch: Any) -> Tensor:
        return -(p["a"].square().sum() + 0 * batch[0].sum(1))

    problem = BilevelProblem(losses, losses, constant, "mean")
    found = diagnose(MetaUpdate(problem, Sgd(2.0), simulation_of(case), eta()), explosive=20.0)
    assert "has grown" in found.sentence and "20-fold in any step" in found.sentence
    assert found.growth > 20


def test_adams_derivative_at_a_zero_gradient_is_found(case: Case) -> None:
    """Where v = 0, as of inputs that a batch does not use, Adam without eps_root has no finite derivative."""
    inputs, labels = case.related_batches(1)[0]
    unused = inputs.clone()
    unused[:, 0] = 0
    simulation = simulation_of(case, [(unused, labels), case.related_batches(2)[1]])
    rule = Adam(0.01, eps_root=0.0)
    problem = replace(case.problem, example_weights=constant)
    assert not Adjoint()(MetaUpdate(problem, rule, simulation, eta())).gradients["x"].isfinite()
    found = diagnose(MetaUpdate(problem, rule, simulation, eta()))
    assert found.growth == math.inf
    assert found.sentence.startswith("going back over simulated step 1 of 2 (related batch 1) the slopes")
    assert diagnose(MetaUpdate(problem, Adam(0.01, eps_root=1e-12), simulation, eta())).growth < math.inf


def test_params_and_state_that_came_spoiled(case: Case) -> None:
    bad = {name: value.clone() for name, value in case.params.items()}
    bad["b"][0] = math.inf
    found = diagnose(MetaUpdate(case.problem, Sgd(0.1), replace(simulation_of(case), params=bad), case.weight_params))
    assert found.sentence.startswith("before the first simulated step the params of 'b'")
    moments = {
        name: Moments(value * 0, value * 0 + (math.nan if name == "c" else 0), 3)
        for name, value in case.params.items()
    }
    found = diagnose(MetaUpdate(case.problem, Adam(0.1), simulation_of(case, state=moments), case.weight_params))
    assert found.sentence.startswith("before the first simulated step the state of 'c'")


def test_joint_steps_are_counted_and_called_what_they_are(case: Case) -> None:
    joint = spoiled(case, 1, math.nan)
    found = diagnose(MetaUpdate(case.problem, Sgd(0.1), simulation_of(case, joint_batches=joint), case.weight_params))
    assert "at simulated step 3 of 6 (joint primary batch 2) the loss" in found.sentence


def test_nothing_wrong_is_said_so_and_nothing_is_touched(case: Case) -> None:
    before = {name: value.clone() for name, value in (case.params | case.weight_params).items()}
    found = diagnose(MetaUpdate(case.problem, Sgd(0.01), simulation_of(case), case.weight_params))
    assert found.culprit is None and found.growth == 1.0
    assert "nothing is out of the ordinary in 3 simulated steps" in found.sentence
    truth = Adjoint()(MetaUpdate(case.problem, Sgd(0.01), simulation_of(case), case.weight_params))
    norm = math.sqrt(sum(float(value.square().sum()) for value in truth.gradients.values()))
    assert found.readings[-1].quantity == "meta-gradient"
    assert math.isclose(found.readings[-1].size, norm, rel_tol=1e-9)
    for name, value in (case.params | case.weight_params).items():
        assert torch.equal(value, before[name])


def test_a_model_without_second_derivatives_is_replayed_as_far_as_it_goes() -> None:
    def losses(p: Params, batch: Tensor) -> Tensor:
        out = torch.nn.functional.scaled_dot_product_attention(batch @ p["q"], batch, batch)
        return out.square().mean((1, 2, 3))

    inputs = torch.randn(8, 1, 3, 4, generator=torch.Generator().manual_seed(0))
    problem = BilevelProblem(losses, losses, lambda p, batches: [torch.sigmoid(p["x"]).expand(8) for _ in batches])
    found = diagnose(
        MetaUpdate(problem, Sgd(0.1), Simulation({"q": torch.eye(4)}, [inputs], inputs), {"x": torch.zeros(1)})
    )
    assert "the way back could not be replayed" in found.sentence
    assert found.readings[-1].quantity == "adjoint"


def constant(p: Params, batches: Any) -> list[Tensor]:
    return [torch.sigmoid(p["x"]).expand(8) for _ in batches]


def eta() -> Params:
    return {"x": torch.zeros(1, dtype=torch.float64)}
