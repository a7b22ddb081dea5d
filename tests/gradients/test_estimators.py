"""Every element of every exact estimator's meta-gradient, against a naive float64 unroll."""

from __future__ import annotations

import pytest
import torch

from tasksieve import kernels
from tasksieve.metagrad import ESTIMATORS, Recompute, Scaled, Sgd, estimator_named
from tasksieve.metagrad.real_optimizer import Grouped
from tests.gradients.naive import naive_meta_gradient
from tests.gradients.settings import CASES, SETTINGS, UNROLLS, assert_same, case_named, truth

EVERY_STEP = ("unrolled", "adjoint", "recompute", "forward")
"""Exact for any number of simulated steps."""
ONE_STEP = (*EVERY_STEP, "one-step", "first-order")
"""Exact for one."""
OF_THE_PRODUCT = tuple(case for case in CASES if not case.startswith("classifier"))


def compare(name: str, estimator: str, setting: str, steps: int, joint: bool, **options: bool) -> None:
    """The estimator's meta-gradient against the naive unroll, with respect to few weight params by forward mode."""
    case, one = case_named(name), SETTINGS[setting]
    few = ESTIMATORS[estimator].few_weight_params
    update = case.update(one.rule(case.lr), steps, joint=joint, state=one.state(case), few=few)
    expected = truth(name, setting, steps, joint)
    assert max(float(value.abs().max()) for value in expected.values()) > 1e-8 or steps == 0
    found = estimator_named(estimator, **options)(update).gradients
    assert_same(found, {key: expected[key] for key in update.weight_params})


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("estimator", ONE_STEP)
def test_every_element_is_that_of_the_naive_unroll(name: str, estimator: str, setting: str) -> None:
    for steps, joint in UNROLLS if estimator in EVERY_STEP else UNROLLS[:2]:
        compare(name, estimator, setting, steps, joint)
    if name == "classifier-mean" and estimator in EVERY_STEP:
        compare(name, estimator, setting, 3, joint=False)


@pytest.mark.parametrize("name", OF_THE_PRODUCT)
@pytest.mark.parametrize("setting", ["momentum-carried", "adamw"])
@pytest.mark.parametrize("estimator", ONE_STEP)
def test_torch_operations_in_place_of_compiled_code(name: str, estimator: str, setting: str) -> None:
    with kernels.disabled():
        for steps, joint in ((1, False), (3, True)) if estimator in EVERY_STEP else ((1, False),):
            compare(name, estimator, setting, steps, joint)


@pytest.mark.parametrize("setting", ["sgd", "adam-carried"])
def test_forward_over_reverse_is_as_exact(setting: str) -> None:
    compare("classifier-mean", "adjoint", setting, 3, True, forward_over_reverse=True)


@pytest.mark.parametrize("name", EVERY_STEP)
@pytest.mark.parametrize("setting", ["momentum", "adamw-carried"])
@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("dialogs", ("body.transform",)),
        ("dialogs-entities", ("body.embedding", "candidate_embedding.shared")),
        ("images", ("bias",)),
    ],
)
def test_frozen_parameters_stay_and_the_others_are_simulated_alone(
    name: str, setting: str, kind: str, kept: tuple[str, ...]
) -> None:
    case, one = case_named(kind).only(*kept), SETTINGS[setting]
    truth = naive_meta_gradient(case, 3, one.naive(case.lr), joint=True, moments=one.moments(case))
    assert any(bool(value.any()) for value in truth.values())
    update = case.update(one.rule(case.lr), 3, joint=True, state=one.state(case), few=True)
    found = estimator_named(name)(update).gradients
    assert_same(found, {key: truth[key] for key in case.few})


@pytest.mark.parametrize("every", range(1, 7))
@pytest.mark.parametrize("setting", ["momentum-carried", "adamw-carried"])
def test_any_spacing_of_checkpoints_gives_the_adjoint(every: int, setting: str) -> None:
    case, one = case_named("classifier-mean"), SETTINGS[setting]
    update = case.update(one.rule(case.lr), 3, joint=True, state=one.state(case))
    results = [estimator(update) for estimator in (Recompute(every), estimator_named("adjoint"))]
    assert_same(results[0].gradients, results[1].gradients)
    assert float(results[0].meta_loss) == float(results[1].meta_loss)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("scaled", [False, True])
def test_a_small_step_is_judged_where_it_starts(name: str, scaled: bool) -> None:
    """Every element, against gradients of single examples by autograd alone."""
    case = case_named(name)
    sizes = {key: torch.rand(value.shape, dtype=value.dtype) for key, value in case.params.items()}
    rule = Scaled(sizes) if scaled else SETTINGS["sgd"].rule(case.lr)
    found = estimator_named("small-step")(case.update(rule, 1)).gradients
    theta = {key: value.detach().clone().requires_grad_() for key, value in case.params.items()}
    eta = {key: value.detach().clone().requires_grad_() for key, value in case.weight_params.items()}
    batches = case.related_batches(1)
    primary = case.plain.primary_losses(theta, case.primary_batch)
    judged = primary.mean() if case.reduction == "mean" else primary.sum()
    slopes = torch.autograd.grad(judged, list(theta.values()), allow_unused=True, materialize_grads=True)
    losses = case.plain.related_losses(theta, batches[0])
    steps = [sizes[key] if scaled else case.lr for key in theta]
    aligned = torch.stack(
        [
            -sum(
                (size * slope * own).sum()
                for size, slope, own in zip(
                    steps,
                    slopes,
                    torch.autograd.grad(
                        loss, list(theta.values()), retain_graph=True, allow_unused=True, materialize_grads=True
                    ),
                    strict=True,
                )
            )
            for loss in losses
        ]
    ).detach()
    weights = case.plain.example_weights(eta, batches)[0]
    total = (weights * aligned).sum() / (len(losses) if case.reduction == "mean" else 1)
    expected = torch.autograd.grad(total, list(eta.values()), allow_unused=True, materialize_grads=True)
    assert_same(found, dict(zip(eta, expected, strict=True)))


def test_a_small_step_may_have_a_size_for_each_group_of_parameters() -> None:
    case = case_named("classifier-sum")
    group = {name: place for place, name in enumerate(case.params)}
    sizes = {name: case.lr * (1 + place) for name, place in group.items()}
    grouped = Grouped(group, tuple(Sgd(size) for size in sizes.values()))
    scaled = Scaled({name: torch.full_like(value, sizes[name]) for name, value in case.params.items()})
    found, expected = (estimator_named("small-step")(case.update(rule, 1)).gradients for rule in (grouped, scaled))
    assert len(group) > 1
    assert_same(found, expected)
    with pytest.raises(ValueError, match="gradient descent"):
        estimator_named("small-step")(case.update(Grouped(group, (Sgd(0.1), Sgd(0.1, 0.5))), 1))


def test_a_small_step_is_one_step_without_moments() -> None:
    case = case_named("classifier-mean")
    with pytest.raises(ValueError, match="simulates one step, not 2"):
        estimator_named("small-step")(case.update(SETTINGS["sgd"].rule(case.lr), 2))
    with pytest.raises(ValueError, match="is for gradient descent"):
        estimator_named("small-step")(case.update(SETTINGS["adam"].rule(case.lr), 1))
