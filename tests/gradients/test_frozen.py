"""A run with frozen parameters: an adapter on a frozen body is simulated alone, and its meta-gradient is exact."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tasksieve.metagrad import BilevelProblem
from tasksieve.models import Model, WeightModule
from tasksieve.records.config import LoopConfig
from tasksieve.training.loop.meta_updates import MetaUpdates
from tasksieve.training.loop.running_means import Means
from tasksieve.training.loop.state import TrainState, start_state
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.methods import method_named
from tasksieve.weighting import Learned
from tests.gradients.naive import NaiveRule, naive_meta_gradient
from tests.gradients.problems import Case, Plain
from tests.gradients.settings import assert_same


@dataclass(frozen=True)
class Points:
    """Some points with labels."""

    x: Tensor
    targets: Tensor
    examples: Tensor

    def __len__(self) -> int:
        return len(self.targets)


class PointTask:
    """Points in float64, to be cut into batches."""

    device = torch.device("cpu")

    def __init__(self, seed: int, number: torch.dtype = torch.float64) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.x = torch.randn(12, 4, generator=generator, dtype=number)
        self.y = torch.randint(3, (12,), generator=generator)

    def __len__(self) -> int:
        return len(self.y)

    def batch(self, examples: Tensor) -> Points:
        return Points(self.x[examples], self.y[examples], examples)

    def answerable(self) -> Tensor:
        return torch.arange(len(self))


class Adapted(Model):
    """A frozen layer, a small learned one beside it, and a head of which the bias is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.down, self.up, self.head = nn.Linear(4, 6), nn.Linear(4, 2), nn.Linear(2, 6), nn.Linear(6, 3)
        self.body.requires_grad_(False)
        self.head.bias.requires_grad_(False)

    def losses(self, batch: Points) -> Tensor:
        state = torch.tanh(self.body(batch.x) + self.up(self.down(batch.x)))
        return nn.functional.cross_entropy(self.head(state), batch.targets, reduction="none")


class Weights(WeightModule):
    """One layer over point and label, of which the bias is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(7, 1)
        self.layer.bias.requires_grad_(False)

    def forward(self, batch: Points) -> Tensor:
        label = nn.functional.one_hot(batch.targets, 3).to(batch.x.dtype)
        return self.layer(torch.cat([batch.x, label], dim=1))[:, 0]


def parts(
    inner: str, reduction: str, number: torch.dtype = torch.float64
) -> tuple[LoopConfig, Any, TrainState, Learned]:
    torch.manual_seed(5)
    config = LoopConfig.model_validate(
        {
            "training": {"batch_size": 5, "reduction": reduction},
            "meta": {"unroll_length": 3, "warm_up": 0, "certify_every": 1, "inner_optimizer": inner, "inner_lr": 0.1},
        }
    )
    primary, *related = (PointTask(seed, number) for seed in range(3))
    tasks = SimpleNamespace(primary=primary, valid=primary, related=tuple(related))
    module = Weights().to(number)
    return config, tasks, start_state(config, Adapted().to(number), module), Learned(module)


@pytest.mark.parametrize(("inner", "reduction"), [("sgd", "sum"), ("adam", "mean")])
def test_the_meta_gradient_of_an_adapter_on_a_frozen_body_is_that_of_the_naive_unroll(
    inner: str, reduction: str
) -> None:
    config, tasks, state, weighter = parts(inner, reduction)
    updates = MetaUpdates(config, tasks, state, weighter, Means())
    simulation = updates._simulation(0)
    assert set(simulation.params) == {"down.weight", "down.bias", "up.weight", "up.bias", "head.weight"}
    model, module = state.model, weighter.module
    frozen = {name: value.detach() for name, value in model.named_parameters()}

    def losses(p: dict[str, Tensor], batch: Points) -> Tensor:
        p = {**frozen, **p}
        low = (batch.x @ p["down.weight"].T + p["down.bias"]) @ p["up.weight"].T + p["up.bias"]
        hidden = torch.tanh(batch.x @ p["body.weight"].T + p["body.bias"] + low)
        scores = hidden @ p["head.weight"].T + p["head.bias"]
        return nn.functional.cross_entropy(scores, batch.targets, reduction="none")

    def related(p: dict[str, Tensor], batches: Any) -> Tensor:
        return torch.cat([losses(p, batch) for batch in batches])

    def weights(p: dict[str, Tensor], batches: Any) -> list[Tensor]:
        def of(batch: Points) -> Tensor:
            seen = torch.cat([batch.x, torch.eye(3, dtype=torch.float64)[batch.targets]], 1)
            return torch.sigmoid(seen @ p["layer.weight"][0] + module.layer.bias)

        return [torch.cat([of(batch) for batch in parts]) for parts in batches]

    problem = BilevelProblem(related, losses, weights, reduction)
    eta = {"layer.weight": module.layer.weight}
    batches = simulation.related_batches
    plain = Plain(related, losses, weights)
    case = Case(problem, plain, simulation.params, eta, (), simulation.meta_batch, batches, ())
    rule = NaiveRule(inner, 0.1, eps_root=config.meta.inner_eps_root)
    truth = naive_meta_gradient(case, 3, rule)
    updates(0)
    gradient = module.layer.weight.grad
    assert gradient is not None and module.layer.bias.grad is None
    assert_same({"layer.weight": gradient}, truth)


def test_an_iteration_moves_what_requires_a_gradient_and_nothing_else() -> None:
    """The meta-gradient of the model in float32 is checked in float64 as well."""
    config, tasks, state, weighter = parts("sgd", "mean", torch.float32)
    before = {name: value.clone() for name, value in state.model.state_dict().items()}
    Trainer(config, method_named("learned"), tasks, state, weighter).iterate(0)
    moved = {name for name, value in state.model.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"down.weight", "down.bias", "up.weight", "up.bias", "head.weight"}


def test_frozen_parameters_are_taken_in_double_precision_beside_others_that_are() -> None:
    torch.manual_seed(0)
    model, task = Adapted(), PointTask(0)
    batch = task.batch(torch.arange(4))
    single = replace(batch, x=batch.x.float())
    params = {name: value.detach().double() for name, value in model.named_parameters() if value.requires_grad}
    losses = model.losses_at(params, batch)
    assert losses.dtype == torch.float64
    torch.testing.assert_close(losses.float(), model.losses(single).detach(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(losses, model.double().losses(batch).detach(), rtol=1e-12, atol=1e-12)
