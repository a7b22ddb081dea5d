"""Compiled code against torch operations, and what happens where it cannot be had."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tasksieve.contracts import InPlace, Linearization
from tasksieve.encoding import Batch, SentenceTable
from tasksieve.kernels import batch_kernels, build, compiler, disabled, network_kernels
from tasksieve.metagrad import AutogradLinearization
from tasksieve.models.memory_network.operation import compiled_network
from tasksieve.models.memory_network.passes import Layout, NetworkTensors
from tests.gradients.problems import given_choices
from tests.unit.test_models import VOCABULARY, network, task

needs_compiler = pytest.mark.skipif(compiler() is None, reason="no C++ compiler on this machine")
TRANSFORMS = ("state", "attended")
CHOICES = ("list", "given")
"""One list of candidates for all examples, or a list given with each."""


def small_batch(count: int = 3) -> Batch:
    return task("related-1").batch(torch.arange(count))


def some(choices: str, head: str, count: int) -> Batch:
    """The first examples of a task."""
    whole = task(head)
    if choices == "given":
        whole.choices = given_choices(whole.choices)
    return whole.batch(torch.arange(count))


@needs_compiler
@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("choices", CHOICES)
def test_states_and_losses_pass_gradient_checks_of_both_orders(transform: str, choices: str) -> None:
    batch, generator = some(choices, "primary", 4), torch.Generator().manual_seed(1)
    shapes = (len(VOCABULARY), 3), (3, 3), (len(VOCABULARY), 3)
    embedding, matrix, candidates = (
        (torch.randn(*shape, generator=generator, dtype=torch.float64) * 0.4).requires_grad_() for shape in shapes
    )

    def found(with_response: bool, *parts: Tensor) -> Tensor:
        params = NetworkTensors(*parts)
        layout = Layout.of(params, batch, with_response, 2, transform == "state")
        assert layout is not None
        return compiled_network([layout], params)[0]

    for with_response, inputs in ((True, (embedding, matrix)), (False, (embedding, matrix, candidates))):
        assert torch.autograd.gradcheck(partial(found, with_response), inputs, fast_mode=True)
        assert torch.autograd.gradgradcheck(partial(found, with_response), inputs, fast_mode=True)


@needs_compiler
@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize(("choices", "frozen"), [("list", ()), ("given", ("body.embedding",))])
def test_a_linearization_is_that_of_automatic_differentiation(
    transform: Literal["state", "attended"], choices: str, frozen: tuple[str, ...]
) -> None:
    model = network(transform=transform, shared_candidates=False)
    parts = some(choices, "primary", 5), some("list", "related-1", 7)
    params = {name: value.detach() for name, value in model.named_parameters() if name not in frozen}
    generator = torch.Generator().manual_seed(8)
    factors = torch.rand(12, generator=generator).double()
    direction = {name: torch.randn(value.shape, generator=generator).double() for name, value in params.items()}
    direction.pop("body.transform")  # stands for zeros
    quick = model.linearize(params, parts)
    with disabled():
        plain = model.linearize(params, parts)
    assert isinstance(quick, Linearization) and isinstance(plain, AutogradLinearization)
    torch.testing.assert_close(quick.losses, plain.losses, rtol=1e-10, atol=1e-12)
    first, truth = quick.gradient(factors), plain.gradient(factors)
    assert first.keys() == truth.keys()
    for name, value in truth.items():
        assert value is not None
        torch.testing.assert_close(first[name], value, rtol=1e-9, atol=1e-12)
    (slopes, products), (true_slopes, true_products) = quick.second(direction), plain.second(direction)
    torch.testing.assert_close(slopes, true_slopes, rtol=1e-9, atol=1e-12)
    for name, value in true_products.items():
        torch.testing.assert_close(products[name], value, rtol=1e-9, atol=1e-11)


@needs_compiler
@pytest.mark.parametrize("tasks", [1, 2])
@pytest.mark.parametrize("choices", CHOICES)
def test_derivatives_may_be_added_to_the_parameters_and_to_the_direction_themselves(choices: str, tasks: int) -> None:
    model = network(shared_candidates=False)
    parts = (some(choices, "primary", 5), some("list", "related-1", 7))[:tasks]
    start = {name: value.detach().clone() for name, value in model.named_parameters()}
    generator = torch.Generator().manual_seed(9)
    factors = torch.rand(sum(map(len, parts)), generator=generator).double()
    direction = {name: torch.randn(value.shape, generator=generator).double() for name, value in start.items()}
    apart = model.linearize(start, parts)
    gradient, (slopes, products) = apart.gradient(factors), apart.second(direction)
    theta = {name: value.clone() for name, value in start.items()}
    along = {name: value.clone() for name, value in direction.items()}
    added = model.linearize(theta, parts)
    assert isinstance(added, InPlace)
    added.add_gradient(factors, theta)
    torch.testing.assert_close(added.slopes(direction), slopes, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(added.add_second(along, along), slopes, rtol=1e-12, atol=1e-14)
    for name, value in start.items():
        moved = gradient[name]
        torch.testing.assert_close(theta[name], value if moved is None else value + moved, rtol=1e-12, atol=1e-14)
        total = direction[name] + products.get(name, 0)
        torch.testing.assert_close(along[name], total, rtol=1e-12, atol=1e-14)


@needs_compiler
def test_numbers_of_two_types_never_reach_the_compiled_code() -> None:
    model, batch = network().float(), small_batch()
    double = {"body.embedding": model.body.embedding.detach().double()}
    linear = model.linearize(double, [batch])
    assert isinstance(linear, AutogradLinearization) and linear.losses.dtype == torch.float64


@pytest.mark.parametrize("choices", CHOICES)
@pytest.mark.parametrize("compiled", [pytest.param(True, marks=needs_compiler), False])
def test_a_response_that_is_no_candidate_has_no_loss(choices: str, compiled: bool) -> None:
    batch = some(choices, "related-1", 3)
    batch.targets[1] = -1
    with nullcontext() if compiled else disabled(), pytest.raises(IndexError, match="no candidate"):
        network().losses(batch)


@needs_compiler
@pytest.mark.parametrize(
    ("transform", "choices", "dim"),
    [("state", "list", 5), ("attended", "list", 1), ("attended", "list", 20), ("attended", "given", 33)],
)
def test_losses_and_both_derivatives_are_those_of_torch_operations(
    transform: Literal["state", "attended"], choices: str, dim: int
) -> None:
    model, batch = network(transform=transform, dim=dim), some(choices, "primary", 12)

    def derivatives() -> list[Tensor]:
        params = [value for value in model.parameters() if value.requires_grad]
        generator = torch.Generator().manual_seed(4)
        factors = torch.rand(12, generator=generator).double().requires_grad_()
        losses = model.losses(batch)
        first = torch.autograd.grad(losses, params, grad_outputs=factors, create_graph=True, materialize_grads=True)
        ways = [torch.randn(value.shape, generator=generator).double() for value in params]
        inner = sum((value * way).sum() for value, way in zip(first, ways, strict=True))
        return [losses, *first, *torch.autograd.grad(inner, [*params, factors], materialize_grads=True)]

    compiled = derivatives()
    with disabled():
        plain = derivatives()
    for found, truth in zip(compiled, plain, strict=True):
        torch.testing.assert_close(found, truth, rtol=1e-9, atol=1e-11)


@needs_compiler
def test_a_gradient_asked_for_twice_keeps_its_own_second_derivative() -> None:
    """Passes leave what the next one needs: two gradients of one loss must not share it."""
    model, batch = network(), task().batch(torch.arange(6))
    params = list(model.parameters())[:2]

    def second(order: int) -> list[Tensor]:
        losses = model.losses(batch)
        firsts = [
            torch.autograd.grad(losses, params, grad_outputs=torch.eye(6)[k].double(), create_graph=True)
            for k in ((0, 3) if order == 0 else (3, 0))
        ]
        mine = firsts[0 if order == 0 else 1]
        return list(torch.autograd.grad(sum(value.square().sum() for value in mine), params))

    for one, other in zip(second(0), second(1), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)


@needs_compiler
def test_not_a_number_stays_one() -> None:
    model, batch = network().float(), small_batch()
    with torch.no_grad():
        model.body.embedding[:] = torch.nan
    assert bool(torch.isnan(model.losses(batch)).all())


@needs_compiler
@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20), st.integers(1, 12))
def test_batches_are_those_of_torch_operations(numbers: list[int], limit: int) -> None:
    whole = task("related-1")
    whole.max_memories = limit
    examples = torch.tensor(numbers) % len(whole)
    found = whole.batch(examples)
    with disabled():
        truth = whole.batch(examples)
    assert found.memories.shape == truth.memories.shape
    words = torch.eye(len(VOCABULARY))
    rows, true_rows = found.table.embed(words), truth.table.embed(words)
    for name in ("utterances", "responses"):
        assert torch.equal(rows[getattr(found, name)], true_rows[getattr(truth, name)])
    assert torch.equal(found.memories >= 0, truth.memories >= 0)
    present = truth.memories >= 0
    assert torch.equal(rows[found.memories[present]], true_rows[truth.memories[present]])
    for name in ("targets", "examples"):
        assert torch.equal(getattr(found, name), getattr(truth, name))
    for b in range(len(examples)):
        mine = slice(int(found.distinct.offsets[b]), int(found.distinct.offsets[b + 1]))
        sentences, counts = found.distinct.sentences[mine], found.distinct.counts
        assert counts is not None
        memories = found.memories[b].tolist()
        assert sorted(sentences.tolist()) == sorted(set(memories) - {-1})
        assert counts[mine].tolist() == [memories.count(s) for s in sentences.tolist()]


@needs_compiler
def test_there_is_no_example_of_any_number() -> None:
    with pytest.raises(IndexError, match="numbered from 0 to"):
        task().batch(torch.tensor([0, 10**6]))
    with pytest.raises(IndexError):
        task().batch(torch.tensor([-1]))


def test_half_precision_and_switched_off_code_fall_back() -> None:
    assert network_kernels(torch.zeros(3, 4, dtype=torch.bfloat16)) is None
    with disabled():
        assert network_kernels(torch.zeros(3, 4)) is None
        assert batch_kernels() is None


def test_without_a_compiler_torch_operations_do_the_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a process of its own: the compiler is looked for once."""
    script = (
        "import torch\n"
        "from tasksieve.kernels import network_kernels, batch_kernels, compiler\n"
        "assert compiler() is None and batch_kernels() is None\n"
        "assert network_kernels(torch.zeros(3, 4)) is None\n"
    )
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)


@needs_compiler
def test_a_cache_that_cannot_be_written_is_done_without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    build.library.cache_clear()
    assert build.library("batches.cpp") is not None
    build.library.cache_clear()


@needs_compiler
def test_a_compiler_that_fails_is_done_without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    build.library.cache_clear()
    assert build.library("network.cpp", "REAL=no_such_type", "DIM=2") is None
    build.library.cache_clear()
    assert not list(tmp_path.rglob("*.so"))


def test_a_table_selects_with_a_known_number_of_words() -> None:
    if batch_kernels() is None:
        pytest.skip("no C++ compiler on this machine")
    table = SentenceTable.of([[0, 2, 2], [], [1], [3, 0]], 4)
    rows = torch.tensor([3, 1, 0, 3])
    found, truth = table.select_known(rows, 7), table.select(rows)
    assert torch.equal(found.words, truth.words)
    assert torch.equal(found.offsets, truth.offsets)
