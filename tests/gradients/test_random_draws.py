"""Dropout: all passes over a batch see the masks of its first, and what follows finds the generators one pass on."""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tasksieve.metagrad import (
    ESTIMATORS,
    Adjoint,
    AutogradLinearization,
    BilevelProblem,
    ExampleWeights,
    FiniteDifference,
    LateLinearization,
    Params,
    certify,
    diagnose,
    estimator_named,
)
from tasksieve.metagrad.preflight import preflight
from tasksieve.metagrad.random_draws import RandomDraws, cuda_devices
from tests.gradients.matching_cases import matching_case
from tests.gradients.naive import naive_meta_gradient
from tests.gradients.problems import MAX_UNROLL, Case, Plain
from tests.gradients.settings import SETTINGS, assert_same, case_named, relative_error

COMBINATIONS = [
    *itertools.product(
        ("unrolled", "adjoint", "forward-over-reverse", "recompute", "forward", "finite-difference"), (0, 1, 3)
    ),
    *itertools.product(("one-step", "first-order"), (0, 1)),
]
"""Estimator and K; of more than one step the unroll is joint."""
OPTIONS: dict[str, dict[str, Any]] = {"evolution": {"pairs": 2}, "persistent-evolution": {"pairs": 2}}
Mask = Callable[[Any, Tensor], Tensor]
"""(batch, values) to the values with some of them dropped."""


def dropped(batch: Any, values: Tensor) -> Tensor:
    return F.dropout(values, 0.4)


def dropout_case(mask: Mask = dropped) -> Case:
    """A classifier and a weight module that both have dropout in the middle."""
    case = case_named("classifier-mean")

    def losses(p: Params, batch: Any) -> Tensor:
        hidden = mask(batch, torch.tanh(batch[0] @ p["a"] + p["b"]))
        return F.cross_entropy(hidden @ p["c"], batch[1], reduction="none")

    def weights(p: Params, batches: Any) -> list[Tensor]:
        p = {**case.weight_params, **p}
        seen = [torch.cat([x, torch.eye(3).double()[y]], 1) for x, y in batches]
        hidden = [mask(("weights", k), torch.tanh(inputs @ p["u"])) for k, inputs in enumerate(seen)]
        return [torch.sigmoid(values @ p["v"]) for values in hidden]

    problem = BilevelProblem(losses, losses, weights, "mean")
    return replace(case, problem=problem, plain=Plain(losses, losses, weights))


def masks_of_one_pass(case: Case, steps: int, joint: bool, *, primary_first: bool = False) -> Mask:
    """The masks that one pass over each batch in turn draws, written down."""
    found: dict[Any, Tensor] = {}

    def key(batch: Any) -> Any:
        return batch if isinstance(batch[0], str) else id(batch[0])

    def writing(batch: Any, values: Tensor) -> Tensor:
        found[key(batch)] = F.dropout(torch.ones_like(values), 0.4)
        return values

    noted, params = dropout_case(writing), case.params
    batches = case.related_batches(steps)
    noted.plain.example_weights(case.weight_params, batches)
    if primary_first:
        noted.plain.primary_losses(params, case.primary_batch)
    for number, batch in enumerate(batches):
        if joint:
            noted.plain.primary_losses(params, case.joint_batches(steps)[number])
        noted.plain.related_losses(params, batch)
    if not primary_first:
        noted.plain.primary_losses(params, case.primary_batch)
    return lambda batch, values: values * found[key(batch)]


