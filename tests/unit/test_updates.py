"""What an update of a run does with its settings: step sizes, decay, and how many related examples are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tasksieve.models.model import Trained
from tasksieve.records.config import RunConfig
from tasksieve.training.loop.meta_updates import GATHERED
from tasksieve.training.loop.optimizers import adagrad_of, adam_of, adam_step, set_lr
from tasksieve.training.loop.samplers import RelatedSampler
from tasksieve.training.loop.streams import RELATED_STREAM
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.methods import method_named
from tasksieve.training.methods.learned import MetaLearned
from tasksieve.training.runs.dialogs import build_parts, method_of
from tests.gradients.matching_cases import acting_world
from tests.small import small_config

ALPHA, BETA = 4e-3, 1e-3


class Line(Trained):
    """A linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.line = torch.nn.Linear(4, 3)


def trainer_of(config: RunConfig) -> tuple[Trainer, Any]:
    method = method_of(config)
    parts = build_parts(config, method)
    return Trainer(config, method, parts.tasks, parts.state, parts.weighter), parts


def configured(tasks_dir: Path, method: str, **training: object) -> RunConfig:
    steps = {"primary_lr": ALPHA, "related_lr": BETA, "iterations": 10, "optimizer_state": "separate"}
    return small_config(tasks_dir, "restaurant", training={"method": method, **steps, **training})


def sizes(config: RunConfig, steps: list[int]) -> dict[str, list[float]]:
    """The step sizes of both updates at some iterations."""
    trainer, parts = trainer_of(config)
    found: dict[str, list[float]] = {"primary": [], "related": []}
    for step in steps:
        trainer.iterate(step)
        for name, values in found.items():
            values.append(parts.state.optimizers[name].param_groups[0]["lr"])
    return found


def test_step_sizes_stay_unless_they_are_to_fall(tasks_dir: Path) -> None:
    steps = [0, 1, 5, 9]
    assert sizes(configured(tasks_dir, "multitask"), steps) == {"primary": [ALPHA] * 4, "related": [BETA] * 4}
    falling = sizes(configured(tasks_dir, "multitask", lr_schedule="linear"), steps)
    shares = [1.0, 0.9, 0.5, 0.1]
    assert falling["primary"] == pytest.approx([ALPHA * share for share in shares])
    assert falling["related"] == pytest.approx([BETA * share for share in shares])


def test_step_sizes_fall_over_pre_training_and_what_follows(tasks_dir: Path) -> None:
    config = configured(tasks_dir, "pretrain", lr_schedule="linear", pretrain_iterations=10)
    assert method_named("pretrain").pretrain
    found = sizes(config, [5, 10, 15])
    assert found["related"][0] == pytest.approx(BETA * 0.75)
    assert found["primary"][1:] == pytest.approx([ALPHA * 0.5, ALPHA * 0.25])


def test_after_its_iterations_a_schedule_is_at_nothing(tasks_dir: Path) -> None:
    assert sizes(configured(tasks_dir, "multitask", lr_schedule="linear"), [10, 13])["primary"] == [0.0, 0.0]


