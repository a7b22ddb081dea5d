"""Weights of groups: what they are, what is drawn by them, and that their meta-gradients are exact."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tasksieve.encoding import EncodedTask
from tasksieve.metagrad import Adam, BilevelProblem, MetaUpdate, Params, Sgd, Simulation, estimator_named
from tasksieve.models.calibrated import best_scale, calibrated_losses
from tasksieve.models.group_weights import ENOUGH, STEP, Groups, GroupWeights, guessing_loss
from tasksieve.models.matching.model import Matching
from tasksieve.records.model_config import GroupWeightConfig
from tasksieve.weighting import Drawn
from tests.gradients.matching_cases import QUIET, acting_world, matching

SERVICES = 2


@pytest.fixture(scope="module")
def tasks() -> tuple[Matching, EncodedTask, EncodedTask]:
    """A model, the primary task, and two related ones as one."""
    world = acting_world()
    related = world.pooled()
    model = matching(world, **QUIET)
    model.eval()
    return model, world.task(), related


def drawn(related: EncodedTask, warm_up: int = 0) -> Drawn:
    """A group for each service, with weights that differ, in float64."""
    of_example = torch.tensor([example.task for example in related.examples])
    module = GroupWeights(GroupWeightConfig())
    module.divide(Groups(of_example, torch.arange(SERVICES), torch.tensor([1.5, 2.0])))
    module = module.double()
    with torch.no_grad():
        module.own += torch.tensor([0.4, -0.3])
    module.observe(torch.arange(len(related)), torch.linspace(1, 3, len(related), dtype=torch.float64))
    return Drawn(module, related.answerable(), warm_up=warm_up)


def shares_of(weighter: Drawn, params: dict[str, Tensor], related: EncodedTask) -> Tensor:
    """Each group's share by the formulas alone."""
    module = weighter.groups
    lacking = (ENOUGH - (1 - module.losses / module.guessed)).clamp(0, 0.5) / STEP
    logits = module.bias - params["slope"] * lacking + params["own"]
    sizes = torch.tensor([sum(e.task == service for e in related.examples) for service in range(SERVICES)])
    parts = [sizes * torch.sigmoid(one) for one in (logits, logits - params["own"])]
    return sum((part / part.sum() for part in parts), torch.zeros(())) / 2


def test_shares_are_sizes_times_weights(tasks: tuple[Matching, EncodedTask, EncodedTask]) -> None:
    _, _, related = tasks
    weighter = drawn(related, warm_up=3)
    params = dict(weighter.groups.named_parameters())
    torch.testing.assert_close(weighter.shares(3), shares_of(weighter, params, related).detach())
    sizes = torch.bincount(weighter.groups.of_example).double()
    torch.testing.assert_close(weighter.shares(2), sizes / sizes.sum())


def test_examples_are_drawn_as_often_as_their_shares_say(tasks: tuple[Matching, EncodedTask, EncodedTask]) -> None:
    _, _, related = tasks
    weighter = drawn(related)
    numbers = weighter.draw(0, 20_000, torch.Generator().manual_seed(0))
    seen = torch.bincount(weighter.groups.of_example[numbers], minlength=SERVICES) / len(numbers)
    torch.testing.assert_close(seen.double(), weighter.shares(0), atol=0.02, rtol=0)
    assert len(torch.unique(numbers)) == len(related.answerable())
    flat = weighter.flat(5, torch.Generator().manual_seed(0))
    assert torch.bincount(weighter.groups.of_example[flat]).tolist() == [5, 5]


def test_a_group_without_weight_is_not_drawn(tasks: tuple[Matching, EncodedTask, EncodedTask]) -> None:
    _, _, related = tasks
    weighter = drawn(related)
    with torch.no_grad():
        weighter.groups.own[0] = -1e4
    object.__setattr__(weighter.groups, "config", GroupWeightConfig(common=0))
    numbers = weighter.draw(0, 500, torch.Generator().manual_seed(0))
    assert set(weighter.groups.of_example[numbers].tolist()) == {1}


def test_simulated_weights_are_those_of_drawn_batches_in_the_mean(
    tasks: tuple[Matching, EncodedTask, EncodedTask],
) -> None:
    _, _, related = tasks
    weighter = drawn(related)
    batch = (related.batch(weighter.flat(3, torch.Generator().manual_seed(1))),)
    params = dict(weighter.groups.named_parameters())
    (weights,) = weighter.unrolled(params, [batch])
    shares = weighter.shares(0)
    expected = shares[weighter.groups.of_example[batch[0].examples]] / 3 * len(batch[0])
    torch.testing.assert_close(weights, expected)
    assert float(weights.detach().mean()) == pytest.approx(1)