@pytest.mark.parametrize("setting", ["momentum-carried", "adamw"])
@pytest.mark.parametrize(("name", "steps"), COMBINATIONS)
def test_the_meta_gradient_is_that_of_the_naive_unroll_with_the_same_masks(
    name: str, steps: int, setting: str
) -> None:
    """Whose state of the generator is left behind as well."""
    case, one, joint = dropout_case(), SETTINGS[setting], steps > 1
    torch.manual_seed(5)
    truth = naive_meta_gradient(case, steps, one.naive(case.lr), joint=joint, moments=one.moments(case))
    after = torch.get_rng_state()
    estimator = Adjoint(forward_over_reverse=True) if name == "forward-over-reverse" else estimator_named(name)
    update = case.update(one.rule(case.lr), steps, joint=joint, state=one.state(case), few=name == "forward")
    torch.manual_seed(5)
    found = estimator(update).gradients
    expected = {key: truth[key] for key in found}
    if name == "finite-difference":
        assert steps == 0 or relative_error(found, expected) < 1e-5
    else:
        assert_same(found, expected)
    assert torch.equal(torch.get_rng_state(), after)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_masks_drawn_on_the_way_are_masks_written_down(name: str) -> None:
    """Of any estimator, exact or not: the function whose meta-gradient it takes is one."""
    steps, joint = (1, False) if name in ("one-step", "small-step") else (MAX_UNROLL, True)
    case, one = dropout_case(), SETTINGS["sgd" if name == "small-step" else "momentum-carried"]
    torch.manual_seed(7)
    written = dropout_case(masks_of_one_pass(case, steps, joint, primary_first=name == "small-step"))
    after = torch.get_rng_state()
    results = []
    for each in (case, written):
        torch.manual_seed(7)
        update = each.update(one.rule(case.lr), steps, joint=joint, state=one.state(case), few=True)
        results.append(estimator_named(name, **OPTIONS.get(name, {}))(update))
        if each is case:
            assert torch.equal(torch.get_rng_state(), after)
    drawn, fixed = results
    assert_same(drawn.gradients, fixed.gradients)
    torch.testing.assert_close(drawn.meta_loss, fixed.meta_loss, rtol=1e-12, atol=0.0)
    for first, second in zip(drawn.example_weights, fixed.example_weights, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("name", ["unrolled", "adjoint", "recompute", "forward", "finite-difference"])
def test_words_and_vectors_that_the_matching_model_drops_are_dropped_alike_in_all_passes(name: str) -> None:
    case, one = matching_case("mean", dropout=0.3, word_dropout=0.4), SETTINGS["adam-carried"]
    problem = case.problem
    own = replace(
        case, plain=Plain(problem.related_losses, problem.primary_losses, lambda p, b: problem.example_weights(p, b))
    )
    truths = []
    for seed in (5, 6):
        torch.manual_seed(seed)
        truths.append(naive_meta_gradient(own, 2, one.naive(case.lr), joint=True, moments=one.moments(case)))
    assert relative_error(truths[0], truths[1]) > 0.01, "nothing was dropped"
    after = torch.get_rng_state()
    torch.manual_seed(6)
    update = case.update(one.rule(case.lr), 2, joint=True, state=one.state(case), few=name == "forward")
    found = estimator_named(name)(update).gradients
    expected = {key: truths[1][key] for key in found}
    if name == "finite-difference":
        assert relative_error(found, expected) < 1e-5
    else:
        assert_same(found, expected)
    assert torch.equal(torch.get_rng_state(), after)


class Late(LateLinearization):
    """A linearization that passes over its batch anew whenever it is asked, and not before."""

    def __init__(self, losses: Callable[[Params], Tensor], params: Params) -> None:
        self._of, self._params = losses, {name: value.clone() for name, value in params.items()}
        self._factors = self._found = torch.zeros(0)

    @property
    def losses(self) -> Tensor:
        return self._found

    def _around(self) -> AutogradLinearization:
        return AutogradLinearization(self._of, self._params)

    def gradient(self, factors: Tensor) -> Mapping[str, Tensor | None]:
        around, self._factors = self._around(), factors
        self._found = around.losses
        return around.gradient(factors)

    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, Params]:
        around = self._around()
        around.gradient(self._factors)
        return around.second(direction)

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        return self.second(direction)[0]


@pytest.mark.parametrize("name", ["adjoint", "recompute"])
def test_a_linearization_that_draws_late_draws_the_same(name: str) -> None:
    case, one = dropout_case(), SETTINGS["sgd"]

    def linearize(params: Params, batch: Any) -> Late:
        return Late(lambda moved: case.problem.related_losses(moved, batch), params)

    own = replace(case, problem=replace(case.problem, linearize=linearize, linearize_primary=linearize))
    torch.manual_seed(3)
    truth = naive_meta_gradient(case, MAX_UNROLL, one.naive(case.lr))
    after = torch.get_rng_state()
    torch.manual_seed(3)
    assert_same(estimator_named(name)(own.update(one.rule(case.lr), MAX_UNROLL)).gradients, truth)
    assert torch.equal(torch.get_rng_state(), after)


def test_what_looks_at_a_meta_update_draws_what_it_draws_and_leaves_no_trace() -> None:
    case, one = dropout_case(), SETTINGS["adam"]
    update = case.update(one.rule(case.lr), MAX_UNROLL)
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert certify(Adjoint(), update).relative_error < 1e-9
    assert certify(FiniteDifference(), update, reference=Adjoint()).relative_error < 1e-5
    norm = diagnose(update).readings[-1].size
    assert preflight(update).warnings == ()
    assert torch.equal(torch.get_rng_state(), before)
    found = Adjoint()(update).gradients
    assert norm == pytest.approx(sum(float(value.square().sum()) for value in found.values()) ** 0.5, rel=1e-9)


