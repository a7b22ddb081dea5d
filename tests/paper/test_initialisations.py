"""MAML and Reptile against their definitions, by plain automatic differentiation and plain loops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.func import functional_call

from tasksieve.encoding import derived_generator
from tasksieve.records.config import changed
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.state import read_tensors
from tasksieve.training.loop.streams import META_TASKS_STREAM
from tasksieve.training.methods import Start
from tasksieve.training.methods.maml import Maml, outer_gradient
from tasksieve.training.methods.reptile import Reptile
from tasksieve.training.rivals.initialisation import related_tasks
from tasksieve.training.runs.dialogs import train
from tests.paper.starts import start_of
from tests.paper.test_selections import nothing
from tests.small import small_config
from tests.unit.test_models import network, task

Params = dict[str, Tensor]


@pytest.fixture(params=["apart", "pooled"])
def start(request: pytest.FixtureRequest, tasks_dir: Path) -> Start:
    config = small_config(tasks_dir, "restaurant", "hotel")
    return start_of(changed(config, {"training.related_batch_size": 8 if request.param == "pooled" else None}))


def naive(model: torch.nn.Module, batches: tuple[object, object], rate: float, steps: int, first: bool) -> Params:
    """Through the graph of all steps; in first order gradients of the steps are constants."""
    begun = {name: value.detach().requires_grad_() for name, value in model.named_parameters()}
    params = begun
    for _ in range(steps):
        loss = functional_call(model, params, (batches[0],)).mean()
        found = torch.autograd.grad(
            loss, list(params.values()), create_graph=not first, allow_unused=True, retain_graph=True
        )
        moved = zip(params.items(), found, strict=True)
        params = {name: value if g is None else value - rate * g for (name, value), g in moved}
    loss = functional_call(model, params, (batches[1],)).mean()
    found = torch.autograd.grad(loss, list(begun.values()), allow_unused=True)
    return {name: g for name, g in zip(begun, found, strict=True) if g is not None}


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("first", [True, False], ids=["first order", "exact"])
def test_an_outer_gradient_is_that_through_the_inner_steps(steps: int, first: bool) -> None:
    model, related = network(shared_candidates=False), task("related-1")
    batches = related.batch(torch.arange(6)), related.batch(torch.arange(6, 11))
    rates = dict.fromkeys(dict(model.named_parameters()), 0.3)
    found = outer_gradient(model, *batches, rates, steps, first_order=first)
    expected = naive(model, batches, 0.3, steps, first)
    assert found.keys() <= expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found.get(name, torch.zeros_like(value)), value, rtol=1e-8, atol=1e-11)
    other = naive(model, batches, 0.3, steps, not first)
    assert not all(torch.allclose(other[name], value, rtol=1e-4) for name, value in expected.items())


@pytest.mark.parametrize("first", [True, False], ids=["first order", "exact"])
def test_maml_takes_adam_steps_along_the_mean_over_tasks(start: Start, first: bool) -> None:
    settings = {"rivals.iterations": 3, "rivals.first_order": first, "meta.inner_lr": 0.3}
    begun = replace(start, config=changed(start.config, settings), model=start.fresh_model().double())
    Maml().learn(begun, nothing)
    model = start.fresh_model().double()
    optimizer = torch.optim.Adam(model.parameters(), lr=begun.config.training.primary_lr)
    tasks = related_tasks(begun, 16)
    assert len(tasks) == 2
    for step in range(3):
        parts = [naive(model, one.halves(step), 0.3, 2, first) for one in tasks]
        for name, value in model.named_parameters():
            found = [part[name] for part in parts if name in part]
            value.grad = sum(found) / 2 if found else None  # type: ignore[assignment]
        optimizer.step()
    for one, other in zip(begun.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-8)


def test_reptile_goes_part_of_the_way_to_where_a_task_leads(start: Start) -> None:
    begun = replace(start, config=changed(start.config, {"rivals.iterations": 4}), model=start.fresh_model().double())
    Reptile().learn(begun, nothing)
    model = start.fresh_model().double()
    optimizer = torch.optim.Adam(model.parameters(), lr=begun.config.training.related_lr, betas=(0.0, 0.999))
    tasks, seen = related_tasks(begun, 8), set()
    for step in range(4):
        drawn = derived_generator(begun.config.training.seed, META_TASKS_STREAM, step)
        place = int(torch.randint(2, (1,), generator=drawn))
        seen.add(place)
        before = [value.detach().clone() for value in model.parameters()]
        for k in range(2):
            optimizer.zero_grad()
            model(tasks[place].batch(2 * step + k)).mean().backward()
            optimizer.step()
        with torch.no_grad():
            for value, old in zip(model.parameters(), before, strict=True):
                value.copy_(old + (1 - step / 4) * (value - old))
    assert seen == {0, 1}
    for one, other in zip(begun.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-8)


def test_tasks_are_services_and_halves_have_no_example_in_common(start: Start) -> None:
    tasks = related_tasks(start, 16)
    services = torch.tensor(start.examples["task"].to_list())
    sizes = [len(one) for one in start.tasks.related]
    first = 0
    for number, one in enumerate(tasks):
        numbers = one.sampler.batch(0)
        if len(sizes) == 2:
            assert one.examples is start.tasks.related[number]
            first = sum(sizes[:number])
        assert set(services[numbers + first].tolist()) == {number}
        for step in range(20):
            support, query = one.halves(step)
            assert len(support) == len(query) == 8
            assert not set(support.examples.tolist()) & set(query.examples.tolist())


def test_the_primary_task_is_learned_from_where_the_initialisation_ends(tasks_dir: Path, tmp_path: Path) -> None:
    training = {"method": "maml", "iterations": 4, "primary_lr": 1e-9}
    config = small_config(tasks_dir, "restaurant", "hotel", training=training)
    train(config, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    begun, _ = read_tensors(folder.prepared, "prepared")
    ended, _ = read_tensors(folder.last_checkpoint, "state")
    for name, value in begun.items():
        torch.testing.assert_close(ended[f"model.{name}"], value, atol=1e-6, rtol=0)
    assert [line["related_loss"] for line in folder.read_metrics()] == [None]
