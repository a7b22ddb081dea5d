"""Groups of related examples that get a part each: attention over clusters, and ADAPT's mixture of services."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from tasksieve.records.config import changed
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.methods import Start
from tasksieve.training.methods.adapt import Adapt
from tasksieve.training.methods.cluster_attention import ClusterAttention, clusters_of
from tasksieve.training.rivals.proportions import ByProportion, Proportions
from tasksieve.training.rivals.services import services_of
from tasksieve.training.runs.dialogs import train
from tests.paper.starts import start_of
from tests.small import small_config


@pytest.fixture(scope="module", params=["apart", "pooled"])
def start(request: pytest.FixtureRequest, tasks_dir: Path) -> Start:
    config = small_config(tasks_dir, "restaurant", "hotel")
    return start_of(changed(config, {"training.related_batch_size": 8 if request.param == "pooled" else None}))


def weighter_of(start: Start, kind: type[Adapt] | type[ClusterAttention]) -> tuple[ByProportion, Proportions]:
    weighing = kind().weighing(start)
    assert isinstance(weighing.weighter, ByProportion)
    assert isinstance(weighing.module, Proportions)
    return weighing.weighter, weighing.module


@pytest.mark.parametrize("kind", [Adapt, ClusterAttention])
def test_at_first_all_weights_are_1(start: Start, kind: type[Adapt] | type[ClusterAttention]) -> None:
    weighter, module = weighter_of(start, kind)
    batch = tuple(task.batch(torch.arange(len(task))) for task in start.tasks.related)
    torch.testing.assert_close(weighter.weights(batch, 0), torch.ones(sum(map(len, batch))), rtol=1e-4, atol=1e-5)
    assert float(module.shares.sum()) == pytest.approx(1)


@pytest.mark.parametrize(("kind", "floor"), [(Adapt, 0.2), (ClusterAttention, 0.0)])
def test_weights_are_a_softmax_over_groups_by_the_part_that_a_group_has(
    start: Start, kind: type[Adapt] | type[ClusterAttention], floor: float
) -> None:
    begun = replace(start, config=changed(start.config, {"rivals.floor": 0.2, "rivals.clusters": 3}))
    weighter, module = weighter_of(begun, kind)
    groups = services_of(begun) if kind is Adapt else module.groups
    counts = torch.bincount(groups).double()
    if kind is Adapt and len(start.tasks.related) == 2:
        counts = torch.ones(2).double()  # a batch of each
    elif len(start.tasks.related) == 2:
        first = len(start.tasks.related[0])
        parts = [torch.bincount(part, minlength=3).double() for part in (groups[:first], groups[first:])]
        counts = parts[0] / parts[0].sum() + parts[1] / parts[1].sum()
    shares = counts / counts.sum()
    torch.testing.assert_close(module.shares.double(), shares, rtol=1e-5, atol=1e-6)
    learned = torch.linspace(-1, 1, len(shares)).double().requires_grad_()
    proportions = floor * shares + (1 - floor) * learned.exp() / learned.exp().sum()
    batch = tuple(task.batch(torch.tensor([5, 2, 9])) for task in start.tasks.related)
    sizes = [len(task) for task in start.tasks.related]
    numbers = torch.cat([torch.tensor([5, 2, 9]) + sum(sizes[:place]) for place in range(len(sizes))])
    expected = (proportions / shares)[groups[numbers]]
    given = learned.detach().clone().requires_grad_()
    one, two = weighter.unrolled({"of_group": given}, [batch, batch])
    torch.testing.assert_close(one, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(two, expected, rtol=1e-5, atol=1e-6)
    factors = torch.arange(len(one)).double()
    (found,) = torch.autograd.grad(one @ factors, given)
    (wanted,) = torch.autograd.grad(expected @ factors, learned)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)
    with torch.no_grad():
        module.of_group.copy_(learned)
    torch.testing.assert_close(weighter.weights(batch, 0).double(), expected.detach(), rtol=1e-5, atol=1e-6)
    snapshot = torch.cat(weighter.snapshot(start.tasks.related, 0))
    torch.testing.assert_close(snapshot.double(), proportions.detach()[groups], rtol=1e-5, atol=1e-6)


def test_a_warm_up_and_a_single_service_leave_all_weights_1(start: Start, tasks_dir: Path) -> None:
    weighter, module = weighter_of(
        replace(start, config=changed(start.config, {"meta.warm_up": 5})), ClusterAttention
    )
    with torch.no_grad():
        module.of_group[0] += 1
    batch = tuple(task.batch(torch.arange(len(task))) for task in start.tasks.related)
    assert bool((weighter.weights(batch, 4) == 1).all())
    assert not bool((weighter.weights(batch, 5) == 1).all())
    alone = start_of(small_config(tasks_dir, "hotel"))
    weighter, module = weighter_of(alone, Adapt)
    with torch.no_grad():
        module.of_group += 3
    batch = (alone.tasks.related[0].batch(torch.arange(7)),)
    torch.testing.assert_close(weighter.weights(batch, 5), torch.ones(7), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", [Adapt, ClusterAttention])
def test_tasks_that_share_a_head_have_the_weights_that_they_have_with_heads_of_their_own(
    tasks_dir: Path, kind: type[Adapt] | type[ClusterAttention]
) -> None:
    config = changed(small_config(tasks_dir, "restaurant", "hotel"), {"rivals.clusters": 3})
    found = []
    for heads in ("own", "shared"):
        start = start_of(changed(config, {"training.heads": heads}))
        assert len(start.tasks.related) == 2
        weighter, module = weighter_of(start, kind)
        with torch.no_grad():
            module.of_group.copy_(torch.arange(len(module.shares)))
        batch = tuple(task.batch(torch.arange(len(task))) for task in start.tasks.related)
        unrolled = torch.cat(weighter.unrolled(dict(module.named_parameters()), [batch, batch]))
        few = weighter.snapshot(start.tasks.related, 0, [torch.tensor([3, 1]), torch.tensor([2])])
        found.append([weighter.weights(batch, 0), unrolled.detach(), torch.cat(few)])
    for one, other in zip(*found, strict=True):
        assert len(one.unique()) > 1
        torch.testing.assert_close(one, other)


def test_clusters_are_those_that_were_planted() -> None:
    draw = np.random.default_rng(0)
    planted = draw.permutation(np.repeat(np.arange(5), 12))
    rows = np.eye(5)[planted] + 0.05 * draw.normal(size=(60, 5))
    found = clusters_of(csr_matrix(rows), 5, seed=1).numpy()
    assert len({(int(a), int(b)) for a, b in zip(planted, found, strict=True)}) == 5
    few = clusters_of(csr_matrix(np.eye(3)[[0, 1, 2, 0]]), 16, seed=0)
    assert sorted(set(few.tolist())) == list(range(int(few.max()) + 1))


@pytest.mark.parametrize("method", ["adapt", "cluster-attention"])
def test_proportions_are_learned_and_are_one_a_group(tasks_dir: Path, tmp_path: Path, method: str) -> None:
    training = {"method": method, "iterations": 6}
    config = small_config(tasks_dir, "restaurant", "hotel", training=training, meta={"weight_lr": 0.1})
    train(config, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    first, last = (folder.read_weights(step)["weight"] for step in (0, folder.weight_steps()[-1]))
    assert not first.equals(last)
    assert 1 < last.n_unique() <= (2 if method == "adapt" else 4)
