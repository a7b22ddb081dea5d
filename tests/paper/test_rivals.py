"""Rival ways of weighting, against what their papers define, by plain automatic differentiation."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import functional_call

from tasksieve.contracts import given_weights
from tasksieve.encoding import ExampleBatch, Examples
from tasksieve.experiments.published.mnist import table1_config
from tasksieve.kernels import disabled
from tasksieve.records.config import TrainingConfig
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.model_gradients import ModelGradients
from tasksieve.training.loop.run import run
from tasksieve.training.methods.gradient_cosine import CosineWeights
from tasksieve.training.methods.meta_weight_net import LossWeightModule
from tasksieve.training.methods.reweight import LookAhead
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.images import IMAGES
from tests.small import small_config
from tests.unit.test_models import network, task

RATE = 0.7
"""Of the step looked ahead; it falls out."""


@dataclass
class Tasks:
    """A primary task and its related ones."""

    primary: Examples
    valid: Examples
    related: tuple[Examples, ...]


class Problem:
    """A memory network with a primary task and a related one, and the losses at any parameters."""

    def __init__(self) -> None:
        self.model = network(shared_candidates=False)
        self.params = {name: value.detach() for name, value in self.model.named_parameters()}
        self.primary, self.related = task(), task("related-1")
        self.gradients = ModelGradients(
            self.model, Tasks(self.primary, self.primary, (self.related,)), TrainingConfig(batch_size=4)
        )

    def count(self) -> None:
        """Let the data say that examples count by more and by less."""
        for number, one in enumerate((self.primary, self.related)):
            one.given = torch.rand(len(one), generator=torch.Generator().manual_seed(number)).double() * 3

    def primary_batch(self, step: int) -> ExampleBatch:
        return self.gradients.primary_batch(step)

    def losses(self, params: dict[str, Tensor], batch: ExampleBatch) -> Tensor:
        found: Tensor = functional_call(self.model, params, (batch,))
        given = given_weights([batch])
        return found if given is None else found * given

    def looked_ahead(self, batch: ExampleBatch, step: int) -> Tensor:
        """Algorithm 1 of Ren et al.: a step with weights ε = 0, and the primary loss differentiated by ε."""
        theta = {name: value.clone().requires_grad_() for name, value in self.params.items()}
        epsilon = torch.zeros(len(batch), dtype=torch.float64, requires_grad=True)
        loss = (epsilon * self.losses(theta, batch)).sum()
        found = torch.autograd.grad(loss, list(theta.values()), create_graph=True, materialize_grads=True)
        moved = {name: value - RATE * g for (name, value), g in zip(theta.items(), found, strict=True)}
        (slopes,) = torch.autograd.grad(self.losses(moved, self.primary_batch(step)).mean(), epsilon)
        return (-slopes).clamp(min=0)

    def gradient(self, batch: ExampleBatch) -> dict[str, Tensor | None]:
        theta = {name: value.clone().requires_grad_() for name, value in self.params.items()}
        loss = self.losses(theta, batch).mean()
        found = torch.autograd.grad(loss, list(theta.values()), allow_unused=True)
        return dict(zip(theta, found, strict=True))


@pytest.fixture(params=["compiled", "torch"])
def problem(request: pytest.FixtureRequest) -> Any:
    with disabled() if request.param == "torch" else contextlib.nullcontext():
        yield Problem()


@pytest.fixture(params=[False, True])
def any_problem(problem: Problem, request: pytest.FixtureRequest) -> Problem:
    if request.param:
        problem.count()
    return problem


def test_reweighting_looks_one_step_ahead(any_problem: Problem) -> None:
    problem = any_problem
    weighter, batch = LookAhead(problem.gradients), problem.related.batch(torch.arange(9))
    expected = problem.looked_ahead(batch, 2)
    assert 0 < int((expected > 0).sum()) < len(expected)
    found = weighter.weights((batch,), 2)
    torch.testing.assert_close(found, expected * (len(expected) / expected.sum()), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.mean(), torch.tensor(1.0).double(), rtol=1e-9, atol=0)
    both = weighter.weights((batch, batch), 2)
    torch.testing.assert_close(both, torch.cat([found, found]), rtol=1e-9, atol=1e-12)
    (snapshot,) = weighter.snapshot([problem.related], 2)
    whole = problem.looked_ahead(problem.related.batch(torch.arange(len(problem.related))), 2)
    torch.testing.assert_close(snapshot, whole / whole.max(), rtol=1e-9, atol=1e-12)


def test_where_every_example_harms_none_is_learned_from(problem: Problem) -> None:
    weighter = LookAhead(problem.gradients)
    harmful = torch.nonzero(problem.looked_ahead(problem.related.batch(torch.arange(9)), 2) == 0)[:, 0]
    assert len(harmful)
    assert not weighter.weights((problem.related.batch(harmful),), 2).any()


def test_a_task_is_weighted_by_the_cosine_of_the_gradients_that_both_have(any_problem: Problem) -> None:
    problem = any_problem
    batch = problem.related.batch(torch.arange(9))
    own, other = problem.gradient(problem.primary_batch(1)), problem.gradient(batch)
    pairs = [(x, other[name]) for name, x in own.items()]
    shared = [(x.flatten(), y.flatten()) for x, y in pairs if x is not None and y is not None and x.any() and y.any()]
    assert len(shared) < len(pairs)
    left, right = (torch.cat(side) for side in zip(*shared, strict=True))
    cosine = left @ right / left.norm() / right.norm()
    weighter = CosineWeights(problem.gradients)
    found = weighter.weights((batch, problem.related.batch(torch.arange(2))), 1)
    assert found.shape == (11,)
    torch.testing.assert_close(found[:9], cosine.clamp(min=0).expand(9), rtol=1e-9, atol=1e-12)
    same = weighter.weights((problem.primary_batch(1),), 1)
    torch.testing.assert_close(same, torch.ones(4).double(), rtol=1e-9, atol=0)
    (snapshot,) = weighter.snapshot([problem.related], 1)
    (whole,) = {float(x) for x in snapshot}
    answer = weighter.weights((problem.related.batch(torch.arange(len(problem.related))),), 1)
    assert whole == pytest.approx(float(answer[0]), rel=1e-9)


def test_a_meta_weight_net_sees_the_present_losses_alone(problem: Problem) -> None:
    module = LossWeightModule(problem.model, torch.Generator().manual_seed(0)).double()
    assert sum(value.numel() for value in module.parameters()) == 301
    batch = problem.related.batch(torch.arange(5))
    before = module(batch)
    losses = problem.losses(problem.params, batch)
    hidden = torch.relu(losses[:, None] * module.inner_weight + module.inner_bias)
    torch.testing.assert_close(before, hidden @ module.weight + module.bias, rtol=1e-9, atol=1e-12)
    before.sum().backward()
    assert all(value.grad is None for value in problem.model.parameters())
    with torch.no_grad():
        next(problem.model.parameters()).mul_(2)
    assert not torch.equal(before, module(batch))


def test_a_meta_weight_net_learns_and_resumes(tasks_dir: Path, tmp_path: Path) -> None:
    config = small_config(
        tasks_dir, "restaurant", training={"method": "meta-weight-net", "iterations": 4}, screening={"trials": 16}
    )
    train(config, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    first, last = folder.read_weights(0), folder.read_weights(folder.weight_steps()[-1])
    assert not first["weight"].equals(last["weight"])
    assert not folder.has_record("screening")


@pytest.mark.parametrize("method", ["reweight", "meta-weight-net", "less", "rho-loss", "instance-weighting"])
def test_rivals_tell_wrong_labels_from_right_ones(tmp_path: Path, method: str) -> None:
    settings = [f"training.method={method}", "training.iterations=150", "training.batch_size=64"]
    run(table1_config(None, "next", 0.5, [*settings, "training.related_lr=0.01"]), tmp_path / "run", IMAGES)
    folder = RunFolder(tmp_path / "run")
    last = folder.read_weights(folder.weight_steps()[-1]).join(folder.read_examples(), on="example")
    right, wrong = (last.filter(last["label"] == label)["weight"].mean() for label in (True, False))
    assert right > wrong  # type: ignore[operator]
