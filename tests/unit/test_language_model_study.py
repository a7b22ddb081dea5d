"""The study of language models: rows, batches, fine-tunings side by side, and its record."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tasksieve.errors import UserError
from tasksieve.experiments.language_study.data import SELECTIONS, StudyData, StudyFiles
from tasksieve.experiments.language_study.measures import exam_of, measures_of
from tasksieve.experiments.language_study.rows import ROWS, Part, batch_of, in_turn, parts_of, turn_weights
from tasksieve.experiments.language_study.study import LanguagePlan, reproduce_language_model
from tasksieve.experiments.language_study.training import SideBySide, Task, Tuning
from tasksieve.models.language_model.adapters import Adapters
from tasksieve.models.language_model.loading import load_pretrained
from tasksieve.models.language_model.tokens import DialogTokens, Spoken
from tasksieve.report.language_model import language_model_table
from tests.tiny_language_models import write_llama
from tests.unit.archives import write_archive

CELLS = sum(2 if row.borrows else 1 for row in ROWS.values())
QUICK = ("training.iterations=4", "training.evaluate_every=2", "meta.warm_up=0")
DIALOG = [("hello", "who is there?", "request:name"), ("me", "good bye", "goodbye:")]
OTHER = [("a boat", "on what day?", "request:day"), ("today", "it is booked", "notify_success:")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers")
    return write_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> LanguagePlan:
    out = tmp_path_factory.mktemp("study")
    return LanguagePlan(
        source=write_archive(out / "archive", count=12),
        model=None,
        out=out / "out",
        primaries=("Boats_1",),
        sizes=(2,),
        archives=("clean", "stale"),
        seeds=1,
        steps=14,
        ranked=6,
        sieve=QUICK,
    )


@pytest.fixture(scope="module")
def record(plan: LanguagePlan, folder: Path) -> dict[str, Any]:
    prepared = reproduce_language_model(plan)
    assert prepared["cells"] == {"done": 0, "all": CELLS}
    return reproduce_language_model(replace(plan, source=None, model=str(folder)))


def test_every_row_of_every_archive_is_measured(record: dict[str, Any]) -> None:
    assert record["cells"] == {"done": CELLS, "all": CELLS}
    rows = {(row["archive"], row["row"]): row for row in record["rows"]}
    assert set(rows) == {
        (archive if row.borrows else "alone", name) for name, row in ROWS.items() for archive in ("clean", "stale")
    }
    for row in rows.values():
        (seed,) = row["seeds"]
        counts = seed["by_dialog"]
        assert row["nll"]["mean"] == pytest.approx(sum(counts["nll"]) / sum(counts["tokens"]), abs=1e-3)
        assert sum(counts["turns"]) == 6
    alone, everything = rows["alone", "primary"], rows["stale", "everything"]
    assert everything["minus_primary"]["nll"]["mean"] == pytest.approx(
        everything["nll"]["mean"] - alone["nll"]["mean"], abs=1e-4
    )
    assert rows["alone", "untrained"]["tokens"] == {"read": 0, "learned": 0, "for_weights": 0}
    learned = rows["stale", "learned"]["seeds"][0]["weights"]
    assert set(learned) == {"Rooms_1", "Tables_1"}
    assert all(0 < weight < 1 for weight in learned.values())
    assert rows["stale", "learned"]["tokens"]["for_weights"] > 0


def test_whole_dialogs_cost_half_of_the_archive(record: dict[str, Any]) -> None:
    tokens = {row["row"]: row["tokens"]["read"] for row in record["rows"] if row["archive"] in ("alone", "clean")}
    borrowed = {name: tokens[name] - tokens["primary"] for name in ("everything", "sieved-dialogs", "bm25-dialogs")}
    assert borrowed["sieved-dialogs"] == pytest.approx(borrowed["everything"] / 2, rel=0.15)
    assert borrowed["bm25-dialogs"] == pytest.approx(borrowed["everything"] / 2, rel=0.15)


def test_it_goes_on_where_it_was_stopped(plan: LanguagePlan, record: dict[str, Any]) -> None:
    cell = plan.out / "cells" / "Boats_1" / "clean" / "bm25-2-seed-0.json"
    whole, before = cell.read_text(), (plan.out / "language-model.json").read_text()
    cell.unlink()
    said: list[str] = []
    with pytest.raises(UserError, match="no folder of a model"):
        reproduce_language_model(replace(plan, source=None, model="/nowhere"), said.append)
    cell.write_text(whole)
    assert reproduce_language_model(replace(plan, source=None, model="/nowhere"), said.append) == record
    assert (plan.out / "language-model.json").read_text() == before
    assert "bm25" in str(json.loads(before)["rows"])


def test_no_fine_tuning_begins_after_its_time(plan: LanguagePlan, folder: Path, record: dict[str, Any]) -> None:
    said: list[str] = []
    rows = ("primary", "everything")  # which need no scores, and a cell for each archive of those that borrow
    late = replace(plan, source=None, model=str(folder), sizes=(2, 3), rows=rows, seconds=0.0)
    reproduce_language_model(replace(late, model=None))
    found = reproduce_language_model(late, said.append)
    assert found["cells"] == {"done": 3, "all": 6}
    assert any("--minutes" in line for line in said)


def test_the_table_has_a_line_a_row(record: dict[str, Any]) -> None:
    assert language_model_table(record).row_count == len(record["rows"]) == CELLS


def test_what_is_asked_for_is_checked_first(plan: LanguagePlan) -> None:
    with pytest.raises(UserError, match="known: untrained, primary"):
        reproduce_language_model(replace(plan, rows=("best",)))
    with pytest.raises(UserError, match="--sizes"):
        reproduce_language_model(replace(plan, sizes=()))
    with pytest.raises(UserError, match="give --data"):
        reproduce_language_model(replace(plan, source=None, out=plan.out / "elsewhere"))


def _data() -> StudyData:
    dialogs = [DIALOG, OTHER, [*OTHER, *DIALOG], DIALOG]
    return StudyData([], [], [], ["a", "b"], {"clean": dialogs}, {"clean": [0, 0, 1, 1]})


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.score and not row.graded])
def test_a_selection_keeps_half_of_the_turns(name: str) -> None:
    scores = {key: [9.0, 1, 2, 3, 8, 7, 6, 5, 4, 0] for key in (*SELECTIONS, "embedding")}
    kept = turn_weights(ROWS[name], _data(), "clean", scores, 0)
    if name == "sieved":
        assert kept == [1, 0, 0, 0, 1, 1, 1, 1, 0, 0]
    if name == "sieved-dialogs":
        assert kept == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0] or sum(kept) >= 5
        assert len({*kept[:2]}) == len({*kept[4:8]}) == 1
    else:
        assert sum(kept) in (5, 6)


def test_tokens_of_turns_without_weight_do_not_count() -> None:
    spoken = Spoken(tuple(range(9)), ((2, 4), (6, 9)))
    one, other = Part(spoken, (1.0, 0.0), 0), Part(spoken, (0.5, 1.0), 1)
    first, second = batch_of([one, other])
    assert first.weights == pytest.approx([1 / 6, 1 / 6, 0, 0, 0])
    assert sum(first.weights) + sum(second.weights) == pytest.approx(1)
    first, second = batch_of([one, other], by_count=True)
    assert first.weights == pytest.approx([0.1, 0.1, 0, 0, 0])


def test_every_dialog_is_drawn_once_before_any_is_drawn_again() -> None:
    parts = [Part(Spoken((number,), ()), (), 0) for number in range(5)]
    drawn = in_turn(parts, "seed", 2)
    seen = [part.spoken.tokens[0] for _ in range(5) for part in next(drawn)]
    assert sorted(seen[:5]) == sorted(seen[5:]) == list(range(5))


def test_fine_tunings_side_by_side_are_as_they_are_alone(folder: Path) -> None:
    pretrained = load_pretrained(str(folder))
    tokens, adapters = DialogTokens(pretrained.tokenizer), Adapters(pretrained.model, rank=2)
    primary, valid = parts_of([DIALOG, DIALOG[:1]], tokens), parts_of([DIALOG], tokens)
    related = parts_of([OTHER, DIALOG], tokens, services=[0, 1])
    tasks = [
        Task(ROWS[name], primary, valid, related if ROWS[name].borrows else [], 2, "0")
        for name in ("primary", "everything", "learned")
    ]
    tuning = Tuning(steps=12, rank=2, lr=1e-2, validations=3)
    together = SideBySide(pretrained, tasks, tuning, adapters)
    found = together.train()
    for number, task in enumerate(tasks):
        alone = SideBySide(pretrained, [task], tuning, adapters)
        (tuned,) = alone.train()
        assert [loss for _, loss in tuned.curve] == pytest.approx([loss for _, loss in found[number].curve], abs=2e-3)
        assert tuned.tokens == found[number].tokens
        assert tuned.weights == pytest.approx(found[number].weights, abs=2e-2)
    assert found[0].valid < found[0].curve[0][1]


def test_a_service_whose_responses_are_scrambled_gets_less_weight(folder: Path) -> None:
    pretrained = load_pretrained(str(folder))
    tokens, adapters = DialogTokens(pretrained.tokenizer), Adapters(pretrained.model)
    good = [[("hello", "abcabcabcabc", "")], [("and", "abcabcabc", "")]]
    bad = [[("hello", "zqzqzqzqzqzq", "")], [("and", "qzqzqzqzqz", "")]]
    related = parts_of([*good, *bad], tokens, services=[0, 0, 1, 1])
    task = Task(ROWS["learned"], parts_of(good, tokens), parts_of(good, tokens), related, 2, "0")
    (tuned,) = SideBySide(pretrained, [task], Tuning(steps=40, lr=1e-2), adapters).train()
    assert tuned.weights[0] > tuned.weights[1] + 0.2


def test_the_right_response_comes_first_if_its_score_is_highest(folder: Path) -> None:
    pretrained = load_pretrained(str(folder))
    exam = exam_of([DIALOG, OTHER], DialogTokens(pretrained.tokenizer))
    assert [len(turn.candidates) for turn in exam.ranked] == [4, 4, 4, 4]
    found = measures_of(exam, [10.0, 20.0], [(True, True), (False, True), (False, False), (False, False)])
    assert (found["R_20@1"], found["agreement"]) == (25, 50)
    assert found["by_dialog"]["right"] == [1, 0]


def test_what_was_not_prepared_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="give --data"):
        StudyFiles(tmp_path).read("Boats_1", 0)
    with pytest.raises(UserError, match="give --data"):
        StudyFiles(tmp_path).read_scores("Boats_1", 0, 2, "clean")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_it_runs_on_a_gpu(plan: LanguagePlan, folder: Path, record: dict[str, Any], tmp_path: Path) -> None:
    there = replace(plan, source=None, model=str(folder), device="cuda", rows=("primary", "learned"))
    for file in (plan.out / "data").rglob("*"):
        if file.is_file():
            copy = tmp_path / "data" / file.relative_to(plan.out / "data")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    found = reproduce_language_model(replace(there, out=tmp_path))
    assert found["cells"]["done"] == found["cells"]["all"]
