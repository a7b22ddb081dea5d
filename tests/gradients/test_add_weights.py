"""Learned weights in a training loop of someone else's, and the rules of real optimisers."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tasksieve.metagrad import Adjoint, Forward, MetaUpdate, Params, Simulation, Unrolled
from tasksieve.metagrad.example_weights import ExampleWeights
from tasksieve.metagrad.preflight import NoSecondDerivative
from tasksieve.metagrad.real_optimizer import rule_of

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "add_weights.py"


def test_a_loop_gains_weights_in_under_25_lines() -> None:
    lines = EXAMPLE.read_text().splitlines()
    assert 5 < sum(line.endswith("# +") for line in lines) < 25


def test_without_the_added_lines_it_is_an_ordinary_loop(capsys: pytest.CaptureFixture[str]) -> None:
    ordinary = "\n".join(line for line in EXAMPLE.read_text().splitlines() if not line.endswith("# +"))
    assert "import tasksieve" not in ordinary and "from tasksieve" not in ordinary
    names: dict[str, Any] = {"__name__": "ordinary"}
    exec(compile(ordinary, "ordinary", "exec"), names)
    names["main"](epochs=1)
    assert re.fullmatch(r"accuracy without weights [\d.]+ %\n", capsys.readouterr().out)


def test_the_example_learns_whom_to_believe(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLE))["main"](epochs=5)
    without, right, wrong, accuracy = map(float, re.findall(r"[\d.]+", capsys.readouterr().out))
    assert right > 3 * wrong
    assert accuracy > 80 > 40 > without


def small(seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[nn.Module, nn.Module, Any, Any]:
    """A model with a buffer, a weight module, related batches and a primary batch, as dicts."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 3)).to(dtype)
    module = nn.Sequential(nn.Linear(3, 1)).to(dtype)

    def batch(count: int) -> dict[str, Tensor]:
        x = torch.randn(count, 3, generator=generator, dtype=torch.float64).to(dtype)
        return {"x": x, "y": torch.randint(3, (count,), generator=generator)}

    return model, module, [batch(6) for _ in range(3)], batch(5)


