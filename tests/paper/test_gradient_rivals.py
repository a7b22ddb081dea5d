"""LESS and RHO-loss against their definitions: Adam's own steps, and losses compared one by one."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tasksieve.records.config import RunConfig, changed
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.state import read_tensors
from tasksieve.training.methods import Start
from tasksieve.training.methods import less as less_file
from tasksieve.training.methods.less import Agreement, Less, adam_direction, instances_of, marks
from tasksieve.training.methods.rho_loss import Reducible, RhoLoss
from tasksieve.training.rivals.short_training import losses_of, model_of_primary
from tasksieve.training.runs.dialogs import train
from tests.paper.starts import start_of
from tests.paper.test_selections import nothing
from tests.small import small_config
from tests.unit.test_models import network, task


@pytest.fixture(scope="module")
def start(tasks_dir: Path) -> Start:
    return start_of(small_config(tasks_dir, "restaurant", "hotel"))


def trained(steps: int) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """A network after some steps of Adam on the primary task; one head's embedding was never moved."""
    model = network(shared_candidates=False)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(steps):
        batch = task().batch(torch.arange(6) + step)
        model.backward([batch], torch.full((6,), 1 / 6, dtype=torch.float64))
        optimizer.step()
    return model, optimizer


def stepped(model: torch.nn.Module, optimizer: torch.optim.Optimizer, gradients: list[Tensor]) -> Tensor:
    """How far a real Adam goes by these gradients alone, for a step size of 1."""
    other = copy.deepcopy(model)
    for value, gradient in zip(other.parameters(), gradients, strict=True):
        value.grad = gradient
    again = torch.optim.Adam(other.parameters(), lr=0.01)
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    again.step()
    pairs = zip(model.parameters(), other.parameters(), strict=True)
    return torch.cat([(before - after).detach().flatten() / 0.01 for before, after in pairs])


def gradients(model: torch.nn.Module, batch: object) -> list[Tensor]:
    loss = model(batch).mean()
    return list(torch.autograd.grad(loss, list(model.parameters()), materialize_grads=True, allow_unused=True))


