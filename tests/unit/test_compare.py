"""Comparisons: what is run, what is summarised, what the verdict says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from tasksieve.dialogs.simulate import simulate_support
from tasksieve.errors import UserError
from tasksieve.experiments import demo
from tasksieve.experiments.compare import Plan, compare
from tasksieve.experiments.weights import examples_at, export_weights, ranked, weights_by_kind
from tasksieve.experiments.workers import run_jobs
from tasksieve.records.bootstrap import bootstrap_interval
from tasksieve.records.comparison import (
    Answer,
    ComparisonRow,
    SeedResult,
    comparison_row,
    paired_interval,
    signed,
)
from tasksieve.records.config import RunConfig
from tasksieve.records.files import sha256
from tasksieve.records.run_folder import RunFolder
from tests.small import small_config


def plan(tasks: Path, out: Path, methods: str = "primary,multitask", **options: Any) -> Plan:
    config: RunConfig = options.pop("config", None) or small_config(tasks, "restaurant")
    values = {"sizes": (), "seeds": 2, **options}
    return Plan(config, str(tasks / "primary"), tuple(methods.split(",")), out=out, **values)


def seed_result(seed: int, test: float, valid: float = 50.0) -> SeedResult:
    return SeedResult(
        seed=seed, test_accuracy=test, valid_accuracy=valid, per_dialog_accuracy=0, iterations=1, seconds=1
    )


def row(method: str, tests: list[float], primary: list[float], valid: float = 50.0, size: int = 50) -> ComparisonRow:
    results = [seed_result(seed, test, valid) for seed, test in enumerate(tests)]
    return comparison_row(method, size, results, [seed_result(seed, test) for seed, test in enumerate(primary)])


def test_the_interval_is_students_over_paired_seeds() -> None:
    differences = [1.0, 3.0, 2.5, 0.5]
    expected = stats.t.interval(0.95, 3, loc=stats.tmean(differences), scale=stats.sem(differences))
    assert paired_interval(differences) == pytest.approx(expected)
    assert paired_interval([1.0]) is None
    found = row("learned", [60.0, 62.0], [58.0, 61.0])
    assert (found.mean, found.minus_primary) == (61.0, 1.5)
    assert found.sd == pytest.approx(2**0.5)
    assert found.ci95 == pytest.approx(paired_interval([2.0, 1.0]))


def test_seeds_are_paired_by_number() -> None:
    results = [seed_result(1, 60.0), seed_result(7, 99.0)]
    assert comparison_row("learned", 5, results, [seed_result(1, 58.0), seed_result(0, 0.0)]).minus_primary == 2.0
    assert comparison_row("learned", 5, results, []).minus_primary is None


def test_a_difference_that_rounds_to_nothing_has_one_sign() -> None:
    assert [signed(points) for points in (-0.04, 0.0, -0.0, 0.04, -0.06, -12.345)] == [
        *["+0.0"] * 4,
        "\N{MINUS SIGN}0.1",
        "\N{MINUS SIGN}12.3",
    ]


def test_compare_runs_everything_once_and_goes_on(tasks_dir: Path, tmp_path: Path) -> None:
    seen: list[str] = []
    first = compare(plan(tasks_dir, tmp_path / "c"), 1, lambda name, report: seen.append(name))
    assert list(dict.fromkeys(seen)) == ["primary-6-0", "primary-6-1", "multitask-6-0", "multitask-6-1"]
    record = json.loads((tmp_path / "c" / "comparison.json").read_text())
    assert [r["method"] for r in record["rows"]] == ["primary", "multitask"]
    assert record["rows"][0]["minus_primary"] == 0.0
    assert [s["seed"] for s in record["rows"][1]["seeds"]] == [0, 1]
    tested = RunFolder(tmp_path / "c" / "runs" / "multitask-6-1").read_record("test")
    assert record["rows"][1]["seeds"][1]["test_accuracy"] == tested["accuracy"]
    assert record["coverage"]["candidate_ceiling_6"] == tested["coverage"]["candidate_ceiling"]
    again = compare(plan(tasks_dir, tmp_path / "c", "primary,multitask,ones", seeds=2), 1)
    assert again.rows[:2] == first.rows
    assert [s.test_accuracy for s in again.rows[2].seeds] == [s.test_accuracy for s in first.rows[1].seeds]
    longer = small_config(tasks_dir, "restaurant", training={"iterations": 13})
    with pytest.raises(UserError, match=r"training\.iterations is 12 there and 13 here; choose another --out"):
        compare(plan(tasks_dir, tmp_path / "c", config=longer), 1)


@pytest.mark.parametrize(("clear_with", "most", "run"), [(3, 5, 3), (9, 3, 3), (9, None, 2), (2, 4, 2)])
def test_more_seeds_are_run_until_it_is_clear_whether_to_borrow(
    tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clear_with: int, most: int | None, run: int
) -> None:
    def answered(rows: list[ComparisonRow], measure: str) -> tuple[Answer, ...]:
        said: Any = {"question": "borrow", "method": "multitask", "against": "primary", "sentence": "", "points": 0}
        says = "better" if len(rows[0].seeds) >= clear_with else "open"
        return (Answer(**said, says=says, ci95=None, ci95_seeds=None),)

    monkeypatch.setattr("tasksieve.experiments.compare.answers", answered)
    given: list[str] = []

    def without_training(jobs: Any, workers: int, watch: Any) -> dict[str, Any]:
        for job in jobs:
            given.append(job.name)
            write_finished(job.path, job.name, sha256(tasks_dir / "primary" / "test.txt"))
        return {}

    found = compare(plan(tasks_dir, tmp_path / "c", max_seeds=most), 1, run=without_training)
    assert [seed.seed for seed in found.rows[0].seeds] == list(range(run))
    assert len(given) == len(set(given)) == 2 * run


def write_finished(path: Path, name: str, digest: str) -> None:
    method, size, seed = name.split("-")
    folder = RunFolder(path)
    ends = {"iterations": 1, "seconds": 1.0, "valid_accuracy": 50.0}
    folder.write_record("result", {"method": method, "seed": int(seed), "size": int(size), **ends})
    test = {"sha256": digest, "accuracy": 50.0, "per_dialog_accuracy": 0.0}
    folder.write_record("test", {**test, "coverage": {"candidate_ceiling": 100.0}})


def test_where_every_run_diverges_the_first_says_why(tasks_dir: Path, tmp_path: Path) -> None:
    broken = small_config(tasks_dir, "restaurant", training={"primary_lr": 1e38, "iterations": 50})
    with pytest.raises(UserError, match="is not finite; the last good checkpoint is kept"):
        compare(plan(tasks_dir, tmp_path / "c", config=broken, seeds=1))


def test_a_measured_test_set_must_stay_the_same(tasks_dir: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.txt"
    test.write_bytes((tasks_dir / "primary" / "test.txt").read_bytes())
    config = small_config(tasks_dir)
    comparing = Plan(config, str(test), ("primary",), (), 1, tmp_path / "c")
    assert compare(comparing).verdict.startswith("No verdict")
    test.write_text("1 hi\thello\n")
    told = r"test\.txt has changed since this run was measured \(SHA-256 \w{12}… then and \w{12}… now\); give it"
    with pytest.raises(UserError, match=told):
        compare(comparing)


def test_another_test_file_in_the_same_folder_is_named_before_any_work(tasks_dir: Path, tmp_path: Path) -> None:
    first = tasks_dir / "primary" / "test.txt"
    comparing = Plan(small_config(tasks_dir), str(first), ("primary",), (), 1, tmp_path / "c")
    compare(comparing)
    same, other = tmp_path / "same.txt", tmp_path / "other.txt"
    same.write_bytes(first.read_bytes())
    other.write_text("1 hi\thello\n")
    compare(replace(comparing, test=str(same)))
    with pytest.raises(UserError) as refused:
        compare(replace(comparing, test=str(other), seeds=2), run=never)
    assert str(refused.value) == (
        f"{tmp_path / 'c' / 'runs' / 'primary-6-0'}: was measured on {first}, and {other} has other dialogs; give "
        f"that file again, choose another --out, or measure a run on this one: tasksieve evaluate RUN --data {other}"
    )


def never(jobs: Any, workers: int, watch: Any) -> dict[str, Any]:
    raise AssertionError("work was done")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": "primary,primary"}, "named twice"),
        ({"methods": "primary,hope"}, "unknown method 'hope'"),
        ({"methods": "oracle"}, "needs labels"),
        ({"seeds": 0}, "nothing to compare"),
        ({"seeds": 3, "max_seeds": 2}, "--max-seeds: found 2, fewer than the 3 of --seeds"),
        ({"sizes": (5, 5)}, "named twice"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_runs(
    tasks_dir: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        compare(plan(tasks_dir, tmp_path / "c", **options))
    assert not (tmp_path / "c").exists()
    with pytest.raises(UserError, match="'multitask' borrows; give at least one --related"):
        compare(plan(tasks_dir, tmp_path / "c", config=small_config(tasks_dir)))


def test_no_jobs_no_work() -> None:
    run_jobs([], 4, lambda name, report: None)


def test_the_demo_simulates_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "TEST_DIALOGS", 5)
    monkeypatch.setattr(demo, "OLD_DIALOGS", 2)
    first = demo.demo_plan(tmp_path, seed=3)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.jsonl")}
    assert len(before) == 3 + 9
    assert demo.demo_plan(tmp_path, seed=3) == first
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.jsonl")} == before
    assert demo.demo_plan(tmp_path, seed=4).test != first.test


def test_the_demo_shows_a_dialog_that_is_in_none_of_its_files() -> None:
    fresh = demo.fresh_dialog(seed=3)
    parts = simulate_support(desk="new", dialogs={"train": 10, "valid": 10, "test": demo.TEST_DIALOGS}, seed=3)
    assert all(fresh != dialog for dialogs in parts.values() for dialog in dialogs)
    assert 3 < len(fresh.turns) <= 9


@pytest.fixture(scope="module")
def learned(tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learned")
    compare(plan(tasks_dir, folder, "learned", seeds=1, config=small_config(tasks_dir, "restaurant", "hotel")))
    return folder / "runs" / "learned-6-0"


@pytest.mark.parametrize(
    ("ending", "read"), [("parquet", pl.read_parquet), ("csv", pl.read_csv), ("jsonl", pl.read_ndjson)]
)
def test_weights_are_exported_with_their_texts(learned: Path, tmp_path: Path, ending: str, read: Any) -> None:
    rows = export_weights(learned, tmp_path / f"w.{ending}")
    table = read(tmp_path / f"w.{ending}")
    folder = RunFolder(learned)
    assert len(table) == rows == len(folder.read_examples())
    assert table["weight"].to_list() == pytest.approx(folder.read_weights(12)["weight"].to_list())
    assert table["system"].to_list() == folder.read_examples()["system"].to_list()
    assert set(table["task"].to_list()) == {0, 1}
    assert export_weights(learned, tmp_path / f"all.{ending}", all_steps=True) == 4 * rows


def test_weights_are_ranked_and_grouped(learned: Path) -> None:
    frame = examples_at(learned)
    top, low = ranked(frame, 3, highest=True), ranked(frame, 3, highest=False)
    assert top["weight"][0] == frame["weight"].max()
    assert low["weight"][0] == frame["weight"].min()
    kinds = weights_by_kind(frame)
    assert kinds["examples"].sum() == len(frame)
    assert kinds["mean_weight"].is_sorted(descending=True)
    with pytest.raises(UserError, match="has no weights at iteration 5; recorded are 0, 4, 8, 12"):
        examples_at(learned, 5)
    with pytest.raises(UserError, match=r"ends in '\.xls'"):
        export_weights(learned, learned / "w.xls")


def test_the_bootstrap_draws_dialogs_and_seeds_together() -> None:
    random = np.random.default_rng(1)
    turns = random.integers(3, 12, 200)
    one, other = ([random.binomial(turns, p) for _ in range(3)] for p in (0.7, 0.6))
    pairs = [
        ({"turns": turns.tolist(), "accuracy": a.tolist()}, {"turns": turns.tolist(), "accuracy": b.tolist()})
        for a, b in zip(one, other, strict=True)
    ]
    naive = []
    for _ in range(1500):
        dialogs, seeds = random.integers(0, 200, 200), random.integers(0, 3, 3)
        gains = [(one[s] - other[s])[dialogs].sum() / turns[dialogs].sum() for s in seeds]
        naive.append(100 * float(np.mean(gains)))
    found = bootstrap_interval(pairs, "accuracy")
    assert found is not None
    assert found == pytest.approx(tuple(np.quantile(naive, [0.025, 0.975])), abs=0.4)
    assert found == bootstrap_interval(pairs, "accuracy")
    assert bootstrap_interval(pairs, "R_100@1") is None
    assert bootstrap_interval([], "accuracy") is None
    shorter = ({"turns": [1], "accuracy": [1]}, {"turns": [2], "accuracy": [1]})
    assert bootstrap_interval([shorter], "accuracy") is None
