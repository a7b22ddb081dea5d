"""The same seed gives the same bits, with any number of workers; what a seed decides, it decides separately."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from tasksieve.encoding import BatchSampler, derived_generator
from tasksieve.experiments.compare import Plan, compare
from tasksieve.records.config import LARGEST_SEED, RunConfig
from tasksieve.training.loop import streams
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialogs import build_parts, train
from tests.reliability.victims import left
from tests.small import small_config


def test_workers_leave_the_same_bytes_as_one_process(tasks_dir: Path, tmp_path: Path) -> None:
    config = small_config(tasks_dir, "restaurant", training={"iterations": 8})
    rows = []
    for workers in (1, 2):
        seen: set[str] = set()
        plan = Plan(config, str(tasks_dir / "primary"), ("primary", "learned"), (), 1, tmp_path / str(workers))
        compared = compare(plan, workers, lambda name, report, seen=seen: seen.add(name))
        rows.append([(row.method, row.mean, row.seeds[0].valid_accuracy) for row in compared.rows])
        assert seen == {"primary-6-0", "learned-6-0"}
    assert rows[0] == rows[1]
    for name in ("primary-6-0", "learned-6-0"):
        one, two = (left(tmp_path / workers / "runs" / name) for workers in ("1", "2"))
        assert one.keys() == two.keys()
        assert [file for file in one if one[file] != two[file]] == []


def test_a_run_does_not_depend_on_what_the_process_drew_before(tasks_dir: Path, tmp_path: Path) -> None:
    config = small_config(tasks_dir, "restaurant", training={"method": "learned", "iterations": 4})
    for number in (1, 2):
        torch.manual_seed(number)
        random.seed(number)
        train(config, tmp_path / str(number))
        assert torch.initial_seed() == number
    assert left(tmp_path / "1") == left(tmp_path / "2")


def all_streams() -> list[int]:
    plain = [value for name, value in vars(streams).items() if name.endswith("_STREAM")]
    return sorted({*plain, *(stream + 100 for stream in (streams.RELATED_STREAM, streams.META_RELATED_STREAM))})


def test_no_two_streams_draw_alike() -> None:
    numbers = [value for name, value in vars(streams).items() if name.endswith("_STREAM")]
    assert len(numbers) == len(set(numbers))
    seeds = (0, 1, 2, 3, 1000, LARGEST_SEED)
    paths = [*itertools.product(all_streams()), *itertools.product(all_streams(), range(3))]
    draws = {tuple(torch.rand(4, generator=derived_generator(s, *path)).tolist()) for s in seeds for path in paths}
    assert len(draws) == len(seeds) * len(paths)


def parts_of(config: RunConfig) -> Any:
    return build_parts(config, method_named(config.training.method))


Drawn = dict[tuple[int, int], list[int]]


def drawn(config: RunConfig, out: Path, monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """Which examples a training took: by stream and number of the batch."""
    found: Drawn = {}
    batch = BatchSampler.batch

    def recording(self: BatchSampler, number: int) -> torch.Tensor:
        taken = batch(self, number)
        found[self._stream, number] = taken.tolist()
        return taken

    with monkeypatch.context() as patch:
        patch.setattr(BatchSampler, "batch", recording)
        train(config, out)
    return found


def learned(tasks: Path, **sections: dict[str, Any]) -> RunConfig:
    sections["training"] = {"method": "learned", "iterations": 3, "batch_size": 4, **sections.get("training", {})}
    return small_config(tasks, "restaurant", **sections)


CHANGES: list[dict[str, dict[str, Any]]] = [
    {"meta": {"unroll_length": 3}},
    {"model": {"dim": 7}},
    {"weight_module": {"dim": 3}},
    {"training": {"primary_lr": 0.1}},
]


def test_the_order_of_data_depends_on_seed_and_number_alone(
    tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = drawn(learned(tasks_dir), tmp_path / "plain", monkeypatch)
    for number, change in enumerate(CHANGES):
        other = drawn(learned(tasks_dir, **change), tmp_path / str(number), monkeypatch)
        assert {key: other[key] for key in plain.keys() & other.keys()} == {
            key: plain[key] for key in plain.keys() & other.keys()
        }
        assert len(plain.keys() & other.keys()) >= 12
    seeded = drawn(learned(tasks_dir, training={"seed": 1}), tmp_path / "seeded", monkeypatch)
    assert all(seeded[key] != plain[key] for key in plain)
    for stream in (streams.PRIMARY_STREAM, streams.RELATED_STREAM):
        meta = {2: streams.META_PRIMARY_STREAM, 100: streams.META_RELATED_STREAM}[stream]
        assert [plain[stream, number] for number in range(3)] != [plain[meta, number] for number in range(3)]


def test_the_start_of_a_model_does_not_depend_on_the_weight_module_or_the_order(tasks_dir: Path) -> None:
    plain = small_config(tasks_dir, "restaurant", training={"method": "learned"})
    other = small_config(
        tasks_dir, "restaurant", training={"method": "learned", "batch_size": 3}, weight_module={"dim": 3}
    )
    one, two = (parts_of(config).state.model.state_dict() for config in (plain, other))
    assert all(torch.equal(one[name], two[name]) for name in one)
    seeded = parts_of(small_config(tasks_dir, "restaurant", training={"method": "learned", "seed": 1}))
    assert not torch.equal(next(iter(one.values())), next(iter(seeded.state.model.state_dict().values())))
