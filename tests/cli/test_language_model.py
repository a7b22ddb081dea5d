"""`tasksieve reproduce language-model` from the command line, on a tiny model and a small archive."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import Cli
from tests.tiny_language_models import write_llama
from tests.unit.archives import write_archive


def test_it_prepares_then_tunes_and_prints_a_line_a_row(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    archive, model = write_archive(tmp_path / "archive", count=8), write_llama(tmp_path / "llama")
    options = ("reproduce", "language-model", "--out", tmp_path / "lm", "--primaries", "Boats_1", "--sizes", "2")
    options += ("--archives", "noisy", "--seeds", 1, "--steps", 2, "--rows", "primary,everything", "--ranked", 2)
    prepared = cli(*options, "--data", archive)
    assert prepared.code == 0, prepared.err
    assert "0 of 2 fine-tunings" in prepared.out
    assert not (tmp_path / "lm" / "sieve").exists()  # no row needs it
    tuned = cli(*options, "--model", model)
    assert tuned.code == 0, tuned.err
    assert "2 of 2 fine-tunings" in tuned.out
    again = cli(*options, "--json")
    rows = json.loads(again.out)["rows"]
    assert [row["row"] for row in rows] == ["primary", "everything"]
    assert "minus_primary" in rows[1]


def test_what_is_not_there_is_said(cli: Cli, tmp_path: Path) -> None:
    missing = cli("reproduce", "language-model", "--out", tmp_path / "lm")
    assert missing.code == 2
    assert "give --data" in " ".join(missing.err.split())
    unknown = cli("reproduce", "language-model", "--out", tmp_path / "lm", "--rows", "best")
    assert unknown.code == 2
    assert "known: untrained" in " ".join(unknown.err.split())
