"""The board: what its runs draw, that it goes on where it was stopped, and what its record says."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks.board import boards_of
from benchmarks.rivals_table import rivals_section
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.errors import UserError
from tasksieve.experiments.board.board import BoardPlan, board_methods, reproduce_archive
from tasksieve.experiments.board.data import BoardData, draw, fixed_test
from tasksieve.experiments.board.rows import BoardRun, Cell, board_rows, stratified_interval
from tasksieve.experiments.workers import Job, run_jobs
from tasksieve.records.progress import Watch
from tasksieve.report.archive import archive_table, board_sentences
from tasksieve.training.loop.divergence import Diverged
from tasksieve.training.methods import all_methods
from tests.unit.archives import write_archive

QUICK = (
    "training.iterations=6",
    "training.evaluate_every=3",
    "training.snapshot_every=3",
    "training.batch_size=4",
    "model.dim=4",
    "weight_module.dim=3",
    "meta.unroll_length=1",
    "meta.warm_up=0",
    "screening.trials=0",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("archive"))


def _plan(archive: Path, out: Path, **changes: Any) -> BoardPlan:
    plan = BoardPlan(
        source=archive,
        primaries=("Boats_1", "Rooms_1"),
        sizes=(3, 50),
        archives=("clean", "stale", "noisy"),
        predict=("actions",),
        methods=("primary", "multitask", "learned", "oracle"),
        seeds=2,
        out=out,
        settings=QUICK,
    )
    return replace(plan, **changes)


@pytest.fixture(scope="module")
def board(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("board")
    return out, reproduce_archive(_plan(archive, out))


def test_runs_of_an_earlier_record_are_not_done_again(
    archive: Path, board: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, before = board
    told: list[tuple[int, int]] = []
    some: dict[str, Any] = {"archives": ("clean",), "methods": ("primary", "multitask")}
    plan = _plan(archive, tmp_path / "more", seeds=3, known=(folder / "archive.json",), **some)
    found = reproduce_archive(plan, announce=lambda every, done: told.append((every, done)))
    assert found["runs"]["done"] == 2 * 2 * 2 * 3 and told == [(24, 16)]
    assert len(list((tmp_path / "more/runs").rglob("result.json"))) == 8
    place = itemgetter("archive", "primary", "size", "method")
    earlier = {place(row): row["seeds"] for row in before["rows"]}
    assert len(found["rows"]) == 8
    for row in found["rows"]:
        assert row["seeds"][:2] == earlier[place(row)] and row["seeds"][2]["seed"] == 2
        assert row["ci95_bootstrap"]["minus_primary"] is None or row["method"] == "primary"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": (*QUICK[:-1], "screening.trials=8")}, "settings: screening.trials is 0 there and 8 here"),
        ({"text": "[]"}, "is no record of a board"),
        ({"text": '{"settings": {}, "rows": []}'}, "is no record of a board"),
        (
            {"sources": "0"},
            r"has runs of another archive: Boats_1 has changed \(SHA-256 0… then and [0-9a-f]{12}… now\)",
        ),
    ],
)
def test_a_record_of_other_runs_is_refused(
    archive: Path, board: tuple[Path, dict[str, Any]], tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    record = json.loads((board[0] / "archive.json").read_text())
    if "sources" in changes:
        record["settings"]["sources"]["Boats_1"] = changes.pop("sources")
    known = tmp_path / "known.json"
    known.write_text(changes.pop("text", None) or json.dumps(record))
    with pytest.raises(UserError, match=message):
        reproduce_archive(_plan(archive, tmp_path / "more", known=(known,), **changes))
    assert not list((tmp_path / "more").rglob("result.json"))


def test_the_board_has_a_row_for_every_cell_and_method(board: tuple[Path, dict[str, Any]]) -> None:
    _, record = board
    rows = {(row["archive"], row["primary"], row["size"], row["method"]) for row in record["rows"]}
    assert rows == {
        (archive, primary, size, method)
        for archive in ("clean", "stale", "noisy")
        for primary in ("Boats_1", "Rooms_1")
        for size in (3, 50)
        for method in ("primary", "multitask", "learned", "oracle")
        if (archive, method) != ("clean", "oracle")
    }
    assert all([seed["seed"] for seed in row["seeds"]] == [0, 1] for row in record["rows"])
    assert record["runs"] == {"done": 72, "all": 72}


def test_a_method_that_borrows_nothing_runs_once_for_all_archives(board: tuple[Path, dict[str, Any]]) -> None:
    out, record = board
    alone = [row["seeds"] for row in record["rows"] if (row["method"], row["primary"]) == ("primary", "Boats_1")]
    assert len(alone) == 6 and alone[0] == alone[2] == alone[4]
    assert {path.name for path in (out / "runs" / "actions" / "Boats_1").iterdir()} == {
        "alone",
        "clean",
        "stale",
        "noisy",
    }


def test_differences_are_paired_by_seed_and_means_are_over_primary_tasks(
    board: tuple[Path, dict[str, Any]],
) -> None:
    _, record = board

    def reached(method: str, primary: str) -> list[float]:
        [row] = [
            row
            for row in record["rows"]
            if (row["archive"], row["size"], row["method"], row["primary"]) == ("noisy", 3, method, primary)
        ]
        return [seed["test"]["accuracy"] for seed in row["seeds"]]

    [mean] = [
        row for row in record["means"] if (row["archive"], row["size"], row["method"]) == ("noisy", 3, "learned")
    ]
    differences = [
        one - other
        for primary in ("Boats_1", "Rooms_1")
        for one, other in zip(reached("learned", primary), reached("multitask", primary), strict=True)
    ]
    assert mean["minus_multitask"] == pytest.approx(sum(differences) / 4)
    assert mean["primaries"] == ["Boats_1", "Rooms_1"] and mean["runs"] == 4
    low, high = mean["ci95"]["minus_multitask"]
    assert low <= mean["minus_multitask"] <= high
    assert mean["minus_simple"] is None and "minus_simple" not in mean["ci95"]
    [borrowed] = [
        row for row in record["means"] if (row["archive"], row["size"], row["method"]) == ("noisy", 3, "multitask")
    ]
    assert borrowed["minus_learned"] == pytest.approx(-mean["minus_multitask"])


def test_rivals_stand_in_the_order_of_what_they_reach_with_their_differences(
    board: tuple[Path, dict[str, Any]],
) -> None:
    page = rivals_section(board[1])
    for archive in ("noisy", "stale"):
        [table] = [part for part in page.split("**Actions, ") if part.startswith(f"{archive} archive, 3 dialogs")]
        rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| `")]
        reached = [float(row[1].split()[0]) for row in rows]
        assert reached == sorted(reached, reverse=True) and len(rows) >= 3
        [borrowed] = [row for row in rows if "multitask" in row[0]]
        assert borrowed[5] == "1.0 |" and borrowed[4] in ("0 of 2", "1 of 2", "2 of 2")
        [own] = [row for row in rows if "learned" in row[0]]
        assert own[4] == "–"


def test_the_record_names_no_path_and_is_the_file(board: tuple[Path, dict[str, Any]], archive: Path) -> None:
    out, record = board
    text = (out / "archive.json").read_text(encoding="utf-8")
    assert json.loads(text) == json.loads(json.dumps(record))
    assert str(out) not in text and str(archive) not in text and os.sep + "tmp" not in text


def test_weights_are_told_by_service_and_the_space_of_models_is_given_back(
    board: tuple[Path, dict[str, Any]],
) -> None:
    out, record = board
    [row] = [
        row
        for row in record["rows"]
        if (row["archive"], row["size"], row["method"], row["primary"]) == ("stale", 3, "learned", "Boats_1")
    ]
    assert set(row["seeds"][0]["weights"]) == {"Rooms_1", "Tables_1"}
    assert not list(out.rglob("*.safetensors")) and not list(out.rglob("examples.parquet"))


def test_the_same_command_does_nothing_twice_and_more_may_be_added(
    board: tuple[Path, dict[str, Any]], archive: Path
) -> None:
    out, record = board
    started: list[str] = []
    told: list[tuple[int, int]] = []

    def run(jobs: Sequence[Job], workers: int, watch: Watch) -> dict[str, Diverged]:
        started.extend(job.name for job in jobs if not job.done)
        return run_jobs(jobs, workers, watch)

    again = reproduce_archive(_plan(archive, out), run=run, announce=lambda total, done: told.append((total, done)))
    assert started == [] and told == [(72, 72)]
    assert again == record
    more = reproduce_archive(_plan(archive, out, methods=("primary", "joint"), archives=("clean",)), run=run)
    assert {name.rpartition("/")[2].partition("-")[0] for name in started} == {"joint"}
    assert more["runs"]["done"] == 16


def test_a_board_that_was_interrupted_has_a_record_of_what_was_done_and_goes_on(
    archive: Path, tmp_path: Path
) -> None:
    def interrupted(jobs: Sequence[Job], workers: int, watch: Watch) -> dict[str, Diverged]:
        run_jobs(jobs[:3], workers, watch)
        raise KeyboardInterrupt

    plan = _plan(archive, tmp_path / "out", methods=("primary", "multitask"), archives=("clean",), seeds=1)
    with pytest.raises(KeyboardInterrupt):
        reproduce_archive(plan, run=interrupted)
    record = json.loads((tmp_path / "out" / "archive.json").read_text(encoding="utf-8"))
    assert record["runs"] == {"done": 3, "all": 8}
    assert len(record["rows"]) == 3
    assert reproduce_archive(plan)["runs"] == {"done": 8, "all": 8}


def test_an_oracle_is_told_which_services_are_sound(archive: Path, tmp_path: Path) -> None:
    data = BoardData(archive, tmp_path)
    data.prepare(["Boats_1"], ["noisy"], 2)
    for seed in range(2):
        [spoiled] = data.spoiled("Boats_1", "noisy", seed)
        lines = data.labels("Boats_1", "noisy", seed).read_text(encoding="utf-8").split()
        related = data.related_services("Boats_1")
        assert lines == ["task,label", *(f"{n},{int(name != spoiled)}" for n, name in enumerate(related))]
        for name, path in zip(related, data.related("Boats_1", "noisy", seed), strict=True):
            same = [dialog.turns for dialog in read_dialogs(path)] == [
                dialog.turns for dialog in read_dialogs(archive / f"{name}.json")
            ]
            assert same is (name != spoiled)


def test_draws_do_not_overlap_and_the_test_dialogs_are_those_of_every_seed() -> None:
    for count in (4, 30, 104, 151, 331):
        test = set(fixed_test("a service", count))
        assert len(test) == min(100, max(count - 100, count // 3))
        for seed in range(3):
            drawn = draw("a service", count, seed)
            assert len(drawn.train) == len(drawn.valid)
            assert not (set(drawn.train) & set(drawn.valid) or test & {*drawn.train, *drawn.valid})
            assert len(test) + 2 * len(drawn.train) in (count, count - 1)
    assert draw("a service", 151, 0) != draw("a service", 151, 1)


def test_fewer_dialogs_than_a_size_are_said(board: tuple[Path, dict[str, Any]]) -> None:
    _, record = board
    assert {(row["size"], row["dialogs"]) for row in record["rows"]} == {(3, 3), (50, 10)}


def test_another_archive_under_the_same_folder_is_refused(archive: Path, tmp_path: Path) -> None:
    plan = _plan(archive, tmp_path / "out", methods=("primary",), archives=("clean",), sizes=(3,), seeds=1)
    reproduce_archive(plan)
    changed = write_archive(tmp_path / "changed", count=31)
    with pytest.raises(UserError, match=r"another archive: Boats_1 has changed \(SHA-256 .*\); give the archive"):
        reproduce_archive(replace(plan, source=changed))
    larger = write_archive(tmp_path / "larger")
    (larger / "Cars_1.json").write_bytes((larger / "Boats_1.json").read_bytes())
    with pytest.raises(UserError, match=r"another archive: Cars_1 is new; give the archive as it was, or choose"):
        reproduce_archive(replace(plan, source=larger))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"primaries": ("Cars_1",)}, "unknown primary task 'Cars_1'; the archive holds Boats_1, Rooms_1, Tables_1"),
        ({"archives": ("dusty",)}, "--archives: found 'dusty'; known: clean, stale, noisy"),
        ({"predict": ("moods",)}, "--predict: found 'moods'; known: responses, actions"),
        ({"methods": ("magic",)}, "unknown method 'magic'"),
        ({"sizes": (3, 3)}, "--sizes: found 3, 3; name each once"),
        ({"methods": ()}, "--methods: found nothing"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_before_the_first_run(
    archive: Path, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        reproduce_archive(_plan(archive, tmp_path / "out", **changes))
    assert not (tmp_path / "out" / "runs").exists()


def test_all_and_simple_stand_for_several_methods() -> None:
    assert board_methods(["all"]) == tuple(all_methods())
    assert board_methods(["primary", "primary", "multitask"]) == ("primary", "multitask")
    assert set(board_methods(["simple"])) <= set(all_methods())


def test_tables_fit_80_columns_and_pages_show_every_mean(board: tuple[Path, dict[str, Any]]) -> None:
    _, record = board
    console = Console(width=80, file=io.StringIO())
    console.print(archive_table(record))
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, printed.splitlines())) <= 80
    whole, short = (
        boards_of([record], whole=True, title="The board"),
        boards_of([record], whole=False, title="The board"),
    )
    for mean in record["means"]:
        cell = f"| {mean['mean']:.1f} ± {mean['sd']:.1f} |"
        assert cell in whole and cell in short
        assert f"{mean['mean']:.1f} ± {mean['sd']:.1f}" in printed
    assert "Rooms_1 (10 dialogs instead of 50):" in whole
    assert board_sentences(record) == [
        "Means over 2 primary tasks and 2 seeds. A task with too few dialogs for a size takes all.",
        "Intervals are for these tasks alone: only seeds vary (Student, tasks as strata; Welch's degrees of "
        "freedom). They are not corrected for the number of methods.",
    ]


def _runs(values: dict[int, float], right: dict[int, list[int]], valid: float = 50.0) -> list[BoardRun]:
    turns = [10, 10, 10]
    return [
        BoardRun(seed, {"accuracy": value}, valid, 1.0, 5, {"turns": turns, "accuracy": right[seed]})
        for seed, value in values.items()
    ]


def test_simple_methods_are_chosen_by_validation_and_beside_it_by_the_test() -> None:
    right = {0: [1, 2, 3], 1: [2, 2, 2]}
    methods = {
        "primary": _runs({0: 20.0, 1: 20.0}, right),
        "tfidf": _runs({0: 30.0, 1: 32.0}, right, valid=60.0),
        "tfidf-all": _runs({0: 40.0, 1: 44.0}, right, valid=55.0),
        "multitask": _runs({0: 50.0, 1: 48.0}, {0: [5, 5, 5], 1: [4, 5, 5]}),
    }
    [*_, row] = board_rows({Cell("actions", "clean", "Boats_1", 5): methods})
    assert (row["best_simple"], row["best_simple_on_test"]) == ("tfidf", "tfidf-all")
    assert (row["minus_simple"], row["minus_best_simple_on_test"]) == (18.0, 7.0)
    assert row["minus_primary"] == 29.0
    low, high = row["ci95_bootstrap"]["minus_primary"]
    assert 20.0 < low < high < 40.0, "the counts say 27 and 30 points"


def test_the_interval_of_several_tasks_takes_them_as_strata() -> None:
    low, high = stratified_interval([[1.0, 3.0], [11.0, 13.0]]) or (0.0, 0.0)
    assert (low + high) / 2 == pytest.approx(7.0)
    assert high - low == pytest.approx(2 * 4.302653 * 2**0.5 / 2, rel=1e-5), "two degrees of freedom"
    assert stratified_interval([[1.0], [2.0, 3.0]]) is None
    assert stratified_interval([[1.0, 1.0], [2.0, 2.0]]) == (1.5, 1.5)