def losses(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    return F.cross_entropy(model(batch["x"]), batch["y"], reduction="none")


def logits(module: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    return module(batch["x"])


OPTIMIZERS: dict[str, Callable[[nn.Module], torch.optim.Optimizer]] = {
    "sgd": lambda m: torch.optim.SGD(m.parameters(), lr=0.1),
    "momentum, decay": lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1),
    "adam": lambda m: torch.optim.Adam(m.parameters(), lr=0.01, betas=(0.8, 0.9), eps=1e-4),
    "adamw": lambda m: torch.optim.AdamW(m.parameters(), lr=0.01, weight_decay=0.1),
    "sgd, groups": lambda m: torch.optim.SGD(
        [
            {"params": m[0].parameters(), "lr": 0.5, "momentum": 0.5},
            {"params": [*m[1].parameters(), *m[3].parameters()]},
        ],
        lr=0.1,
    ),
    "adamw, groups": lambda m: torch.optim.AdamW(
        [{"params": m[0].parameters(), "weight_decay": 0.5}, {"params": [*m[1].parameters(), *m[3].parameters()]}],
        lr=0.01,
    ),
}


def stepped(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Any) -> None:
    optimizer.zero_grad()
    losses(model, batch).mean().backward()
    optimizer.step()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_simulated_step_is_the_real_optimisers(name: str) -> None:
    """From where it stands after some real steps; moments and all."""
    model, _, batches, primary = small()
    model[1].eval()
    optimizer = OPTIMIZERS[name](model)
    for batch in batches[:2]:
        stepped(model, optimizer, batch)
    params = dict(model.named_parameters())
    rule, state = rule_of(optimizer, params)
    found = torch.autograd.grad(losses(model, primary).mean(), list(params.values()))
    moved, _ = rule.step(
        {n: v.detach().clone() for n, v in params.items()}, dict(zip(params, found, strict=True)), state or {}
    )
    stepped(model, optimizer, primary)
    for key, value in params.items():
        torch.testing.assert_close(moved[key], value.detach(), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("other", [Adjoint(), Forward()], ids=["adjoint", "forward"])
def test_the_rules_derivatives_are_those_of_the_graph(name: str, other: Any) -> None:
    model, module, batches, primary = small()
    model[1].eval()
    optimizer = OPTIMIZERS[name](model)
    stepped(model, optimizer, batches[0])
    sieve = ExampleWeights(model, losses, module, optimizer=optimizer, logits=logits, unroll_length=3)
    params = {f"module.{n}": v for n, v in model.named_parameters()}
    rule, state = rule_of(optimizer, params)
    simulation = Simulation(params, batches, primary, state)
    eta = {f"module.{n}": v for n, v in module.named_parameters()}
    update = MetaUpdate(sieve.problem, rule, simulation, eta)
    truth, found = Unrolled()(update).gradients, other(update).gradients
    assert any(bool(value.abs().max() > 1e-9) for value in truth.values())
    torch.testing.assert_close(found, truth, rtol=1e-7, atol=1e-14)


def test_an_update_is_a_step_down_the_meta_gradient_and_touches_nothing_else() -> None:
    model, module, batches, primary = small()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    stepped(model, optimizer, batches[0])
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    gradients = [value.grad.clone() for value in model.parameters()]
    moments = [value.clone() for state in optimizer.state.values() for value in state.values()]
    before = [value.detach().clone() for value in module.parameters()]
    sieve = ExampleWeights(
        model,
        losses,
        module,
        optimizer=optimizer,
        logits=logits,
        unroll_length=2,
        weight_optimizer=torch.optim.SGD(module.parameters(), lr=0.5),
    )
    result = sieve.update(batches[1:], primary)
    for value, old, gradient in zip(module.parameters(), before, result.gradients.values(), strict=True):
        assert torch.equal(value, old - 0.5 * gradient)
        assert value.grad is None and gradient.dtype == torch.float64
    assert all(torch.equal(value, kept[name]) for name, value in model.state_dict().items())
    assert all(torch.equal(a.grad, b) for a, b in zip(model.parameters(), gradients, strict=True))
    now = [value for state in optimizer.state.values() for value in state.values()]
    assert all(torch.equal(a, b) for a, b in zip(now, moments, strict=True))
    weights = sieve.weights(batches[0])
    assert weights.shape == (6,) and not weights.requires_grad
    assert bool(((weights > 0) & (weights < 1)).all())


def test_only_what_is_not_frozen_is_simulated() -> None:
    """A frozen body with an adapter and a head: the meta-gradient is that of these alone."""
    torch.manual_seed(1)
    _, module, batches, primary = small()
    body, adapter, head = (nn.Linear(a, b).double() for a, b in ((3, 4), (4, 4), (4, 3)))
    body.requires_grad_(False)
    model = nn.Sequential(body, nn.Tanh(), adapter, head)
    optimizer = torch.optim.SGD([*adapter.parameters(), *head.parameters()], lr=0.3)
    sieve = ExampleWeights(model, losses, module, optimizer=optimizer, logits=logits, unroll_length=3)
    found = sieve.update(batches, primary).gradients

    def alone(p: Params, batch: Any) -> Tensor:
        hidden = torch.tanh(body(batch["x"]))
        scores = F.linear(F.linear(hidden, p["a"], p["b"]), p["c"], p["d"])
        return F.cross_entropy(scores, batch["y"], reduction="none")

    fresh = small()[1]
    eta = {f"module.{name}": value.detach() for name, value in fresh.named_parameters()}
    parts = dict(zip("abcd", (*adapter.parameters(), *head.parameters()), strict=True))
    theta = {name: value.detach().requires_grad_() for name, value in parts.items()}
    eta = {name: value.requires_grad_() for name, value in eta.items()}
    moved = dict(theta)
    for batch in batches:
        w = torch.sigmoid(F.linear(batch["x"], *eta.values())[:, 0])
        step = torch.autograd.grad((w * alone(moved, batch)).mean(), list(moved.values()), create_graph=True)
        moved = {name: value - 0.3 * g for (name, value), g in zip(moved.items(), step, strict=True)}
    truth = torch.autograd.grad(alone(moved, primary).mean(), list(eta.values()))
    torch.testing.assert_close(found, dict(zip(eta, truth, strict=True)), rtol=1e-9, atol=1e-14)


def test_batches_may_be_tensors_and_losses_may_differ() -> None:
    torch.manual_seed(2)
    model, module = nn.Linear(3, 1), nn.Linear(3, 1)
    sieve = ExampleWeights(
        model,
        lambda m, x: m(x)[:, 0].square(),
        module,
        lr=0.1,
        primary_losses=lambda m, pair: (m(pair[0])[:, 0] - pair[1]).square(),
        reduction="sum",
    )
    x = torch.randn(4, 3)
    result = sieve.update([x], (x, torch.ones(4)))
    assert result.gradients["module.weight"].dtype == torch.float32
    assert sieve.weights(x).shape == (4,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (None, "without an optimizer, give lr"),
        (lambda p: torch.optim.RMSprop(p), "RMSprop cannot be simulated; give lr"),
        (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True), "SGD with nesterov"),
        (lambda p: torch.optim.Adam(p, weight_decay=0.1), "Adam with weight_decay"),
        (lambda p: torch.optim.SGD(list(p)[1:], lr=0.1), r"'module\.0\.weight' is no parameter of the optimizer"),
    ],
)
def test_optimisers_that_cannot_be_simulated_are_named(make: Any, message: str) -> None:
    model, module, batches, primary = small()
    optimizer = None if make is None else make(model.parameters())
    with pytest.raises(ValueError, match=message):
        ExampleWeights(model, losses, module, optimizer=optimizer, logits=logits)
    if "give lr" in message:
        ExampleWeights(model, losses, module, optimizer=optimizer, lr=0.1, logits=logits).update(batches[:1], primary)