@pytest.mark.parametrize("rule", [Sgd(0.05), Adam(0.01)], ids=["sgd", "adam"])
def test_meta_gradients_are_natural_ones_of_the_whole_unroll(
    tasks: tuple[Matching, EncodedTask, EncodedTask], rule: Any
) -> None:
    """The truth: one graph over shares, whose derivative by each logit is divided by share and 1 - w."""
    model, primary, related = tasks
    weighter = drawn(related)
    batch = (related.batch(weighter.flat(2, torch.Generator().manual_seed(4))),)
    judges = primary.batch(primary.answerable()[:6])
    theta = dict(model.named_parameters())
    eta = dict(weighter.groups.named_parameters())

    def judged(params: Params, part: Any) -> Tensor:
        return calibrated_losses(model, params, part)

    problem = BilevelProblem(
        lambda params, parts: torch.cat([model.losses_at(params, part) for part in parts]),
        judged,
        weighter.unrolled,
    )
    update = MetaUpdate(problem, rule, Simulation(theta, [batch], judges), eta)
    found = estimator_named("one-step")(update).gradients

    groups = weighter.groups
    logits = groups.by_group().detach().requires_grad_()
    sizes = torch.bincount(groups.of_example).double()
    weights = torch.sigmoid(logits)
    learned = sizes * weights / (sizes * weights).sum()
    common = sizes * torch.sigmoid(groups.common().detach())
    shares = (learned + common / common.sum()) / 2
    losses = model.losses(batch[0])
    total = sum(shares[g] * losses[groups.of_example[batch[0].examples] == g].mean() for g in range(SERVICES))
    gradients = torch.autograd.grad(total, list(theta.values()), create_graph=True, allow_unused=True)
    moved = {}
    for (name, value), gradient in zip(theta.items(), gradients, strict=True):
        slope = torch.zeros_like(value) if gradient is None else gradient
        if isinstance(rule, Adam):
            slope = slope / ((slope.square() + 1e-12).sqrt() + 1e-8)
        moved[name] = value - rule.lr * slope
    scores = torch.func.functional_call(_Scores(model), {f"model.{k}": v for k, v in moved.items()}, (judges,))
    meta = cross_entropy(scores * best_scale(scores.detach(), judges.targets), judges.targets)
    (by_logit,) = torch.autograd.grad(meta, logits)
    natural = 2 * by_logit / (learned * (1 - weights)).detach()
    tolerance = {"rtol": 1e-9, "atol": 1e-15} if isinstance(rule, Sgd) else {"rtol": 1e-4, "atol": 1e-9}
    torch.testing.assert_close(found["own"], natural, **tolerance)


class _Scores(torch.nn.Module):
    def __init__(self, model: Matching) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Any) -> Tensor:
        return self.model.scores(batch, batch.choices)[0]


def test_the_best_scale_is_where_the_loss_is_least() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = 5 * torch.randn(40, 6, generator=generator, dtype=torch.float64)
    right = torch.where(torch.rand(40, generator=generator) < 0.6, scores.argmax(1), 0)
    best = best_scale(scores, right)
    at = [float(cross_entropy(scores * best * factor, right)) for factor in (0.98, 1.0, 1.02)]
    assert at[1] < at[0]
    assert at[1] < at[2]


def test_a_calibrated_loss_does_not_gain_from_smaller_scores(
    tasks: tuple[Matching, EncodedTask, EncodedTask],
) -> None:
    model, primary, _ = tasks
    batch = primary.batch(primary.answerable())
    scores = model.scores(batch, batch.choices)[0].detach()
    size = torch.ones((), dtype=torch.float64, requires_grad=True)
    scaled = scores * size
    loss = cross_entropy(scaled * best_scale(scaled.detach(), batch.targets), batch.targets)
    (slope,) = torch.autograd.grad(loss, size)
    assert abs(float(slope)) < 1e-5
    plain = torch.autograd.grad(cross_entropy(scores * size, batch.targets), size)[0]
    assert abs(float(plain)) > 1e-3


def test_what_a_service_loses_is_a_running_mean(tasks: tuple[Matching, EncodedTask, EncodedTask]) -> None:
    _, _, related = tasks
    module = drawn(related).groups
    of_first = torch.nonzero(module.of_example == 0).flatten()
    before = module.losses.clone()
    module.observe(of_first[:1], torch.tensor([9.0], dtype=torch.float64))
    assert float(module.losses[0]) > float(before[0])
    assert float(module.losses[1]) == float(before[1])
    for _ in range(400):
        module.observe(of_first, torch.full((len(of_first),), 0.75, dtype=torch.float64))
    assert float(module.losses[0]) == pytest.approx(0.75, abs=0.01)
    assert float(module.explained[0]) == pytest.approx(0.5, abs=0.01)


def test_who_guesses_by_frequency_loses_the_entropy(tasks: tuple[Matching, EncodedTask, EncodedTask]) -> None:
    _, _, related = tasks
    numbers = related.answerable()
    loss = guessing_loss(related.choices, numbers)
    chosen = related.choices.chosen()[numbers].tolist()
    shares = torch.tensor([chosen.count(one) / len(chosen) for one in set(chosen)], dtype=torch.float64)
    few = float(related.choices.lengths[numbers].double().log().mean())
    assert loss == pytest.approx(min(few, -float((shares * shares.log()).sum())), rel=0.05)
