"""The HTML page and what it reads, from records written as a run writes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tasksieve.errors import UserError
from tasksieve.records.files import write_json, write_text
from tasksieve.report.html import write_report
from tasksieve.report.reading import Run, read_comparison, read_run, read_runs, run_to_show
from tests.unit.report_folders import (
    HOSTILE,
    Outline,
    write_comparison,
    write_run,
)


@pytest.fixture(scope="module")
def page(compared: Path) -> str:
    return write_report(compared).read_text(encoding="utf-8")


def test_comparison_page_leads_with_the_verdict(compared: Path, page: str) -> None:
    outline = Outline(page)
    comparison = read_comparison(compared)
    assert comparison.verdict.startswith("Borrow: learned is +4")
    assert '<header class="yes">' in page
    assert '<span class="verdict">Borrow' in page
    assert comparison.verdict in page
    sections = re.findall(r'<section id="(\w+)">', page)
    expected = [
        "methods",
        "bars",
        "sizes",
        "curves",
        "accuracy",
        "weights",
        "kinds",
        "dialogs",
        "ceiling",
        "settings",
    ]
    assert sections == expected
    assert outline.tags.count("svg") == 2 * 5
    for heading in re.findall(r"<h2>.*?</h2>\n(.{20})", page):
        assert heading.startswith('<p class="reading">')


def test_comparison_page_shows_the_numbers(compared: Path, page: str) -> None:
    text = Outline(page).text
    for row in read_comparison(compared).rows:
        assert f"{row.mean:.1f} ± {row.sd:.1f}" in text
        assert row.ci95 is not None
    worst = read_comparison(compared).rows[1]
    assert worst.minus_primary is not None
    assert f"−{-worst.minus_primary:.1f}" in text
    assert "74.3 %" in text
    assert "1,234" in text
    assert "learned, 100 primary dialogs, seed" in text
    by_kind = [run.test["by_kind"]["cuisine"]["hits"]["1"] for run in method_runs(compared, "learned", 100)]  # type: ignore[index]
    assert f"{sum(by_kind) / 3:.1f}" in text


def method_runs(folder: Path, method: str, size: int) -> list[Run]:
    return [run for run in read_runs(folder, [])[0] if run.method == method and run.size == size]


def test_page_shows_turns_with_weights(page: str) -> None:
    shown = re.findall(r'style="--w:([\d.]+)"><span class="weight">([\d.]+)</span>', page)
    assert len(shown) == 6 * 4
    assert all(abs(float(shade) - float(number)) <= 0.0051 for shade, number in shown)
    highest = page.index("<h3>Borrowed most</h3>")
    assert highest < page.index("Dialog 1 ") < page.index("<h3>Borrowed least</h3>") < page.index("Dialog 8 ")


def test_page_stands_alone_and_is_escaped(page: str) -> None:
    outline = Outline(page)
    assert outline.tags.count("script") == 1
    assert "<script>alert" not in page
    assert "<b>price" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert not {"src", "srcset", "onload", "onclick"} & {name for name, _ in outline.attributes}
    links = [value for name, value in outline.attributes if name in ("href", "xlink:href")]
    assert links
    assert all(link is not None and link.startswith("#") for link in links)
    assert "@import" not in page
    assert set(re.findall(r"url\((.)", page)) <= {"#"}
    assert HOSTILE in outline.text
    assert "<b>price</b> $1$" in outline.text
    ids = [value for name, value in outline.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert len(page) < 2_000_000


def test_page_is_the_same_every_time(compared: Path, page: str, tmp_path: Path) -> None:
    assert write_report(compared, tmp_path) == tmp_path / "report.html"
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page


@pytest.mark.parametrize(
    ("gain", "seeds", "word", "tone"),
    [(-3.0, 3, "Do not borrow", "no"), (0.0, 3, "Equal", "unsure"), (4.0, 1, "Undecided", "unsure")],
)
def test_every_verdict_has_word_and_colour(tmp_path: Path, gain: float, seeds: int, word: str, tone: str) -> None:
    write_comparison(tmp_path, {"primary": 0.0, "multitask": gain}, seeds=seeds)
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert f'<header class="{tone}">' in page
    assert f'<span class="verdict">{word}<' in page
    assert "No run recorded weights" in page


def test_run_page(tmp_path: Path) -> None:
    write_run(tmp_path / "run", "learned", 50, 2, 61.25, weights=True)
    page = write_report(tmp_path / "run", tmp_path / "new" / "other.html").read_text(encoding="utf-8")
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["other.html"]
    outline = Outline(page)
    assert "61.2 %" in outline.text
    assert "1 min 23 s" in outline.text
    assert '[training]\nmethod = "learned"' in outline.text
    assert re.findall(r'<section id="(\w+)">', page)[0] == "accuracy"
    assert outline.tags.count("svg") == 2 * 3


def test_missing_parts_are_left_out_with_a_sentence(tmp_path: Path) -> None:
    write_run(tmp_path / "begun", "primary", 50, 0, 60, finished=False)
    (tmp_path / "begun" / "metrics.jsonl").unlink()
    page = write_report(tmp_path / "begun").read_text(encoding="utf-8")
    for sentence in ("has not finished", "no test.json", "no recorded weights", "No validation has", "No coverage"):
        assert sentence in page
    write_comparison(tmp_path / "all", {"primary": 0.0, "learned": 1.0})
    for run in (tmp_path / "all" / "runs").iterdir():
        (run / "test.json").unlink()
    write_text(tmp_path / "all" / "runs" / "primary-50-0" / "config.toml", "[trainings]\n")
    write_text(tmp_path / "all" / "runs" / "learned-50-0" / "result.json", "[]")
    write_text(tmp_path / "all" / "runs" / "learned-50-1" / "weights" / "step-0000000.parquet", "no parquet")
    (tmp_path / "all" / "runs" / "learned-50-2" / "result.json").unlink()
    text = Outline(write_report(tmp_path / "all").read_text(encoding="utf-8")).text
    for sentence in (
        "runs/primary-50-0/config.toml data: found",
        "runs/learned-50-0/result.json is not a record: found a list",
        "1 run not finished",
        "no test.json",
        "has weights that cannot be read",
        "74.3 %",
    ):
        assert sentence in text


def test_a_comparison_without_rows_or_runs_is_still_a_page(tmp_path: Path) -> None:
    write_text(tmp_path / "comparison.json", '{"rows": [], "verdict": "No verdict: compare `primary`."}')
    text = Outline(write_report(tmp_path).read_text(encoding="utf-8")).text
    assert "No verdict" in text
    assert "The comparison has no rows." in text


def test_other_folders_are_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"neither a run folder .* nor a comparison folder") as caught:
        write_report(tmp_path)
    assert caught.value.path == tmp_path
    with pytest.raises(UserError, match="neither"):
        write_report(tmp_path / "absent")
    write_json(tmp_path / "comparison.json", {"rows": [{"method": "primary"}]})
    with pytest.raises(UserError, match=r"not the record of a comparison: at rows\.0\.size, field required"):
        write_report(tmp_path)
    write_text(tmp_path / "comparison.json", "{")
    with pytest.raises(UserError, match="not readable JSON"):
        write_report(tmp_path)


def test_the_run_shown_is_the_learned_one_with_the_best_validation(compared: Path) -> None:
    runs, problems = read_runs(compared, ["primary", "multitask", "learned"])
    assert problems == []
    shown = run_to_show(runs)
    assert shown is not None
    best = max(method_runs(compared, "learned", 100), key=lambda run: run.valid_accuracy or 0)
    assert shown.folder == best.folder
    assert run_to_show([run for run in runs if run.method == "primary"]) is None


def test_broken_metrics_name_their_file(tmp_path: Path) -> None:
    write_run(tmp_path, "primary", 50, 0, 60)
    write_text(tmp_path / "metrics.jsonl", "{oh no\n")
    with pytest.raises(UserError, match=r"metrics\.jsonl:1: is not a JSON record"):
        read_run(tmp_path)
