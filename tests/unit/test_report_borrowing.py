"""What was taken for what, and from whom was borrowed: the summaries, the figure and the sections."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tasksieve.records.files import write_text
from tasksieve.report.confusions import best_borrower, confusions, mistaken, predictions_of
from tasksieve.report.html import write_report
from tasksieve.report.reading import read_comparison, read_run, read_runs
from tasksieve.report.service_figures import weights_by_service
from tasksieve.report.services import services
from tasksieve.report.weights import named_tasks
from tasksieve.training.runs.read_files import service_names
from tests.unit.measured_folders import METHODS, SERVICES, predictions, related_examples, write_measured
from tests.unit.report_folders import KINDS, STEPS, Outline, weights_frame
from tests.unit.test_report_measures import section


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("borrowing")
    write_measured(folder)
    return folder


def both_seeds(method: str) -> pl.DataFrame:
    return pl.concat([predictions(method, seed).with_columns(run=pl.lit(seed)) for seed in range(2)])


# Confusions


def test_confusions_are_counted_a_run_and_the_most_frequent_come_first() -> None:
    found = confusions({"primary": both_seeds("primary"), "learned": both_seeds("learned")})
    assert [(one.right, one.predicted, one.turns) for one in found] == [
        ("offer", "request_town", (5.0, 1.0)),
        ("request_town", "", (1.0, 1.0)),
        ("request_town", "offer", (1.0, 1.0)),
    ]
    assert [one.user for one in found] == ["what have you got?", "<SILENCE>", "a table"]
    assert len(confusions({"primary": both_seeds("primary")}, most=2)) == 2


def test_a_confusion_that_one_method_does_not_make_counts_nothing_for_it() -> None:
    right = both_seeds("learned").with_columns(predicted=pl.col("right"), hit=pl.lit(True))
    first, *_ = confusions({"primary": right, "learned": both_seeds("primary")})
    assert (first.right, first.turns, first.user) == ("offer", (0.0, 5.0), "what have you got?")


def test_by_kind_it_is_said_what_each_method_predicts_instead() -> None:
    found = mistaken({"primary": both_seeds("primary"), "learned": both_seeds("learned")}, ["offer", "goodbye"])
    assert found[0].turns == 10
    assert found[0].instead == (("request_town", 5.0), ("request_town", 1.0))
    assert found[1].instead == (None, None)


def test_the_page_shows_primary_beside_the_method_that_validation_chooses(folder: Path) -> None:
    assert best_borrower(read_comparison(folder)) == "learned"
    text = section(write_report(folder).read_text(encoding="utf-8"), "confusions")
    assert "right action predicted instead primary, turns learned, turns the user had said" in text
    assert "offer request_town 5 1 what have you got?" in text
    assert "request_town nothing 1 1 (nothing)" in text
    assert "offer 10 request_town (5) request_town (1)" in text
    run = section(write_report(folder / "runs" / "primary-10-1").read_text(encoding="utf-8"), "confusions")
    assert "offer request_town 4 what have you got?" in run


def test_runs_without_predictions_have_no_confusions_and_broken_ones_are_said(tmp_path: Path) -> None:
    write_measured(tmp_path)
    write_text(tmp_path / "runs" / "primary-10-0" / "predictions.parquet", "no parquet")
    assert "It cannot be shown: " in section(write_report(tmp_path).read_text(encoding="utf-8"), "confusions")
    for file in tmp_path.glob("runs/*/predictions.parquet"):
        file.unlink()
    assert 'id="confusions"' not in write_report(tmp_path).read_text(encoding="utf-8")
    assert predictions_of(read_runs(tmp_path, list(METHODS))[0]) is None


# Services


def weights() -> pl.DataFrame:
    return pl.concat([weights_frame(related_examples(), step) for step in STEPS])


def test_services_are_ordered_by_their_mean_weight_at_the_end() -> None:
    found = services(weights(), named_tasks(related_examples(), SERVICES), moments=5, most=3)
    assert found.steps == (0, 200, 400, 600, 800)
    assert [one.name for one in found.each] == list(SERVICES)
    assert {one.examples for one in found.each} == {4}
    assert found.each[0].means[0] == pytest.approx(0.5)
    first = weights().filter((pl.col("dialog") == 0) & (pl.col("step") == 800))["weight"].to_list()
    assert found.each[0].means[-1] == pytest.approx(sum(first) / 4)
    assert found.kinds[-1] == "other kinds" and set(found.kinds[:-1]) < set(KINDS)
    shown = [KINDS.index(kind) for kind in found.kinds[:-1]]
    others = [weight for place, weight in enumerate(first) if place not in shown]
    assert found.each[0].kinds == pytest.approx((*(first[place] for place in shown), sum(others) / len(others)))


def test_one_related_task_has_no_section_of_services() -> None:
    alone = related_examples().with_columns(task=pl.lit(0))
    assert services(weights(), named_tasks(alone, ["only"])).each == ()
    with pytest.raises(ValueError, match="no two related tasks"):
        weights_by_service(services(weights(), named_tasks(alone, ["only"])))


@pytest.mark.parametrize("narrow", [False, True])
def test_the_map_has_a_row_for_each_service_with_its_weight_at_the_end(narrow: bool) -> None:
    found = services(weights(), named_tasks(related_examples(), SERVICES))
    axes = weights_by_service(found, narrow).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(SERVICES)
    numbers = [text.get_text() for text in axes.texts]
    assert numbers == [f"{one.means[-1]:.2f}" for one in found.each]
    assert axes.collections[0].get_array().shape == (19, len(STEPS))  # type: ignore[union-attr]


def test_the_page_says_from_whom_was_borrowed(folder: Path) -> None:
    page = write_report(folder).read_text(encoding="utf-8")
    text = section(page, "services")
    assert "related task examples at 0 at 400 at 800" in text
    last = weights().filter((pl.col("dialog") == 18) & (pl.col("step") == 800))["weight"].mean()
    assert any(line.startswith("service_18 4 0.50 ") and line.endswith(f" {last:.2f}") for line in text.splitlines())
    assert "of service_0" in Outline(page).text
    first = text.index("service_0 4"), text.index("service_18 4")
    assert first == tuple(sorted(first))


def test_services_that_were_not_recorded_are_numbered(tmp_path: Path) -> None:
    write_measured(tmp_path)
    run = read_run(tmp_path / "runs" / "learned-10-0")
    assert run.result is not None
    run.folder.write_record("result", {name: value for name, value in run.result.items() if name != "services"})
    assert "related task 19 4 " in section(write_report(run.folder.path).read_text(encoding="utf-8"), "services")


def test_related_tasks_are_named_by_file_and_by_folder_where_that_holds_a_split() -> None:
    files = ["old/billing.jsonl", "hotel/train.txt", "new/billing.jsonl", "a/b/x.txt", "c/b/x.txt"]
    names = service_names([Path(file) for file in files])
    assert names == ["old/billing", "hotel", "new/billing", "b/x (1)", "b/x (2)"]


def test_a_project_of_rasa_is_called_as_its_folder(tmp_path: Path) -> None:
    for project in ("moving1", "moving2"):
        (tmp_path / project / "data").mkdir(parents=True)
        (tmp_path / project / "domain.yml").write_text("intents: []\n")
        (tmp_path / project / "data" / "stories.yml").write_text("stories:\n- story: a\n  steps: [{bot: hi}]\n")
    projects = [tmp_path / name / "data" / "stories.yml" for name in ("moving1", "moving2")]
    assert service_names(projects[:1]) == ["moving1"]
    assert service_names([*projects, tmp_path / "old.jsonl"]) == ["moving1", "moving2", "old"]
    assert service_names([tmp_path / "stories.yml", Path("kvret/data/train.json")]) == ["stories", "kvret"]