def test_nothing_is_drawn_for_a_model_that_draws_nothing() -> None:
    case = case_named("classifier-mean")
    torch.manual_seed(2)
    before = torch.get_rng_state()
    for name in ESTIMATORS:
        steps = 1 if name in ("one-step", "small-step") else 2
        estimator_named(name, **OPTIONS.get(name, {}))(case.update(SETTINGS["sgd"].rule(case.lr), steps, few=True))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_pass_that_fails_has_drawn_nothing() -> None:
    draws = RandomDraws(())
    torch.manual_seed(4)
    before = torch.get_rng_state()

    def fails() -> Tensor:
        torch.rand(3)
        raise RuntimeError("no such operation")

    with pytest.raises(RuntimeError, match="no such operation"):
        draws.replayed(fails)
    assert torch.equal(torch.get_rng_state(), before)
    first = draws.replayed(lambda: torch.rand(3))
    after = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="no such operation"):
        draws.replayed(fails)
    assert torch.equal(draws.replayed(lambda: torch.rand(3)), first)
    assert torch.equal(torch.get_rng_state(), after)


def test_each_device_s_generator_is_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With two generators in the place of two GPUs' own."""
    devices = (torch.device("cuda", 0), torch.device("cuda", 1))
    stand_ins = {device: torch.Generator().manual_seed(device.index) for device in devices}
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: stand_ins[device].get_state())
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: stand_ins[device].set_state(state))
    draws = RandomDraws(devices)

    def drawn() -> Tensor:
        return torch.stack([torch.rand(3), *(torch.rand(3, generator=one) for one in stand_ins.values())])

    first, after = draws.replayed(drawn), [one.get_state() for one in stand_ins.values()]
    assert torch.equal(draws.replayed(drawn), first)
    assert all(torch.equal(one.get_state(), state) for one, state in zip(stand_ins.values(), after, strict=True))
    assert not torch.equal(drawn(), first)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_the_generator_of_a_gpu_is_replayed_too() -> None:
    gpu = torch.device("cuda")
    draws = RandomDraws(cuda_devices({"x": torch.zeros(1, device=gpu)}))
    first = draws.replayed(lambda: torch.rand(5, device=gpu))
    after = torch.cuda.get_rng_state()
    assert torch.equal(draws.replayed(lambda: torch.rand(5, device=gpu)), first)
    assert torch.equal(torch.cuda.get_rng_state(), after)
    assert not torch.equal(torch.rand(5, device=gpu), first)


@pytest.mark.parametrize("name", ["adjoint", "recompute", "finite-difference", "forward"])
def test_a_loop_of_ones_own_may_have_dropout(name: str) -> None:
    """The meta-gradient of a module in training mode is that of the whole graph, the first update's included."""

    def gradients(estimator: str) -> dict[str, Tensor]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 5)).double()
        module = nn.Linear(6, 1).double()
        related = [(torch.randn(8, 6).double(), torch.randint(0, 5, (8,))) for _ in range(3)]
        primary = (torch.randn(8, 6).double(), torch.randint(0, 5, (8,)))
        sieve = ExampleWeights(
            model,
            lambda m, batch: F.cross_entropy(m(batch[0]), batch[1], reduction="none"),
            module,
            optimizer=torch.optim.AdamW(model.parameters(), lr=1e-2, eps=1e-3),
            logits=lambda m, batch: m(batch[0]),
            unroll_length=3,
            estimator=estimator,
        )
        torch.manual_seed(5)
        return sieve.update(related, primary).gradients

    found, truth = gradients(name), gradients("unrolled")
    assert relative_error(found, truth) < (1e-5 if name == "finite-difference" else 1e-9)


def test_a_primary_batch_is_counted_without_a_trace() -> None:
    """Unless its size is told, its losses are computed once more to be counted."""
    case, one = dropout_case(), SETTINGS["sgd"]
    update = case.update(one.rule(case.lr), 2)
    told = replace(update, problem=replace(case.problem, primary_size=lambda batch: len(batch[1])))
    results = []
    for each in (update, told):
        torch.manual_seed(1)
        results.append(Adjoint()(each))
    assert_same(results[0].gradients, results[1].gradients)


def test_a_meta_update_that_is_not_finite_is_explained_with_its_own_masks() -> None:
    """Of losses that are spoiled now and then, by chance."""

    def losses(model: nn.Module, batch: Tensor) -> Tensor:
        spoiled = torch.rand(()) < 0.3
        return model(batch)[:, 0].square() * (float("nan") if spoiled else 1.0)

    module, batch = nn.Linear(2, 1), torch.ones(3, 2)
    sieve = ExampleWeights(nn.Linear(2, 1), losses, module, lr=0.1, unroll_length=2)
    sieve._checked = True
    torch.manual_seed(0)
    for _ in range(10):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            result = sieve.update([batch, batch], batch)
        finite = all(bool(value.isfinite().all()) for value in result.gradients.values())
        assert [bool(re.search("is the first that is not finite", str(one.message))) for one in told] == [True] * (
            not finite
        )
    assert 0 < sieve.skipped < 10
