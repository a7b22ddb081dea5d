"""What a report says of a screening."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasksieve.records.comparison import signed
from tasksieve.report.html import write_report
from tasksieve.training.runs.dialogs import train
from tests.small import small_config


@pytest.fixture(scope="module")
def run(tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("screened") / "run"
    screening = {"trials": 8, "iterations": 6, "groups": 3, "distill_iterations": 5}
    train(small_config(tasks_dir, "restaurant", training={"method": "learned"}, screening=screening), path)
    return path


def test_each_group_is_a_row_the_most_helpful_first(run: Path) -> None:
    record = json.loads((run / "screening.json").read_text())
    page = write_report(run).read_text()
    section = page[page.index("What short trainings said") :]
    places = [section.index(g["response"]) for g in sorted(record["groups"], key=lambda g: -g["effect"])]
    assert places == sorted(places)
    assert "where the interval holds 0 the trainings do not tell whether the group helps" in section
    half = record["quantile"] * record["error"]
    for group in record["groups"]:
        ends = [signed(group["effect"] + side * half) for side in (-1, 1)]
        assert " to ".join(ends) in section


def test_a_damaged_record_is_told_of_and_stops_nothing(run: Path, tmp_path: Path) -> None:
    whole = (run / "screening.json").read_text()
    for damaged in ('{"trials": 8}', '{"trials": 8, "error": 1, "quantile": 2, "groups": [{}]}', "[]"):
        (run / "screening.json").write_text(damaged)
        assert "It cannot be shown" in write_report(run, tmp_path / "r.html").read_text()
    (run / "screening.json").unlink()
    assert "What short trainings said" not in write_report(run, tmp_path / "r.html").read_text()
    (run / "screening.json").write_text(whole)
