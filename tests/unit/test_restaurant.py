"""Table 2: its runs, its record, its figures, and runs on Ray."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import statistics
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tasksieve.errors import UserError
from tasksieve.experiments.published import restaurant
from tasksieve.experiments.published.restaurant import (
    METHODS,
    Table2Plan,
    embedded_data,
    methods_named,
    published_data,
    reproduce_table2,
)
from tasksieve.experiments.ray_workers import RayJobs
from tasksieve.experiments.workers import Job, Watch
from tasksieve.records.progress import RunProgress, Watcher
from tasksieve.records.run_folder import RunFolder
from tasksieve.report.table2 import table2_table, write_table2_figures
from tasksieve.training.loop.divergence import Diverged
from tasksieve.training.methods import rivals

QUICK = (
    "training.iterations=6",
    "training.batch_size=8",
    "training.evaluate_every=3",
    "training.snapshot_every=3",
    "training.pretrain_iterations=2",
    "model.dim=6",
    "weight_module.dim=4",
    "screening.trials=8",
    "screening.iterations=3",
    "screening.groups=4",
    "screening.distill_iterations=5",
)


ROWS = ("primary", "multitask", "learned", "oracle")
"""Those that differ in what is done with them; tests/paper trains with every method."""


@pytest.fixture(scope="module")
def published(tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files named and laid out as they were published."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "personalized" / "small").mkdir(parents=True)
    (folder / "babi").mkdir()
    for ours, theirs in (("train", "trn"), ("valid", "dev"), ("test", "tst")):
        name = f"personalized-dialog-task3-options-{theirs}.txt"
        shutil.copy(tasks_dir / "primary" / f"{ours}.txt", folder / "personalized" / "small" / name)
    shutil.copy(tasks_dir / "restaurant" / "train.txt", folder / "babi" / "dialog-babi-task5-full-dialogs-trn.txt")
    return folder


@pytest.fixture(scope="module")
def plan(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Table2Plan:
    out = tmp_path_factory.mktemp("table2")
    return Table2Plan(published_data(published), ROWS, (4, 6), 2, out, QUICK, paper_seeds=1)


@pytest.fixture(scope="module")
def table(plan: Table2Plan) -> dict[str, Any]:
    return reproduce_table2(plan)


def test_every_row_is_there_with_what_it_stands_for(plan: Table2Plan, table: dict[str, Any]) -> None:
    assert json.loads((plan.out / "table2.json").read_text()) == table
    found = [(row["method"], row["size"], row["settings"], len(row["seeds"])) for row in table["rows"]]
    assert found == [
        *((method, size, "", 2) for size in (4, 6) for method in ROWS),
        *(("learned", size, "as-in-the-paper", 1) for size in (4, 6)),
    ]
    for row in table["rows"]:
        first = next(r for r in table["rows"] if (r["method"], r["size"]) == ("primary", row["size"]))
        base = {seed["seed"]: seed["test_accuracy"] for seed in first["seeds"]}
        differences = [seed["test_accuracy"] - base[seed["seed"]] for seed in row["seeds"]]
        assert row["minus_primary"] == pytest.approx(statistics.fmean(differences))
        right = sum(kind["turns"] * kind["accuracy"] for kind in row["by_kind"].values())
        assert right / sum(kind["turns"] for kind in row["by_kind"].values()) == pytest.approx(row["mean"])
    assert table["coverage"].keys() == {"candidate_ceiling_4", "candidate_ceiling_6"}
    assert len(table["settings"]["data"]) == 3
    assert not table["failed"]


def test_the_papers_numbers_stand_beside_ours_where_it_has_them(plan: Table2Plan, table: dict[str, Any]) -> None:
    assert all(row["paper_mean"] is None for row in table["rows"])
    shown = [{**row, "size": 150, "paper_mean": 67.1, "paper_sd": 0.6} for row in table["rows"]]
    text = StringIO()
    Console(file=text, width=80).print(table2_table({**table, "rows": shown}))
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert sum("67.1 ± 0.6" in line for line in lines) == len(shown)
    assert any("learned (our" in line for line in lines)


def test_settings_differ_only_where_they_should(plan: Table2Plan, table: dict[str, Any]) -> None:
    def config(path: str) -> Any:
        return RunFolder(plan.out / path).read_config()

    oracle, learned, paper = (
        config(path) for path in ("runs/oracle-4-0", "runs/learned-4-0", "as-in-the-paper/runs/learned-4-0")
    )
    assert (oracle.data.labels, learned.data.labels) == (str(plan.out / "oracle.csv"), None)
    assert (learned.screening.trials, paper.screening.trials) == (8, 0)
    assert (paper.meta.unroll_length, paper.meta.updates, paper.meta.weight_lr) == (5, 10, 1e-3)
    labels = RunFolder(plan.out / "runs" / "oracle-4-0").read_examples().filter("label")["kind"]
    assert set(labels) <= set(restaurant.ORACLE_KINDS)
    assert len(labels)


def test_its_figures_are_pictures(plan: Table2Plan, table: dict[str, Any]) -> None:
    written = write_table2_figures(plan.out)
    assert {path.name for path in written} == {"figure-2.png", "figure-6.png", "weights-by-kind.png"}
    for path in written:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.with_suffix(".svg").exists()


def test_it_goes_on_and_takes_more_rows(plan: Table2Plan, table: dict[str, Any]) -> None:
    seen: list[str] = []
    assert reproduce_table2(plan, 1, lambda name, report: seen.append(name)) == table
    assert not seen


def test_data_that_is_missing_or_there_twice_is_named(published: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no personalized-dialog-task3-options-trn\.txt; give the folder"):
        published_data(tmp_path)
    for name in ("one", "two"):
        shutil.copytree(published, tmp_path / name)
    with pytest.raises(UserError, match="more than once, in one/personalized/small and two/personalized/small"):
        published_data(tmp_path)


def test_methods_are_those_of_the_table(plan: Table2Plan) -> None:
    assert methods_named(["all"]) == METHODS
    assert methods_named(["primary", "rivals", "reweight"]) == ("primary", *rivals())
    assert {"gradient-cosine", "less", "maml", "reweight"} <= set(rivals())
    wrong = Table2Plan(plan.data, ("primary", "magic"), (4,), 1, plan.out, QUICK)
    with pytest.raises(
        UserError, match=r"unknown method 'magic'; known: adapt, bm25, cluster-attention, .*, all, or rivals"
    ):
        reproduce_table2(wrong)


def test_embedded_dialogs_are_simulated_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restaurant, "_EMBEDDED_DIALOGS", 3)
    data = embedded_data(tmp_path)
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / "data").rglob("*.txt")}
    assert embedded_data(tmp_path) == data
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "data").rglob("*.txt")} == files
    assert Path(data.primary).name == "personalized-restaurant"
    assert Path(data.related).name == "restaurant"


@pytest.fixture
def ray_left_behind() -> Iterator[None]:
    """Collect here what Ray leaves open at its end, that its warnings meet no other test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


