"""Learned weights take no step that would spoil them, and say so; what cannot be meant is refused in a sentence."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from tasksieve.metagrad import BilevelProblem, ExampleWeights
from tasksieve.metagrad.preflight import NoSecondDerivative
from tasksieve.metagrad.weight_steps import WeightSteps

Batch = tuple[Tensor, Tensor]


def each(model: nn.Module, batch: Batch) -> Tensor:
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def batch(count: int = 8, dtype: torch.dtype = torch.float32) -> Batch:
    return torch.randn(count, 4, dtype=dtype), torch.randint(3, (count,))


def sieve(dtype: torch.dtype = torch.float32, **options: Any) -> ExampleWeights:
    torch.manual_seed(0)
    model = options.pop("model", None) or nn.Linear(4, 3).to(dtype)
    module = options.pop("module", None) or nn.Linear(4, 1).to(dtype)
    losses = options.pop("losses", each)
    options.setdefault("optimizer", torch.optim.SGD(model.parameters(), lr=0.1))
    return ExampleWeights(model, losses, module, logits=options.pop("logits", lambda m, b: m(b[0])), **options)


@pytest.mark.parametrize("reduction", ["avg", "Mean", "none", ""])
def test_a_reduction_that_there_is_not_is_refused(reduction: str) -> None:
    with pytest.raises(ValueError, match=f"reduction is '{reduction}'; it may be 'mean' or 'sum'"):
        sieve(reduction=reduction)
    with pytest.raises(ValueError, match="it may be 'mean' or 'sum'"):
        BilevelProblem(lambda p, b: b, lambda p, b: b, lambda p, b: b, reduction)


@pytest.mark.filterwarnings("ignore:parameters are")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_weight_module_of_16_bits_learns_as_one_of_32_does(dtype: torch.dtype) -> None:
    short, whole = sieve(dtype, weight_lr=1e-3), WeightSteps(nn.Linear(4, 1), None, 1e-3)
    own, reference = short._module.module, whole._module
    with torch.no_grad():
        for value, other in zip(reference.parameters(), own.parameters(), strict=True):
            value.copy_(other)
    for _ in range(5):
        result = short.update([batch(dtype=dtype)], batch(dtype=dtype))
        assert not whole.take({n.removeprefix("module."): g.float() for n, g in result.gradients.items()})
        for value, other in zip(reference.parameters(), own.parameters(), strict=True):
            assert torch.equal(value.to(dtype), other)
    assert short.skipped == 0
    weights = short.weights(batch(dtype=dtype))
    assert bool(((weights > 0) & (weights < 1)).all())


@pytest.mark.filterwarnings("ignore:parameters are")
def test_a_checkpoint_keeps_what_16_bits_cannot() -> None:
    first, second = sieve(torch.float16), sieve(torch.float16)
    batches = [batch(dtype=torch.float16) for _ in range(6)]
    for related in batches[:3]:
        first.update([related], batches[5])
    second.load_state_dict(deepcopy(first.state_dict()))
    for related in batches[3:]:
        first.update([related], batches[5])
        second.update([related], batches[5])
    kept, gone_on = first.state_dict()["float32"], second.state_dict()["float32"]
    assert all(torch.equal(kept[name], gone_on[name]) for name in kept)
    with torch.no_grad():
        first._module.module.weight.fill_(0.5)
    first.update([batches[0]], batches[5])
    assert float((first._module.module.weight.detach() - 0.5).abs().max()) < 0.01


@pytest.mark.filterwarnings("ignore:parameters are")
def test_a_step_after_which_the_module_is_not_finite_is_undone() -> None:
    module = nn.Linear(4, 1).half()
    optimizer = torch.optim.Adam(module.parameters())
    before = [value.detach().clone() for value in module.parameters()]
    learner = sieve(torch.float16, module=module, weight_optimizer=optimizer)
    with pytest.warns(
        RuntimeWarning, match=r"left out: a step of Adam made 'weight' of the weight module \(float16\)"
    ):
        learner.update([batch(dtype=torch.float16)], batch(dtype=torch.float16))
    assert learner.skipped == 1 and not optimizer.state
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))


def test_a_huge_but_finite_meta_gradient_is_left_out_and_stops_nothing() -> None:
    learner = sieve()
    optimizer = learner._optimizer
    assert optimizer is not None
    optimizer.param_groups[0]["lr"] = 1e30
    with pytest.warns(RuntimeWarning, match=r"left out: .*reaches .*e\+\d+, whose square is not finite in float32: "):
        learner.update([batch()], batch())
    assert learner.skipped == 1
    optimizer.param_groups[0]["lr"] = 0.1
    before = learner._module.module.weight.detach().clone()
    for _ in range(5):
        learner.update([batch()], batch())
    assert learner.skipped == 1
    assert float((learner._module.module.weight.detach() - before).abs().max()) > 1e-3


def test_ordinary_steps_are_adams_to_the_bit() -> None:
    module, plain = nn.Linear(4, 1), nn.Linear(4, 1)
    plain.load_state_dict(module.state_dict())
    steps, adam = WeightSteps(module, None, 1e-2), torch.optim.Adam(plain.parameters(), lr=1e-2)
    for scale in (1.0, 1e-30, 1e15, 0.0, 3.0):
        gradients = {name: scale * torch.randn_like(value) for name, value in module.named_parameters()}
        for name, value in plain.named_parameters():
            value.grad = gradients[name].clone()
        adam.step()
        assert not steps.fault(gradients) and not steps.take(gradients)
        assert all(torch.equal(a, b) for a, b in zip(module.parameters(), plain.parameters(), strict=True))


class Calls(TorchDispatchMode):
    """How often tensors are cloned, and single numbers read, which waits for a device."""

    def __init__(self) -> None:
        super().__init__()
        self.cloned = self.read = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.cloned += func is torch.ops.aten.clone.default
        self.read += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_copies_of_a_step_stand_in_the_memory_of_those_before(dtype: torch.dtype) -> None:
    module = nn.Linear(4, 1).to(dtype)
    steps = WeightSteps(module, None, 1e-2)
    gradients = {name: torch.randn_like(value) for name, value in module.named_parameters()}
    for _ in range(2):  # Adam has its moments after the first
        steps.take(gradients)
    with Calls() as calls:
        assert not steps.fault(gradients)
    assert calls.read == 0
    with Calls() as calls:
        assert not steps.take(gradients)
    assert calls.cloned == 0


def test_every_step_after_one_that_was_undone_can_be_undone() -> None:
    module = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(module.parameters(), lr=1.0, momentum=0.5)
    steps = WeightSteps(module, optimizer, 1.0)
    gradients = {name: torch.randn_like(value) for name, value in module.named_parameters()}
    assert not steps.take(gradients)
    for _ in range(2):
        sound = deepcopy((module.state_dict(), optimizer.state_dict()["state"]))
        optimizer.param_groups[0]["lr"] = float("inf")
        assert "and was undone" in steps.take(gradients)
        optimizer.param_groups[0]["lr"] = 1.0
        for before, now in zip(sound, (module.state_dict(), optimizer.state_dict()["state"]), strict=True):
            torch.testing.assert_close(now, before, rtol=0, atol=0)
        assert not steps.take(gradients)


@pytest.mark.parametrize("lr", [-1.0, 0.0, float("nan"), float("inf")])
def test_what_is_no_step_size_is_refused(lr: float) -> None:
    with pytest.raises(ValueError, match=r"lr is .*; give the step size of the simulated updates, a number above 0"):
        sieve(lr=lr)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unroll_length": 0}, "unroll_length is 0; simulate 1 update or more"),
        ({"on_failure": "go"}, "on_failure is 'go'; it may be 'fallback' or 'stop'"),
        ({"module": nn.Identity()}, "the weight module has no parameter that requires a gradient"),
        (
            {"module": nn.Linear(4, 1).requires_grad_(False)},
            "the weight module has no parameter that requires a grad",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sieve(**options)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_empty_batches_are_refused(reduction: str) -> None:
    learner = sieve(reduction=reduction)
    with pytest.raises(ValueError, match="a primary batch has no example; give batches with at least one"):
        learner.update([batch()], batch(0))
    with pytest.raises(ValueError, match=r"related batch.* has no example; give batches with at least one"):
        learner.update([batch(0)], batch())


@pytest.mark.parametrize(
    ("losses", "shape"),
    [
        (lambda m, b: F.cross_entropy(m(b[0]), b[1]), r"\(\)"),
        (lambda m, b: each(m, b)[:, None], r"\(8, 1\)"),
        (lambda m, b: m(b[0]), r"\(8, 3\)"),
    ],
)
def test_losses_that_are_not_one_an_example_are_refused(losses: Callable[..., Tensor], shape: str) -> None:
    message = rf"losses of a {{}} batch have shape {shape}; return one loss an example, .*reduction='none'"
    with pytest.raises(ValueError, match=message.format("primary")):
        sieve(losses=losses).update([batch()], batch())
    with pytest.raises(ValueError, match=message.format("related")):
        sieve(losses=losses, primary_losses=each).update([batch()], batch())


def test_a_model_that_is_frozen_is_named() -> None:
    learner = sieve(model=nn.Linear(4, 3).requires_grad_(False), optimizer=None, lr=0.1)
    with pytest.raises(ValueError, match="no parameter of the model requires a gradient"):
        learner.update([batch()], batch())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"losses": lambda m, b: (m(b[0]).argmax(1) != b[1]).float()},
            "the losses do not depend on any parameter of the model that requires a gradient. .*no argmax, detach",
        ),
        (
            {"logits": lambda m, b: m(b[0]).detach()},
            "the logits do not depend on any parameter of the weight module that requires a gradient. .*no argmax",
        ),
    ],
)
def test_what_nothing_can_be_learned_through_is_told_of_what_the_user_did(options: Any, message: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(NoSecondDerivative, match=message) as raised:
            sieve(**options).update([batch()], batch())
    assert "functional_call" not in str(raised.value)
