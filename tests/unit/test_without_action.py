"""Turns without an action, where actions are predicted: said wherever dialogs are looked at, trained on or shown."""

from __future__ import annotations

import json
import logging
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tasksieve.audit import audit
from tasksieve.dialogs import Act, Dialog, Turn
from tasksieve.dialogs.formats import FORMATS
from tasksieve.experiments.compare import Plan, compare
from tasksieve.records.config import config_from
from tasksieve.records.left_out import LeftOut, left_out_sentences
from tasksieve.report.audit import audit_page
from tasksieve.report.html import write_report
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.trained_model import evaluate_run
from tests.commands import call
from tests.small import OPTIONS

WHOLE = [("hi", "Hello!", "greet"), ("where is it", "In Hill Street.", "inform"), ("bye", "Take care.", "bye")]
HALF = [("hi", "Good day!", "greet"), ("where is it", "Down the road.", ""), ("thanks", "Any time.", "")]


def written(path: Path, turns: list[tuple[str, str, str]], count: int) -> Path:
    dialogs = [
        Dialog(
            tuple(Turn(f"{user} {number}", said, acts=(Act(act),) if act else ()) for user, said, act in turns),
            line=number + 1,
        )
        for number in range(count)
    ]
    FORMATS["chat"].write(dialogs, path)
    return path


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    return {
        "primary": written(tmp_path / "mine.jsonl", WHOLE, 4),
        "valid": written(tmp_path / "held.jsonl", WHOLE, 3),
        "test": written(tmp_path / "test.jsonl", [*WHOLE, ("well", "So long.", "")], 2),
        "whole": written(tmp_path / "whole.jsonl", WHOLE, 5),
        "half": written(tmp_path / "half.jsonl", HALF, 6),
    }


def sentence_of(files: dict[str, Path]) -> str:
    return f"12 of 33 related turns have no action and teach nothing ({files['half']}: 12 of 18)"


def config_of(files: dict[str, Path]) -> dict[str, object]:
    data = {"primary": str(files["primary"]), "valid": str(files["valid"]), "predict": "actions"}
    data["related"] = [str(files["whole"]), str(files["half"])]  # type: ignore[assignment]
    return {**OPTIONS, "data": data}


def test_the_audit_says_how_many_turns_of_which_file_have_no_action(files: dict[str, Path]) -> None:
    found = audit(
        files["primary"],
        [files["whole"], files["half"]],
        valid=files["valid"],
        test=files["test"],
        predict="actions",
    )
    said = [finding.sentence for finding in found.findings if finding.topic == "turns without an action"]
    assert said == [
        f"{sentence_of(files)}.",
        f"2 of 8 test turns have no action and are not measured ({files['test']}).",
    ]
    record = json.loads(json.dumps(found.record()))
    assert {"part": "related", "file": str(files["half"]), "without": 12, "turns": 18} in record["left_out"]
    console = Console(width=80, file=StringIO())
    console.print(*audit_page(record), sep="\n")
    assert "12 of 33 related turns have no action" in console.file.getvalue()  # type: ignore[attr-defined]
    assert not audit(files["primary"], [files["half"]], predict="responses").left_out


def test_training_says_it_once_and_records_it(
    files: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tasksieve")
    for method in ("multitask", "tfidf-all"):
        caplog.clear()
        config = config_from({**config_of(files), "training": {**OPTIONS["training"], "method": method}}, None)
        result = train(config, tmp_path / method)
        assert caplog.messages.count(sentence_of(files)) == 1
        assert {"part": "related", "file": str(files["half"]), "without": 12, "turns": 18} in result["left_out"]
        page = write_report(tmp_path / method).read_text(encoding="utf-8")
        assert "12 of 33 related turns have no action and teach nothing" in page


def test_measuring_a_run_says_how_many_test_turns_are_not_measured(files: dict[str, Path], tmp_path: Path) -> None:
    values = {**config_of(files), "training": {**OPTIONS["training"], "method": "tfidf"}}
    train(config_from(values, None), tmp_path / "r")
    ended = call("evaluate", tmp_path / "r", "--data", files["test"])
    assert "2 of 8 test turns have no action and are not measured" in " ".join(ended.out.split())
    measured = evaluate_run(tmp_path / "r", files["test"])
    assert (measured["turns"], measured["left_out"][0]["without"]) == (6, 2)
    assert "left_out" not in evaluate_run(tmp_path / "r", files["primary"])


def test_a_comparison_says_it_of_all_its_files_and_its_report_too(
    files: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tasksieve")
    plan = Plan(
        config_from(config_of(files), None), str(files["test"]), ("primary", "multitask"), (), 1, tmp_path / "out"
    )
    found = compare(plan)
    assert sentence_of(files) in caplog.messages
    test = LeftOut("test", str(files["test"]), 2, 8)
    assert test in found.left_out
    page = write_report(tmp_path / "out").read_text(encoding="utf-8")
    assert "12 of 33 related turns have no action and teach nothing" in page
    assert "2 of 8 test turns have no action and are not measured" in page


def test_an_archive_on_the_disk_is_counted_alike(
    files: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "tasksieve")
    monkeypatch.setenv("TASKSIEVE_LARGE_MB", "0")
    monkeypatch.setenv("TASKSIEVE_CACHE", str(tmp_path / "cache"))
    values = config_of(files)
    training = {**OPTIONS["training"], "method": "multitask", "related_batch_size": 4}
    train(config_from({**values, "training": training}, None), tmp_path / "run")
    assert sentence_of(files) in caplog.messages


def test_of_many_files_those_that_lack_most_are_named() -> None:
    found = [LeftOut("related", f"{number}.json", number, 10) for number in range(6)]
    assert left_out_sentences(found) == [
        "15 of 60 related turns have no action and teach nothing (5.json: 5 of 10; 4.json: 4 of 10; "
        "3.json: 3 of 10; and 2 more files)"
    ]
    assert left_out_sentences([LeftOut("valid", "v", 1, 2)]) == [
        "1 of 2 validation turns have no action and judge nothing (v)"
    ]
    assert left_out_sentences([LeftOut("valid", "v", 0, 2)]) == []