def ray_plan(plan: Table2Plan, out: Path) -> Table2Plan:
    return Table2Plan(plan.data, ("primary", "multitask"), (4,), 1, out, QUICK)


def killed_once(train: Callable[[Watcher], object], mark: Path, watch: Watcher) -> object:
    """Train, in a worker that kills itself at the first report of all."""

    def reported(report: RunProgress) -> None:
        watch(report)
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    return train(reported)


@pytest.mark.usefixtures("ray_left_behind")
@pytest.mark.filterwarnings("ignore")
def test_ray_gives_what_this_process_gives_though_a_worker_is_killed(
    plan: Table2Plan, table: dict[str, Any], tmp_path: Path
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed (extra `ray`)")
    seen: set[str] = set()

    def run(jobs: Sequence[Job], workers: int, watch: Watch) -> dict[str, Diverged]:
        first = replace(jobs[0], train=partial(killed_once, jobs[0].train, tmp_path / "killed"))
        return RayJobs()([first, *jobs[1:]], workers, watch)

    found = reproduce_table2(ray_plan(plan, tmp_path), 2, lambda name, _: seen.add(name), run)
    assert (tmp_path / "killed").exists()
    assert seen == {"primary-4-0", "multitask-4-0"}
    for row in found["rows"]:
        (alone,) = (r for r in table["rows"] if (r["method"], r["size"], r["settings"]) == (row["method"], 4, ""))
        assert row["seeds"][0]["test_accuracy"] == alone["seeds"][0]["test_accuracy"]
        assert row["seeds"][0]["valid_accuracy"] == alone["seeds"][0]["valid_accuracy"]


@pytest.mark.usefixtures("ray_left_behind")
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_is_not_there_is_named(plan: Table2Plan, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed (extra `ray`)")
    with pytest.raises(UserError, match=r"--ray 127\.0\.0\.1:1: cannot be reached"):
        reproduce_table2(ray_plan(plan, tmp_path), 1, None, RayJobs("127.0.0.1:1"))
