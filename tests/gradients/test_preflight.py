"""The pre-flight: which operation has no second derivative, and what then."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from tasksieve.metagrad import (
    AutogradLinearization,
    BilevelProblem,
    MetaUpdate,
    Params,
    Sgd,
    Simulation,
)
from tasksieve.metagrad.certificate import double_update
from tasksieve.metagrad.preflight import (
    NoSecondDerivative,
    Preflight,
    chosen_estimator,
    preflight,
)
from tests.gradients.problems import Case, classifier_case, dialog_case

BATCH, WIDTH, WIDE = 6, 8, 256


class Marked(torch.autograd.Function):
    """A square whose backward pass is marked as not differentiable."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 2 * x * g


class Cut(Marked):
    """A square whose backward pass leaves the graph without a word."""

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return (2 * x.detach()) * g


class Detached(torch.autograd.Function):
    """The same, without a way back for second derivatives."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g.detach()


def found_for(
    hidden: Callable[[Params, Tensor], Tensor], dtype: torch.dtype = torch.float32, head: bool = True, **more: Any
) -> Preflight:
    """The pre-flight of a classifier with this in its middle."""
    generator = torch.Generator().manual_seed(2)
    params = {
        "table": torch.randn(10, WIDTH, generator=generator).to(dtype),
        "head": torch.randn(WIDTH, 3, generator=generator).to(dtype),
    }
    inputs = torch.randint(10, (BATCH, 4), generator=generator)
    labels = torch.randint(3, (BATCH,), generator=generator)

    def losses(p: Params, batch: Any) -> Tensor:
        return F.cross_entropy(hidden(p, batch[0]) @ (p if head else params)["head"], batch[1], reduction="none")

    def weights(p: Params, batches: Any) -> list[Tensor]:
        return [torch.sigmoid(p["logits"]).to(dtype) for _ in batches]

    problem = BilevelProblem(losses, losses, more.pop("weights", weights), "mean", **more)
    batch = (inputs, labels)
    simulation = Simulation(params, [batch, batch], batch)
    return preflight(MetaUpdate(problem, Sgd(0.1), simulation, {"logits": torch.zeros(BATCH)}))


def attention(p: Params, inputs: Tensor) -> Tensor:
    sequence = F.embedding(inputs, p["table"])[:, None]
    return F.scaled_dot_product_attention(sequence, sequence, sequence)[:, 0].mean(1)


def plain(p: Params, inputs: Tensor) -> Tensor:
    return torch.tanh(F.embedding(inputs, p["table"]).mean(1))


@pytest.mark.parametrize(
    ("hidden", "operation", "advice"),
    [
        (attention, "ScaledDotProduct", r"SDPBackend\.MATH"),
        (lambda p, x: Marked.apply(plain(p, x)), "Marked", "without @once_differentiable"),
        (lambda p, x: F.embedding_bag(x, p["table"], mode="mean"), "EmbeddingBag", "replace EmbeddingBag"),
    ],
    ids=["fused attention", "once_differentiable", "embedding_bag"],
)
def test_an_operation_that_refuses_is_named_with_its_line(hidden: Any, operation: str, advice: str) -> None:
    found = found_for(hidden)
    assert not found.ok
    assert operation in str(found.operation)
    assert re.fullmatch(r"test_preflight\.py:\d+", str(found.place))
    assert "cannot be differentiated twice" in found.message
    assert re.search(advice, found.advice)
    assert "'finite-difference'" in found.advice


@pytest.mark.filterwarnings("ignore")  # torch's compiler gives several that are not ours
def test_a_compiled_model_is_found_out() -> None:
    compiled = torch.compile(torch.tanh, backend="aot_eager")
    found = found_for(lambda p, x: compiled(F.embedding(x, p["table"]).mean(1)))
    assert not found.ok
    assert found.operation == "CompiledFunction"
    assert "leave the model uncompiled" in found.advice


def test_zeros_in_place_of_a_second_derivative_are_found_out() -> None:
    found = found_for(lambda p, x: Cut.apply(plain(p, x)))
    assert not found.ok
    assert found.operation == "Cut"
    assert "silently wrong" in found.message
    assert found.error is not None and found.error > 0.1


def test_the_linearization_of_a_problem_is_what_is_tried() -> None:
    class Halved(AutogradLinearization):
        def second(self, direction: Params) -> tuple[Tensor, Params]:
            slopes, product = super().second(direction)
            return slopes, {name: value / 2 for name, value in product.items()}

    case = classifier_case("mean")
    for kind, ok in ((AutogradLinearization, True), (Halved, False)):

        def linearize(p: Params, batch: Any, kind: Any = kind) -> AutogradLinearization:
            return kind(lambda moved: case.problem.related_losses(moved, batch), p)

        found = preflight(replace(update_of(case), problem=replace(case.problem, linearize=linearize)))
        assert found.ok is ok
    assert "problem.linearize is silently wrong" in found.message


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["classifier", "dialogs"])
def test_what_is_twice_differentiable_passes(kind: str, dtype: torch.dtype) -> None:
    case = classifier_case("sum") if kind == "classifier" else dialog_case("mean", shared=False, own=True)
    update = update_of(case)
    if kind == "classifier":
        problem = replace(case.problem, example_weights=lambda p, batches: [torch.sigmoid(p["v"].sum()).expand(8)])
        double = double_update(update, lambda batch: (batch[0].to(dtype), batch[1]))
        params, eta = (
            {name: value.to(dtype) for name, value in values.items()} for values in (case.params, case.weight_params)
        )
        update = MetaUpdate(problem, update.rule, replace(double.simulation, params=params), eta)
    found = preflight(update)
    assert found.ok and found.message == "" and found.warnings == ()
    assert found.error is not None and found.error < 0.01


def test_kinks_are_no_alarm() -> None:
    assert found_for(lambda p, x: torch.relu(plain(p, x) * 3).square()).ok
    assert found_for(lambda p, x: torch.relu(F.embedding(x, p["table"])).mean(1)).ok
    for dtype in (torch.float32, torch.bfloat16):
        assert wide_relu(lambda p: p["a"], dtype).error == pytest.approx(0, abs=0.01)


def test_what_works_in_single_precision_only_is_judged_with_care() -> None:
    """Many kinks look like curvature at the distances that float32 allows."""
    found = wide_relu(lambda p: p["a"] @ torch.eye(WIDE))
    assert found.ok and found.error is not None and found.error > 0.05
    assert "kinks such as ReLU's" in found.warnings[0]
    found = wide_relu(lambda p: Detached.apply(p["a"] @ torch.eye(WIDE)))
    assert not found.ok and found.operation == "Detached"


def test_a_gradient_that_is_not_meant_to_be_the_derivative_is_left_alone() -> None:
    found = found_for(lambda p, x: plain(p, x) * plain(p, x).detach())
    assert found.ok and "detach()?" in found.warnings[0]


def test_a_joint_step_is_looked_at_too() -> None:
    case = classifier_case("mean")

    def primary(p: Params, batch: Any) -> Tensor:
        return Cut.apply(case.problem.primary_losses(p, batch))

    problem = replace(case.problem, primary_losses=primary)
    alone, joint = (replace(case.update(Sgd(0.1), 2, joint=joint), problem=problem) for joint in (False, True))
    assert preflight(alone).ok
    assert preflight(joint).operation == "Cut"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_warned_of(dtype: torch.dtype) -> None:
    found = found_for(plain, dtype)
    assert found.ok
    assert "imprecise" in found.warnings[0] and str(dtype).removeprefix("torch.") in found.warnings[0]


def test_autocast_is_warned_of() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = found_for(lambda p, x: plain(p, x))
    assert any("autocast" in note for note in found.warnings)


def test_dropout_is_judged_as_all_passes_draw_the_same() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    found = found_for(lambda p, x: F.dropout(plain(p, x)))
    assert found.ok and found.warnings == () and found.error is not None and found.error < 0.01
    assert not found_for(lambda p, x: Cut.apply(F.dropout(plain(p, x)))).ok
    assert torch.equal(torch.get_rng_state(), before), "what comes after draws what it would have drawn"


def test_random_losses_by_other_generators_are_told_of_and_not_judged() -> None:
    generator = torch.Generator().manual_seed(0)
    found = found_for(lambda p, x: plain(p, x) * torch.rand(WIDTH, generator=generator))
    assert found.ok and found.error is None
    assert "differ from call to call" in found.warnings[0]


def test_mistakes_that_no_estimator_mends_are_found() -> None:
    cases = {
        "losses do not depend on params": lambda: found_for(lambda p, x: plain(p, x).detach(), head=False),
        "gradient of table is sparse": lambda: found_for(
            lambda p, x: F.embedding(x, p["table"], sparse=True).mean(1)
        ),
        "weights do not depend on weight_params": lambda: found_for(
            plain, weights=lambda p, batches: [torch.ones(BATCH) for _ in batches]
        ),
    }
    for message, look in cases.items():
        found = look()
        assert message in found.message
        assert found.fallback is None
        with pytest.raises(NoSecondDerivative, match=message):
            chosen_estimator(found, "finite-difference")


def test_losses_and_weights_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"losses have shape \(6,\), their weights \(5,\)"):
        found_for(plain, weights=lambda p, batches: [p["logits"][:5]])
    with pytest.raises(ValueError, match=r"float32.*float64"):
        found_for(plain, weights=lambda p, batches: [p["logits"].double()])


def test_nothing_to_simulate_is_nothing_to_check() -> None:
    case = classifier_case("mean")
    assert preflight(case.update(Sgd(0.1), 0)).ok


def wide_relu(first: Callable[[Params], Tensor], dtype: torch.dtype = torch.float32) -> Preflight:
    """The pre-flight of a network with a hundred thousand kinks."""
    generator = torch.Generator().manual_seed(0)
    params = {
        "a": torch.randn(WIDE, WIDE, generator=generator).to(dtype) / WIDE**0.5,
        "b": torch.randn(WIDE, WIDE, generator=generator).to(dtype) / WIDE**0.5,
        "c": torch.randn(WIDE, 3, generator=generator).to(dtype) / WIDE**0.5,
    }
    batch = torch.randn(256, WIDE, generator=generator).to(dtype), torch.randint(3, (256,), generator=generator)

    def losses(p: Params, data: Any) -> Tensor:
        hidden = torch.relu(torch.relu(data[0] @ first(p)) @ p["b"])
        return F.cross_entropy(hidden @ p["c"], data[1], reduction="none")

    problem = BilevelProblem(losses, losses, lambda p, batches: [torch.sigmoid(p["x"]).expand(256) for _ in batches])
    simulation = Simulation(params, [batch], batch)
    return preflight(MetaUpdate(problem, Sgd(0.1), simulation, {"x": torch.zeros(1, dtype=dtype)}))


def update_of(case: Case) -> MetaUpdate[Any, Any]:
    return case.update(Sgd(0.1), 2)


def test_gradients_that_are_not_finite_are_not_taken_for_kinks() -> None:
    case = classifier_case("mean")
    params = {name: value * float("nan") for name, value in case.params.items()}
    found = preflight(update_of(replace(case, params=params)))
    assert found.ok
    assert not found.warnings