def test_decay_is_that_of_adamw_times_the_step_size(tasks_dir: Path) -> None:
    """Against a step without it: each parameter is shrunk before it is moved alike."""
    before, after = {}, {}
    for decay in (0.0, 0.25):
        trainer, parts = trainer_of(configured(tasks_dir, "primary", decay=decay))
        before[decay] = {name: value.detach().clone() for name, value in parts.state.model.named_parameters()}
        trainer.iterate(0)
        after[decay] = {name: value.detach().clone() for name, value in parts.state.model.named_parameters()}
    for name, start in before[0.0].items():
        assert torch.equal(start, before[0.25][name])
        moved = after[0.0][name] - start
        assert bool(moved.any())
        torch.testing.assert_close(after[0.25][name], start * (1 - ALPHA * 0.25) + moved, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_quick_steps_are_those_of_torch(decay: float) -> None:
    """From the second on they are done without what surrounds them."""
    torch.manual_seed(0)
    models = [Line(), Line()]
    models[1].load_state_dict(models[0].state_dict())
    ours = adam_of(models[0], 1e-2, decay)
    theirs = torch.optim.AdamW(models[1].parameters(), lr=1e-2, weight_decay=decay)
    for step in range(5):
        x = torch.randn(6, 4, generator=torch.Generator().manual_seed(step))
        for model in models:
            model.zero_grad()
            model.line(x).square().sum().backward()
        adam_step(ours)
        theirs.step()
    for first, second in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(first, second)


def test_so_many_related_examples_are_drawn_as_is_set(tasks_dir: Path) -> None:
    """Of each task as many as of the primary one, or so many of all tasks together."""
    world = acting_world()
    training = small_config(tasks_dir, "restaurant", training={"batch_size": 3}).training
    apart = [world.task("related-1"), world.task("related-2")]
    sampler = RelatedSampler(training, apart, RELATED_STREAM)
    assert sampler.size == 6
    assert [len(batch) for batch in sampler.batch(0)] == [3, 3]
    pooled = world.pooled()
    settled = training.model_copy(update={"related_batch_size": 7})
    together = RelatedSampler(settled, [pooled], RELATED_STREAM)
    assert together.size == 7
    epoch = len(pooled) // 7
    drawn = torch.cat([together.batch(number)[0].examples for number in range(epoch)])
    assert len(set(drawn.tolist())) == 7 * epoch, "an epoch has each example once at most"
    assert {pooled.examples[number].task for number in drawn.tolist()} == {0, 1}
    again = RelatedSampler(settled, [pooled], RELATED_STREAM)
    assert torch.equal(again.batch(epoch + 1)[0].examples, together.batch(epoch + 1)[0].examples)


@pytest.mark.parametrize("skipped", [False, True])
def test_adagrads_decay_is_decoupled_and_a_skipped_step_changes_nothing(skipped: bool) -> None:
    line = Line()
    before = {name: value.detach().clone() for name, value in line.named_parameters()}
    optimizer = adagrad_of(line, 0.1, 0.5)
    set_lr(optimizer, 0.2)
    for value in line.parameters():
        value.grad = torch.zeros_like(value)
    adam_step(optimizer, torch.tensor(True) if skipped else None)
    share = 1.0 if skipped else 1 - 0.2 * 0.5
    for name, value in line.named_parameters():
        torch.testing.assert_close(value.detach(), before[name] * share)
        assert not optimizer.state[value]["sum"].any()


def test_gamma_is_held_back_only_while_the_module_is_not_asked_and_adagrad_gathers(tasks_dir: Path) -> None:
    """After a screening nothing is warmed up; and the schedule begins after a pre-training."""
    meta = {"weight_optimizer": "adagrad", "warm_up": 300, "weight_lr": 0.5, "updates": 1, "unroll_length": 1}
    config = small_config(tasks_dir, "restaurant", meta=meta, screening={"trials": 8, "iterations": 1})
    trainer, parts = trainer_of(config)
    rates = {}
    for step in (0, GATHERED - 1, GATHERED, GATHERED + 1):
        trainer.iterate(step)
        rates[step] = parts.state.optimizers["weights"].param_groups[0]["lr"]
    assert rates == {0: 0.0, GATHERED - 1: 0.0, GATHERED: 0.5, GATHERED + 1: 0.5}


def test_gamma_falls_over_the_iterations_after_a_pre_training(tasks_dir: Path) -> None:
    class Both(MetaLearned):
        """Learn from related data first, then weigh them."""

        pretrain = ("related",)

    schedule = {"weight_lr_schedule": "cosine", "weight_lr": 0.5, "warm_up": 0, "unroll_length": 1}
    config = small_config(tasks_dir, "restaurant", meta=schedule, training={"pretrain_iterations": 4})
    parts = build_parts(config, Both())
    trainer = Trainer(config, Both(), parts.tasks, parts.state, parts.weighter)
    rates = []
    for step in (4, 4 + config.training.iterations // 2):
        trainer.iterate(step)
        rates.append(parts.state.optimizers["weights"].param_groups[0]["lr"])
    assert rates == pytest.approx([0.5, 0.25])


def test_normalised_weights_of_a_batch_that_are_all_0_stay_0(tasks_dir: Path) -> None:
    """As divided by their mean they were no numbers."""
    config = small_config(tasks_dir, "restaurant", meta={"normalize_weights": True})
    trainer, parts = trainer_of(config)
    module = parts.weighter.module
    with torch.no_grad():
        module.bias.fill_(-200.0)
    batch = tuple(task.batch(torch.arange(4)) for task in parts.tasks.related)
    assert parts.weighter.weights(batch, 0).tolist() == [0.0] * 4
    (weights,) = parts.weighter.unrolled(dict(module.named_parameters()), [batch])
    (slope,) = torch.autograd.grad(weights @ torch.arange(4.0), module.bias)
    assert float(slope) == 0.0
    trainer.iterate(0)
    with torch.no_grad():
        module.bias.fill_(1.0)
    assert float(parts.weighter.weights(batch, 0).mean()) == pytest.approx(1)
