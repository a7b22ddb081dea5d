"""Table 2 and Table 1 as published: settings, both readings of the hop, seed after seed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasksieve.errors import Unfinished
from tasksieve.experiments.published import as_published
from tasksieve.experiments.published.as_published import (
    METHODS,
    READINGS,
    reproduce_as_published,
    table1_as_published,
)
from tasksieve.experiments.published.mnist import table1_config
from tasksieve.experiments.published.restaurant import Table2Plan, published_data
from tasksieve.experiments.slices import SliceJobs
from tasksieve.experiments.workers import Job, RunJobs, run_jobs
from tasksieve.records.lock import claimed
from tasksieve.records.progress import Watch
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.divergence import Diverged

QUICK = ("training.iterations=4", "training.batch_size=8", "training.pretrain_iterations=2", "meta.updates=1")
ROWS = ("primary", "learned")


@pytest.fixture(scope="module")
def plan(tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Table2Plan:
    folder = tmp_path_factory.mktemp("as-published")
    for ours, theirs in (("train", "trn"), ("valid", "dev"), ("test", "tst")):
        name = f"personalized-dialog-task3-options-{theirs}.txt"
        shutil.copy(tasks_dir / "primary" / f"{ours}.txt", folder / name)
    shutil.copy(tasks_dir / "restaurant" / "train.txt", folder / "dialog-babi-task5-full-dialogs-trn.txt")
    return Table2Plan(published_data(folder), ROWS, (4,), 2, folder / "out", QUICK)


@pytest.fixture(scope="module")
def done(plan: Table2Plan) -> tuple[dict[str, Any], list[list[str]], list[int]]:
    """The record, the names of the runs that were asked for in turn, and how many rows were written after each."""
    order: list[list[str]] = []
    written: list[int] = []

    def run(jobs: list[Job], workers: int, watch: Watch) -> dict[str, Diverged]:
        table = plan.out / "table2.json"
        written.append(len(json.loads(table.read_text())["rows"]) if table.exists() else 0)
        order.append([f"{job.path.parent.parent.name}/{job.name}" for job in jobs if not job.done])
        return run_jobs(jobs, workers, watch)

    runner: RunJobs = run  # type: ignore[assignment]  # a list is a sequence
    return reproduce_as_published(plan, run=runner), order, written


def test_both_readings_have_their_rows_and_their_own_primary(
    plan: Table2Plan, done: tuple[dict[str, Any], list[list[str]], list[int]]
) -> None:
    record = done[0]
    assert json.loads((plan.out / "table2.json").read_text()) == record
    found = [(row["settings"], row["method"], len(row["seeds"])) for row in record["rows"]]
    assert found == [(name, method, 2) for name in READINGS for method in ROWS]
    for name in READINGS:
        primary, learned = (row for row in record["rows"] if row["settings"] == name)
        assert learned["minus_primary"] == pytest.approx(learned["mean"] - primary["mean"])
        assert f"{name}, 4 dialogs: " in record["verdict"]


def test_seeds_come_one_after_another_and_the_record_grows_with_them(
    done: tuple[dict[str, Any], list[list[str]], list[int]],
) -> None:
    _, order, written = done
    assert [names for names in order if names] == [
        [f"{reading}/{method}-4-{seed}" for method in ROWS] for seed in (0, 1) for reading in READINGS
    ]
    assert written == [0, 2, 2, 4, 4, 4, 4, 4]


def test_all_settings_are_the_papers_and_the_readings_differ_in_the_hop_alone(
    plan: Table2Plan, done: tuple[dict[str, Any], list[list[str]], list[int]]
) -> None:
    configs = [RunFolder(plan.out / name / "runs" / "learned-4-0").read_config() for name in READINGS]
    for config in configs:
        model: Any = config.model
        module: Any = config.weight_module
        assert (model.dim, module.dim, model.entities, model.facts) == (20, 20, "names", "all")
        assert (config.meta.unroll_length, config.meta.weight_lr, config.meta.warm_up) == (5, 1e-3, 0)
        assert (config.training.primary_lr, config.training.related_lr, config.screening.trials) == (1e-3, 1e-3, 0)
    hops = [(config.model.transform, config.weight_module.transform) for config in configs]  # type: ignore[attr-defined]
    assert hops == [("attended", "attended"), ("state", "state")]
    assert configs[0].training == configs[1].training
    assert configs[0].meta == configs[1].meta


def test_a_slice_goes_on_with_what_others_are_not_at(
    plan: Table2Plan, done: tuple[dict[str, Any], list[list[str]], list[int]], tmp_path: Path
) -> None:
    mine = replace(plan, out=tmp_path)
    held = tmp_path / "hop-adds" / "runs" / "learned-4-0"
    with claimed(held), pytest.raises(Unfinished):
        reproduce_as_published(mine, run=SliceJobs(1, 2))
    finished = {f"{file.parts[-4]}/{file.parts[-2]}" for file in tmp_path.glob("*/runs/*/test.json")}
    assert finished == {name for names in done[1] for name in names} - {"hop-adds/learned-4-0"}
    record = reproduce_as_published(mine, run=SliceJobs(2, 2))
    assert [row["mean"] for row in record["rows"]] == [row["mean"] for row in done[0]["rows"]]


def test_ten_meta_updates_are_asked_for_where_nobody_says_otherwise() -> None:
    assert as_published.TABLE2["meta.updates"] == 10
    assert len(METHODS) == 7


def test_digits_as_published_see_the_images_as_they_are_and_learn_at_one_rate() -> None:
    config = table1_config(None, "next", 0.75, table1_as_published())
    assert not config.weight_module.centred
    assert (config.meta.weight_lr, config.meta.weight_lr_schedule) == (1e-3, "constant")
    assert (config.meta.inner_optimizer, config.meta.inner_lr, config.training.related_lr) == ("adam", 1e-3, 1e-3)
