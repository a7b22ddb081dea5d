"""What the benchmarks write of records: rows as published, planted wrong labels, how validation flatters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.as_published import as_published_rows, digits_as_published, restaurant_as_published
from benchmarks.board import boards_of, over_tasks
from benchmarks.board_picture import PICTURE, draw, records
from benchmarks.calibration import calibration_section
from benchmarks.optimism import flattered
from benchmarks.readme import ROOT
from benchmarks.rivals_table import rivals_section
from benchmarks.suspicious import WAYS, suspicious_table
from tasksieve.records.comparison import paired_interval


def row(method: str, size: int, reading: str, mean: float, seeds: int = 2) -> dict[str, object]:
    """A row of Table 2 as published."""
    paper = {"paper_mean": 57.7, "paper_sd": 1.6} if size == 50 else {"paper_mean": None, "paper_sd": None}
    return {
        "method": method,
        "size": size,
        "settings": reading,
        "mean": mean,
        "sd": 0.5,
        "seeds": [0] * seeds,
        **paper,
    }


def test_rows_as_published_stand_where_they_are_and_a_gap_where_they_are_not_yet() -> None:
    rows = [row("primary", 50, "hop-adds", 60.0), row("learned", 50, "hop-adds", 61.0, 1)]
    record = {"rows": [*rows, row("primary", 100, "hop-adds", 65.0)]}
    named = {"primary": "alone", "learned": "weights"}
    assert as_published_rows(record, named, (50, 100)) == [
        "| alone: all as published, u + Ho | 60.0 ± 0.5 | 65.0 ± 0.5 |",
        "| weights: all as published, u + Ho | 61.0 ± 0.5 | – |",
    ]
    assert as_published_rows(None, named, (50,)) == []
    page = restaurant_as_published(record)
    assert "Mean ± sd of 1 to 2 seeds." in page
    assert "| `learned` | 61.0 ± 0.5 | 57.7 ± 1.6 | – | – |" in page
    assert "Hu + o" not in page
    digits = digits_as_published({"rows": [{**row("ones", 0, "", 8.8), "paper_mean": 21.6, "paper_sd": 3.8}]})
    assert "| `ones` | 8.8 ± 0.5 | 21.6 ± 3.8 |" in digits
    assert restaurant_as_published(None) == "" == digits_as_published(None)


def test_gains_on_validation_are_held_against_those_on_the_test() -> None:
    def runs(method: str, *found: tuple[float, float]) -> dict[str, object]:
        seeds = [{"seed": n, "valid": valid, "test": {"accuracy": test}} for n, (valid, test) in enumerate(found)]
        cell = {"primary": "Buses_1", "size": 10, "archive": "clean", "predict": "actions"}
        return {**cell, "method": method, "measure": "accuracy", "seeds": seeds}

    record = {"rows": [runs("multitask", (70, 60), (70, 61)), runs("learned", (73, 61), (69, 63)), runs("primary")]}
    assert list(flattered(record)) == [2, -3]


def test_the_committed_board_does_not_flatter_learned() -> None:
    for predict, mean in (("responses", 0.06), ("actions", -0.12)):
        record = json.loads((ROOT / "results" / f"archive-weights-{predict}.json").read_text())
        found = list(flattered(record))
        assert len(found) == 180
        assert sum(found) / 180 == pytest.approx(mean, abs=0.005)
        low, high = paired_interval(found) or (0, 0)
        assert low < 0 < high


def test_the_picture_of_the_board_is_drawn_of_the_committed_records_and_shown(tmp_path: Path) -> None:
    board, weights = records()
    draw(board, weights, tmp_path / "board.png")
    assert (tmp_path / "board.png").read_bytes().startswith(b"\x89PNG")
    assert f"({PICTURE.relative_to(ROOT)})" in (ROOT / "README.md").read_text()
    with pytest.raises(KeyError, match="clean"):
        draw(
            board, [{"means": [one for one in weights[0]["means"] if one["archive"] != "clean"]}] * 2, tmp_path / "x"
        )


def test_planted_labels_have_a_row_a_task_and_their_mean() -> None:
    def found(auroc: float) -> dict[str, object]:
        return {"turns": 1200, "wrong": 120, **{way: {"auroc": auroc, "precision": 0.75} for way in WAYS}}

    cases = [
        {"case": name, "primary": found(a), "related": found(0.9), "tasks": [found(0.9)]}
        for name, a in (("x", 0.8), ("y", 0.9))
    ]
    lines = suspicious_table({"cases": cases}).splitlines()
    assert lines[2] == "| x, primary | 1,200 | 0.80 | 0.80 | 0.80 | 0.80 | 0.80 | 75 % |"
    assert lines[-2].startswith("| mean, primary | | **0.850** |")


def test_differences_are_told_with_tasks_as_a_sample_too() -> None:
    place = {"predict": "actions", "archive": "noisy", "size": 10}
    gains = (1.0, 2.0, 6.0)
    rows = [
        {**place, "primary": str(task), "method": "learned", "minus_primary": gain + 1, "minus_multitask": gain}
        for task, gain in enumerate(gains)
    ]
    low, high = paired_interval(gains) or (0.0, 0.0)
    table = over_tasks([{"rows": rows}], whole=True)
    assert table[-1] == f"| actions | noisy | 10 | +4.0 (−2.6 to +10.6) | +3.0 (−3.6 to +{high:.1f}) |"
    assert low == pytest.approx(-3.57, abs=0.01)
    assert "is above `multitask` in 0 of 1 columns and below it in none" in " ".join(
        over_tasks([{"rows": rows}], whole=False)
    )
    assert over_tasks([{"rows": rows[:1]}], whole=True) == []


def test_no_method_is_held_against_itself_nor_against_a_baseline_that_was_not_run() -> None:
    board, (weights, *_) = records()
    simple, none = (boards_of([record], whole=True, title="T").splitlines() for record in (board, weights))
    assert "| method | dialogs | against `primary` | against `multitask` |" in none
    assert not any("best simple method" in line for line in none)
    assert any("| against the best simple method |" in line for line in simple)
    assert not any("+0.0 (+0.0 to +0.0)" in line for line in [*simple, *none])


def test_the_pages_of_verdict_and_rivals_say_of_how_many_draws_and_seeds_they_are() -> None:
    verdict = json.loads((ROOT / "results" / "verdict.json").read_text())
    for row, draws in zip(verdict["calibration"]["archives"], (10, 9, 9, 9, 9, 9, 9), strict=True):
        row["draws"] = draws
    verdict["settings"]["draws"] = 20
    page = calibration_section(verdict)
    assert "9 to 10 draws of dialogs and of each archive (of 20 planned)" in page
    for row in verdict["calibration"]["archives"]:
        row["draws"] = 20
    assert "20 draws of dialogs and archive" in calibration_section(verdict)
    rivals = json.loads((ROOT / "results" / "archive-rivals.json").read_text())
    assert f"± sd of {rivals['settings']['seeds']} seeds" in rivals_section(rivals).splitlines()[0]
    rivals["settings"]["seeds"] = 1
    for mean in rivals["means"]:
        mean["ci95"] = {}
    assert "± sd" not in rivals_section(rivals).splitlines()[0]
    assert "one seed" in rivals_section(rivals).splitlines()[0]