def test_a_batch_in_place_of_a_list_of_batches_is_noticed() -> None:
    model, module, _, _ = small()
    sieve = ExampleWeights(model, losses, module, lr=0.1, logits=logits)
    with pytest.raises(ValueError, match="2 related batches for unroll_length = 1"):
        sieve.update((torch.ones(2, 3), torch.tensor([0, 1])), None)


def attending(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    hidden = model(batch["x"])[:, None, None]
    return F.scaled_dot_product_attention(hidden, hidden, hidden)[:, 0, 0].square().sum(1)


def test_the_first_update_finds_out_what_the_model_lacks() -> None:
    model, module, batches, primary = small(dtype=torch.float32)
    model.eval()
    options: Any = {"lr": 0.1, "logits": logits}
    sieve = ExampleWeights(model, attending, module, **options)
    with pytest.warns(UserWarning, match="ScaledDotProduct.*the estimator is 'finite-difference'"):
        sieve.update(batches[:1], primary)
    assert sieve.estimator == "finite-difference"
    sieve.update(batches[:1], primary)
    with pytest.raises(NoSecondDerivative, match="ScaledDotProduct"):
        ExampleWeights(model, attending, module, on_failure="stop", **options).update(batches[:1], primary)


def test_a_meta_gradient_that_is_not_finite_is_left_out_and_explained() -> None:
    model, module, batches, primary = small()
    sieve = ExampleWeights(
        model, losses, module, lr=0.1, logits=lambda m, batch: logits(m, batch).nan_to_num(), unroll_length=2
    )
    sieve.update(batches[:2], primary)
    before = [value.clone() for value in module.parameters()]
    bad = batches[1] | {"x": batches[1]["x"] * float("nan")}
    with pytest.warns(RuntimeWarning, match=r"is not finite: at simulated step 2 of 2 \(related batch 2\) the loss"):
        sieve.update([batches[0], bad], primary)
    assert sieve.skipped == 1
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), before, strict=True))


def test_it_can_be_certified_and_kept() -> None:
    model, module, batches, primary = small(dtype=torch.float32)
    sieve = ExampleWeights(
        model, losses, module, optimizer=torch.optim.Adam(model.parameters()), logits=logits, unroll_length=2
    )
    assert sieve.certify(batches[:2], primary).cosine > 0.999
    sieve.update(batches[:2], primary)
    state = sieve.state_dict()
    other = small(seed=3, dtype=torch.float32)[1]
    again = ExampleWeights(model, losses, other, lr=0.1, logits=logits)
    again.load_state_dict(state)
    assert torch.equal(again.weights(batches[0]), sieve.weights(batches[0]))