@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("turns", [1, 4])
def test_less_compares_the_primary_gradient_with_the_step_that_adam_would_take(steps: int, turns: int) -> None:
    """By instances of one turn each, and of several that do not stand together."""
    model, optimizer = trained(steps)
    primary, related = task(), task("related-1")
    along = torch.cat([g.flatten() for g in gradients(model, primary.batch(torch.arange(len(primary))))])
    instances = torch.arange(len(related)) % (len(related) // turns)
    expected = torch.zeros(len(related))
    for instance in instances.unique():
        numbers = torch.nonzero(instances == instance).flatten()
        step = stepped(model, optimizer, gradients(model, related.batch(numbers)))
        expected[numbers] = torch.cosine_similarity(step, along, dim=0).float()
    found = Agreement(model, optimizer).of(primary, (related, related), (instances, instances))  # type: ignore[arg-type]
    torch.testing.assert_close(found, expected.repeat(2), rtol=1e-4, atol=1e-5)
    assert float(found.min()) < float(found.max())


@pytest.mark.parametrize("pooled", [False, True])
def test_an_instance_is_a_dialog_unless_it_is_to_be_a_turn(start: Start, tasks_dir: Path, pooled: bool) -> None:
    config = changed(start.config, {"training.related_batch_size": 8 if pooled else None})
    begun = start_of(config)
    found = instances_of(begun)
    assert [len(one) for one in found] == [len(task) for task in begun.tasks.related]
    numbers = torch.cat([one + 1000 * place for place, one in enumerate(found)]).tolist()
    rows = begun.examples.select("task", "dialog").rows()
    assert len(set(zip(numbers, rows, strict=True))) == len(set(numbers)) == len(set(rows)) == 16
    each = instances_of(replace(begun, config=changed(config, {"rivals.instance": "turn"})))
    assert all(torch.equal(one, torch.arange(len(one))) for one in each)


def test_a_direction_leaves_the_optimiser_as_it_was() -> None:
    model, optimizer = trained(2)
    before = copy.deepcopy(optimizer.state_dict()["state"])
    direction = adam_direction(list(model.parameters()), optimizer)
    direction(torch.ones(sum(value.numel() for value in model.parameters()), dtype=torch.float64))
    for number, moments in optimizer.state_dict()["state"].items():
        assert all(torch.equal(value, before[number][name]) for name, value in moments.items())


def test_less_adds_what_it_finds_on_the_way_times_the_step_size(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten iterations whose step size falls, looked at after the third, the seventh and the last."""
    looked: list[Tensor] = []

    class Looked(Agreement):
        def of(self, *tasks: object) -> Tensor:
            looked.append(torch.rand(sum(map(len, start.tasks.related))))
            return looked[-1]

    monkeypatch.setattr(less_file, "Agreement", Looked)
    settings = {"rivals.iterations": 10, "rivals.checkpoints": 3, "training.lr_schedule": "linear"}
    config = changed(start.config, {**settings, "training.related_lr": 0.5})
    found = Less().scores(replace(start, config=config), nothing)
    assert sorted(marks(10, 3)) == [3, 7, 10]
    rates = [0.5 * (1 - step / 10) for step in range(10)]
    means = [sum(part) / len(part) for part in (rates[:3], rates[3:7], rates[7:])]
    expected = sum(mean * part for mean, part in zip(means, looked, strict=True))
    torch.testing.assert_close(found, expected)


def test_the_model_of_the_primary_task_is_what_a_primary_run_ends_with(tasks_dir: Path, tmp_path: Path) -> None:
    config = small_config(tasks_dir, "restaurant", training={"method": "primary", "iterations": 6})
    train(config, tmp_path / "run")
    tensors, _ = read_tensors(RunFolder(tmp_path / "run").last_checkpoint, "state")
    model = model_of_primary(start_of(config), nothing)
    for name, value in model.state_dict().items():
        assert torch.equal(value, tensors[f"model.{name}"])


def reducible(start: Start, share: float) -> Reducible:
    weighter = Reducible(start.model, start.tasks.related, share)
    draw = torch.Generator().manual_seed(3)
    weighter.irreducible = [torch.rand(len(one), generator=draw) * 4 for one in start.tasks.related]
    return weighter


@pytest.mark.parametrize("share", [0.5, 0.3, 0.001])
def test_rho_loss_keeps_those_with_the_most_loss_above_the_irreducible_one(start: Start, share: float) -> None:
    weighter, batch = reducible(start, share), []
    for place, related in enumerate(start.tasks.related):
        numbers = torch.randperm(len(related), generator=torch.Generator().manual_seed(place))[: 12 + place]
        losses = losses_of(start.model, related) - weighter.irreducible[place]
        order = sorted(numbers.tolist(), key=lambda number: -float(losses[number]))
        kept = weighter.needed(place, numbers)
        assert set(kept.tolist()) == set(order[: max(1, round(share * len(numbers)))])
        batch.append(related.batch(kept))
    weights = weighter.weights(tuple(batch), 0)
    sizes = [len(part) for part in batch]
    drawn = [float(part.sum()) for part in torch.split(weights, sizes)]
    assert drawn == pytest.approx([12, 13])
    assert all(len(set(part.tolist())) == 1 for part in torch.split(weights, sizes))


def test_what_rho_loss_records_is_what_it_would_keep_of_all(start: Start) -> None:
    weighter = reducible(start, 0.5)
    for place, weights in enumerate(weighter.snapshot(start.tasks.related, 0)):
        numbers = torch.arange(len(weights))
        assert torch.equal(torch.nonzero(weights).flatten(), weighter.needed(place, numbers).sort().values)
    some = [torch.arange(3, 9), torch.arange(4)]
    found = weighter.snapshot(start.tasks.related, 0, some)
    assert [int(part.sum()) for part in found] == [3, 2]


def test_irreducible_losses_are_those_of_a_model_that_has_seen_the_primary_task_alone(
    start: Start, tmp_path: Path
) -> None:
    weighing = RhoLoss().weighing(start)
    assert weighing.prepare is not None
    weighing.prepare.work(RunFolder(tmp_path), nothing)
    model = model_of_primary(start, nothing)  # no layer of it draws
    assert isinstance(weighing.weighter, Reducible)
    for related, losses in zip(start.tasks.related, weighing.weighter.irreducible, strict=True):
        with torch.no_grad():
            expected = model.losses(related.batch(torch.arange(len(related))))
        torch.testing.assert_close(losses, expected, rtol=1e-5, atol=1e-6)


def interrupted(config: RunConfig, folder: Path, at: int) -> None:
    """Stop a run when it says that so many iterations are done, those of a preparation among them."""

    class Stop(Exception):
        pass

    def watch(progress: object) -> None:
        if progress.step >= at and not progress.ended:  # type: ignore[attr-defined]
            raise Stop

    with pytest.raises(Stop):
        train(config, folder, watch)


@pytest.mark.parametrize("method", ["less", "rho-loss", "maml", "adapt", "discriminator"])
@pytest.mark.parametrize("every", [5, 30])
def test_a_run_that_goes_on_ends_as_one_that_was_not_stopped(
    tasks_dir: Path, tmp_path: Path, method: str, every: int
) -> None:
    """Stopped after the preparation, with a checkpoint (every 5) and without one (every 30)."""
    training = {"method": method, "iterations": 12, "evaluate_every": every}
    config = small_config(tasks_dir, "restaurant", training=training)
    train(config, tmp_path / "whole")
    before = {"less": 6 + 200, "rho-loss": 6, "maml": 6}.get(method, 0)
    interrupted(config, tmp_path / "parts", before + 10)
    whole, parts = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parts")
    assert parts.last_checkpoint.exists() == (every == 5)
    kept = None if method == "adapt" else parts.prepared.read_bytes()
    train(config, tmp_path / "parts")
    assert parts.last_checkpoint.read_bytes() == whole.last_checkpoint.read_bytes()
    if kept is not None:
        assert parts.prepared.read_bytes() == kept == whole.prepared.read_bytes()
