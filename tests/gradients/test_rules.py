"""Optimiser rules: their step against torch's optimisers, and its derivatives against automatic differentiation."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.metagrad import Adam, Cotangents, InnerRule, Moments, Scaled, Sgd, Tangents, moments_of

Tensors = dict[str, torch.Tensor]

OPTIMIZERS: dict[str, tuple[Any, InnerRule]] = {
    "sgd": (lambda p: torch.optim.SGD(p, lr=0.02), Sgd(0.02)),
    "momentum": (lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9), Sgd(0.02, 0.9)),
    "adam": (lambda p: torch.optim.Adam(p, lr=0.02), Adam(0.02, eps_root=0.0)),
    "adam-betas": (
        lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.5, 0.7), eps=1e-3),
        Adam(0.02, betas=(0.5, 0.7), eps=1e-3, eps_root=0.0),
    ),
    "adamw": (
        lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.3),
        Adam(0.02, eps_root=0.0, weight_decay=0.3),
    ),
}
RULES = st.one_of(
    st.builds(Sgd, st.floats(1e-3, 1.0), st.sampled_from([0.0, 0.5, 0.9])),
    st.builds(
        Adam,
        st.floats(1e-3, 1.0),
        st.tuples(st.floats(0.1, 0.95), st.floats(0.1, 0.999)),
        eps=st.sampled_from([1e-8, 1e-3]),
        eps_root=st.sampled_from([1e-8, 1e-3]),
        weight_decay=st.sampled_from([0.0, 0.4]),
    ),
)


def draw(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def copied(state: Any) -> dict[str, Moments]:
    """Moments that the optimiser does not write to."""
    return {
        key: Moments(one.mean.clone(), None if one.square is None else one.square.clone(), one.steps)
        for key, one in state.items()
    }


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("from_state", [False, True])
def test_a_step_is_torchs(name: str, from_state: bool) -> None:
    """Over several steps, one of them without a gradient for one parameter; from the start, or taken over midway."""
    make, rule = OPTIMIZERS[name]
    generator = torch.Generator().manual_seed(1)
    real = {"x": draw(generator, 5, 3).requires_grad_(), "y": draw(generator, 4).requires_grad_()}
    optimizer = make(list(real.values()))
    params: Any = {key: value.detach().clone() for key, value in real.items()}
    state: Any = {}
    for number in range(5):
        if from_state and number == 3:
            state, params = (
                copied(moments_of(optimizer, real)),
                {key: value.detach().clone() for key, value in real.items()},
            )
        gradients = {key: draw(generator, *value.shape) for key, value in real.items()}
        for key, value in real.items():
            value.grad = None if (key, number) == ("y", 2) else gradients[key].clone()
        given = {key: None if value.grad is None else gradients[key] for key, value in real.items()}
        optimizer.step()
        params, state = rule.step(params, given, state)
    for key, value in real.items():
        torch.testing.assert_close(params[key], value.detach(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    "rule", [Sgd(0.1), Sgd(0.1, 0.9), Adam(0.1), Adam(0.1, weight_decay=0.1), Scaled({"x": torch.full((2,), 0.1)})]
)
def test_a_parameter_without_a_gradient_stays(rule: InnerRule) -> None:
    moments = Moments(torch.ones(2), torch.ones(2), 3)
    params, state = rule.step({"x": torch.ones(2)}, {"x": None}, {"x": moments})
    assert torch.equal(params["x"], torch.ones(2))
    assert state["x"] is moments
    after = Tangents({"x": torch.ones(2)}, {"x": torch.ones(2)}, {"x": torch.ones(2)})
    moved = rule.pushforward({"x": None}, state, {}, after)
    assert (moved.params, moved.means) == (after.params, after.means)
    cotangents = Cotangents({"x": torch.ones(2)}, {"x": torch.ones(2)}, {"x": torch.ones(2)})
    directions, before = rule.pullback({"x": None}, state, cotangents)
    assert directions == {}
    assert torch.equal(before.params["x"], torch.ones(2))
    assert torch.equal(before.means["x"], torch.ones(2))


@pytest.mark.parametrize("rule", [Sgd(0.1), Sgd(0.1, 0.9), Adam(0.1, eps_root=0.0)])
def test_the_preconditioner_is_the_step_of_a_steady_gradient(rule: InnerRule) -> None:
    params: Any = {"x": torch.zeros(2, dtype=torch.float64)}
    state: Any = {}
    for _ in range(400):
        before = params
        params, state = rule.step(params, {"x": torch.tensor([0.3, -2.0], dtype=torch.float64)}, state)
    gains = rule.preconditioner(params, state)["x"] * torch.tensor([0.3, -2.0])
    torch.testing.assert_close(before["x"] - params["x"], gains, rtol=1e-6, atol=0.0)


def test_what_never_had_a_gradient_has_no_gain() -> None:
    params = {"x": torch.zeros(2), "y": torch.zeros(2)}
    _, state = Adam(0.1).step(params, {"x": torch.tensor([0.0, 1.0]), "y": None}, {})
    gains = Adam(0.1).preconditioner(params, state)
    assert list(gains) == ["x"]
    assert gains["x"].tolist() == pytest.approx([0.0, 0.1])


@pytest.mark.parametrize("eps", [1e-8, 1e-3, 0.0])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64], ids=str)
def test_the_gain_of_what_never_moved_is_zero_in_every_precision(dtype: torch.dtype, eps: float) -> None:
    squares = torch.tensor([0.0, 1.0, torch.finfo(dtype).tiny, torch.inf, torch.nan], dtype=dtype)
    rule = Adam(0.1, eps=eps, eps_root=0.0)
    gains = rule.preconditioner({"x": squares}, {"x": Moments(squares.clone(), squares, 1)})["x"]
    scales = squares.div(1 - rule.betas[1]).sqrt().add(eps).reciprocal().mul(0.1)
    torch.testing.assert_close(gains, scales.masked_fill(squares == 0, 0.0), rtol=0.0, atol=0.0, equal_nan=True)


class Differentiated:
    """One step of a rule as a function of five tensors, by automatic differentiation."""

    def __init__(self, rule: InnerRule, seed: int, steps: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.rule, self.steps = rule, steps
        self.inputs = [draw(generator, 3, 2) for _ in range(4)]
        self.inputs[3] = self.inputs[3].square() + 0.1
        self.seeds = [draw(generator, 3, 2) for _ in range(3)]
        self.tangents = [draw(generator, 3, 2) for _ in range(4)]

    @property
    def has_moments(self) -> bool:
        return isinstance(self.rule, Adam) or bool(self.rule.momentum)  # type: ignore[attr-defined]

    def __call__(self, theta: Any, gradient: Any, mean: Any, square: Any) -> tuple[torch.Tensor, ...]:
        """θ, moments afterwards; zeros for a moment the rule does not have."""
        before = {"x": Moments(mean, square if isinstance(self.rule, Adam) else None, self.steps)}
        params, state = self.rule.step({"x": theta}, {"x": gradient}, before if self.has_moments else {})
        after = state.get("x")
        nothing = theta * 0
        return (
            params["x"],
            nothing if after is None else after.mean,
            nothing if after is None or after.square is None else after.square,
        )

    def stepped(self) -> tuple[Any, Any]:
        """Gradients and state afterwards, as the derivatives take them."""
        theta, gradient, mean, square = self.inputs
        before = {"x": Moments(mean, square if isinstance(self.rule, Adam) else None, self.steps)}
        return {"x": gradient}, self.rule.step({"x": theta}, {"x": gradient}, before if self.has_moments else {})[1]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(rule=RULES, seed=st.integers(0, 1000), steps=st.integers(0, 30))
def test_a_pullback_is_the_transposed_derivative(rule: InnerRule, seed: int, steps: int) -> None:
    step = Differentiated(rule, seed, steps)
    leaves = [value.clone().requires_grad_() for value in step.inputs]
    seeds = (
        step.seeds if isinstance(rule, Adam) else [step.seeds[0], step.seeds[1] * step.has_moments, step.seeds[2] * 0]
    )
    truth = torch.autograd.grad(step(*leaves), leaves, seeds, allow_unused=True, materialize_grads=True)
    named = [{"x": seed.clone()} for seed in seeds]
    gradients, after = step.stepped()
    directions, before = rule.pullback(gradients, after, Cotangents(*named))
    found = [before.params["x"], directions["x"], before.means["x"], before.squares.get("x", seeds[2] * 0)]
    if not step.has_moments:
        found[2] = truth[2]
    for one, expected in zip(found, truth, strict=True):
        torch.testing.assert_close(one, expected, rtol=1e-9, atol=1e-12)
    for one, seed_ in zip(named, seeds, strict=True):
        assert torch.equal(one["x"], seed_), "what was given is not written to"


@settings(max_examples=40, deadline=None, derandomize=True)
@given(rule=RULES, seed=st.integers(0, 1000), steps=st.integers(0, 30), several=st.booleans())
def test_a_pushforward_is_the_derivative(rule: InnerRule, seed: int, steps: int, several: bool) -> None:
    step = Differentiated(rule, seed, steps)
    tangents = step.tangents
    if not isinstance(rule, Adam):
        tangents = [*tangents[:2], tangents[2] * step.has_moments, tangents[3] * 0]
    _, truth = torch.autograd.functional.jvp(step, tuple(step.inputs), tuple(tangents))
    gradients, after = step.stepped()
    named = [{"x": torch.stack([one, 2 * one]) if several else one} for one in tangents]
    of_theta, of_gradient, of_mean, of_square = named
    found = rule.pushforward(gradients, after, of_gradient, Tangents(of_theta, of_mean, of_square))
    parts = [found.params["x"]] + ([found.means["x"]] if step.has_moments else [])
    parts += [found.squares["x"]] if isinstance(rule, Adam) else []
    for part, expected in zip(parts, truth, strict=False):
        whole = torch.stack([expected, 2 * expected]) if several else expected
        torch.testing.assert_close(part, whole, rtol=1e-9, atol=1e-12)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(rule=RULES, seed=st.integers(0, 1000))
def test_tangents_that_are_missing_stand_for_zeros(rule: InnerRule, seed: int) -> None:
    step = Differentiated(rule, seed, 3)
    gradients, after = step.stepped()
    of_gradient: Tensors = {"x": step.tangents[1]}
    zeros: Tensors = {"x": torch.zeros(3, 2, dtype=torch.float64)}
    missing = rule.pushforward(gradients, after, of_gradient, Tangents({}, {}, {}))
    given = rule.pushforward(gradients, after, of_gradient, Tangents(zeros, dict(zeros), dict(zeros)))
    torch.testing.assert_close(missing.params["x"], given.params["x"], rtol=1e-12, atol=0.0)


def test_a_step_of_held_sizes_is_adams_where_its_moments_hardly_change() -> None:
    """After many steps with one gradient, a further one is Adam's; what has no size of its own stays."""
    params: Any = {"x": torch.zeros(3, dtype=torch.float64), "y": torch.ones(2, dtype=torch.float64)}
    gradient = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    given: Any = {"x": gradient, "y": torch.ones(2, dtype=torch.float64)}
    adam, state = Adam(0.1), {}
    for _ in range(3000):
        _, state = adam.step({"x": params["x"]}, {"x": gradient}, state)
    rule = Scaled(adam.preconditioner({"x": params["x"]}, state))
    moved, after = rule.step(params, given, {})
    expected, _ = adam.step({"x": params["x"]}, {"x": gradient}, state)
    torch.testing.assert_close(moved["x"], expected["x"], rtol=1e-4, atol=0.0)
    assert torch.equal(moved["y"], params["y"])
    assert after == {}


def test_the_derivative_of_a_step_of_held_sizes_is_the_same_in_both_directions() -> None:
    generator = torch.Generator().manual_seed(3)
    rule = Scaled({"x": draw(generator, 4).abs()})
    gradients: Any = {"x": draw(generator, 4)}
    to, of = draw(generator, 4), draw(generator, 4)
    back, before = rule.pullback(gradients, {}, Cotangents({"x": to}, {}, {}))
    forth = rule.pushforward(gradients, {}, {"x": of}, Tangents({}, {}, {}))
    torch.testing.assert_close(back["x"] @ of, to @ forth.params["x"], rtol=1e-12, atol=0.0)
    assert torch.equal(before.params["x"], to)
    whole = torch.autograd.functional.jvp(lambda g: rule.step({"x": to}, {"x": g}, {})[0]["x"], gradients["x"], of)[1]
    torch.testing.assert_close(forth.params["x"], whole, rtol=1e-12, atol=0.0)
