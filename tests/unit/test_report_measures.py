"""The page of a comparison speaks of its measure: words, intervals, simple rows, all measures, kinds of turn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.records.comparison import Comparison
from tasksieve.records.files import write_json
from tasksieve.records.measures import ACTIONS, RANKING, RESPONSES
from tasksieve.report import formatting as show
from tasksieve.report.bar_figures import comparison_bars
from tasksieve.report.figures import learning_curves
from tasksieve.report.html import write_report
from tasksieve.report.kind_sections import commonest, rest_of
from tasksieve.report.needs import needs, sentence
from tasksieve.report.reading import read_comparison, read_runs
from tasksieve.report.size_figures import accuracy_by_size
from tests.unit.measured_folders import ALL_KINDS, METHODS, SERVICES, write_measured
from tests.unit.report_folders import Outline


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured")
    write_measured(folder)
    return folder


@pytest.fixture(scope="module")
def comparison(folder: Path) -> Comparison:
    return read_comparison(folder)


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return write_report(folder).read_text(encoding="utf-8")


def section(page: str, name: str) -> str:
    """The text of one section, a line a row of its tables."""
    found = re.search(f'<section id="{name}">.*?</section>', page, re.DOTALL)
    assert found is not None
    plain = re.sub(r"<[^>]+>", " ", found[0].replace("\n", " ").replace("</tr>", "\n").replace("</h3>", "\n"))
    return "\n".join(" ".join(line.split()) for line in plain.splitlines())


@pytest.mark.parametrize(
    ("measure", "name", "reading"),
    [
        (RESPONSES, "accuracy", "Accuracy is the share of test turns that got the right response"),
        (ACTIONS, ACTIONS, "Accuracy of actions is the share of test turns that got the right action"),
        (RANKING, RANKING, "R_100@1 is the share of test turns whose right response ranks first among 100"),
    ],
)
def test_titles_axes_and_tables_name_the_measure(tmp_path: Path, measure: str, name: str, reading: str) -> None:
    write_measured(tmp_path, measure)
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert reading in section(page, "methods")
    assert f"{name[0].upper()}{name[1:]} at a glance" in page
    assert f"{name[0].upper()}{name[1:]} on the validation dialogs as training went on" in page
    comparison = read_comparison(tmp_path)
    for narrow in (False, True):
        assert comparison_bars(comparison, narrow).axes[-1].get_xlabel() == f"test {name}, % of turns"
        assert accuracy_by_size(comparison, narrow).axes[0].get_title("left") == f"test {name}, % of turns"
    runs, _ = read_runs(tmp_path, list(METHODS))
    curves = learning_curves(runs, measure)
    assert curves.axes[0].get_title("left") == f"5 primary dialogs: validation {name}, %"
    reached = sentence(needs(comparison)[0])
    assert "learned reaches 60.5 %" in reached
    assert (name in reached) == (measure != RESPONSES)


def test_both_intervals_stand_beside_a_difference(page: str, comparison: Comparison) -> None:
    for row in comparison.rows:
        if row.method == "learned":
            assert row.ci95 is not None and row.ci95_bootstrap is not None
            assert row.ci95 != row.ci95_bootstrap
            both = f"{show.interval(row.ci95_bootstrap)} {show.interval(row.ci95)}"
            difference = f"{show.mean_sd(row.mean, row.sd)} {show.signed(row.minus_primary)} {both}"
            assert f"learned {row.size} {difference}" in section(page, "methods")


def test_without_dialogs_one_interval_is_there_and_no_simple_table(tmp_path: Path, comparison: Comparison) -> None:
    rows = [
        row.model_copy(update={"ci95_bootstrap": None, "best_simple": None})
        for row in comparison.rows
        if not row.simple
    ]
    write_json(tmp_path / "comparison.json", Comparison(rows=tuple(rows), verdict="").model_dump(mode="json"))
    text = section(write_report(tmp_path).read_text(encoding="utf-8"), "methods")
    assert "over seeds alone" not in text
    assert "imple baseline" not in text


def test_simple_rows_stand_apart_and_the_best_is_named(page: str, comparison: Comparison) -> None:
    text = section(page, "methods")
    assert "With 5 dialogs the best simple baseline is tfidf: 55.5 % accuracy of actions." in text.replace(
        "\xa0", " "
    )
    main, against, simple = re.split("Against the best simple baseline|Simple baselines", text)
    assert "primary borrows nothing; learned gives related examples weights, which it learns." in main
    assert "\ntfidf" not in main
    assert "learned 10" not in simple
    assert simple.count("\ntfidf") + simple.count(" tfidf 5 ") == 2
    learned = next(row for row in comparison.rows if row.method == "learned" and row.size == 10)
    assert f"learned 10 tfidf +5.0 {show.interval(learned.ci95_simple)}" in against


def test_simple_rows_stand_under_a_rule_in_the_picture(comparison: Comparison) -> None:
    axes = comparison_bars(comparison).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["primary", "learned", "tfidf"]
    places = list(axes.get_yticks())
    assert places[2] - places[1] > places[1] - places[0]
    low, high = axes.get_xlim()
    assert all(low < seed.test_accuracy < high for row in comparison.rows for seed in row.seeds)


@pytest.mark.parametrize(
    ("measure", "names", "numbers"),
    [
        (ACTIONS, ["accuracy", "micro-F1", "macro-F1", "whole dialogs right"], "60.5 62.6 40.2 1.1"),
        (RANKING, ["R_100@1", "accuracy", "R_20@1", "R_100@3", "MRR_100"], "60.5 1.5 80.8 70.6 33.4"),
    ],
)
def test_all_measures_stand_in_one_table(tmp_path: Path, measure: str, names: list[str], numbers: str) -> None:
    write_measured(tmp_path, measure)
    text = section(write_report(tmp_path).read_text(encoding="utf-8"), "measures")
    assert " ".join(names) in text
    assert f"learned 5 {numbers}" in text
    run = section(write_report(tmp_path / "runs" / "learned-5-1").read_text(encoding="utf-8"), "measures")
    assert all(name in run for name in names)


def test_the_page_of_a_run_speaks_of_its_measure(tmp_path: Path) -> None:
    write_measured(tmp_path, RANKING)
    text = Outline(write_report(tmp_path / "runs" / "learned-5-1").read_text(encoding="utf-8")).text
    assert "61.0 %" in text
    assert "of the test turns have their right response first among 100" in text
    (tmp_path / "runs" / "learned-5-1" / "test.json").unlink()
    text = Outline(write_report(tmp_path / "runs" / "learned-5-1").read_text(encoding="utf-8")).text
    assert "of the validation turns have their right response first among 100" in text


def test_few_responses_to_rank_are_said(tmp_path: Path) -> None:
    write_measured(tmp_path, RANKING)
    file = tmp_path / "runs" / "primary-5-0"
    record = read_runs(tmp_path, list(METHODS))[0][0].test
    assert record is not None
    write_json(
        file / "test.json", {**record, "selection": {"100": {"fewest_ranked": 37}, "20": {"fewest_ranked": 20}}}
    )
    text = section(write_report(tmp_path).read_text(encoding="utf-8"), "measures")
    assert "fewer different responses to rank: of 100 only 37." in text


def test_of_many_kinds_of_turn_the_rarest_are_one_row(page: str) -> None:
    text = section(page, "accuracy")
    assert "request_13 " in text and "request_14 " not in text
    turns = [40 - number for number in range(14, len(ALL_KINDS))]
    right = sum(count * number for count, number in zip(turns, range(14, len(ALL_KINDS)), strict=True)) / sum(turns)
    assert f"6 other kinds {sum(turns)} {right:.1f} {right:.1f}" in text


@given(
    st.dictionaries(st.text(max_size=3), st.tuples(st.integers(0, 50), st.floats(0, 100)), max_size=30),
    st.integers(2, 20),
)
def test_taking_kinds_together_keeps_every_right_turn(kinds: dict[str, tuple[int, float]], most: int) -> None:
    entries = {kind: {"turns": turns, "hits": {"1": share}} for kind, (turns, share) in kinds.items()}
    shown = commonest({kind: turns for kind, (turns, _) in kinds.items()}, most)
    assert len(shown) + (len(shown) < len(kinds)) <= most
    rest = rest_of(entries, shown)
    parts = [*(entries[kind] for kind in shown), rest]
    assert sum(part["turns"] for part in parts) == sum(turns for turns, _ in kinds.values())
    right = sum(part["turns"] * part["hits"].get("1", 0.0) for part in parts)
    assert right == pytest.approx(sum(turns * share for turns, share in kinds.values()))


def test_every_picture_is_drawn_for_a_phone_too(page: str) -> None:
    desk = re.findall(r'class="desk"><svg[^>]*viewBox="0 0 (\d+)', page)
    phone = re.findall(r'class="phone"><svg[^>]*viewBox="0 0 (\d+)', page)
    assert len(desk) == len(phone) == page.count("<svg") / 2 > 0
    assert {int(width) for width in desk} == {648}
    assert max(int(width) for width in phone) < 358  # pixels inside the margins of a phone
    assert len(page) < 2_000_000
    assert all(name in page for name in SERVICES)
