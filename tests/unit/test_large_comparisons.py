"""Commands on an archive that is too large for memory: none of them holds its dialogs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasksieve.dialogs import Dialog
from tasksieve.dialogs.formats import iterate_dialogs, read_dialogs
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.experiments.compare import Plan, compare
from tasksieve.experiments.with_results import with_related
from tasksieve.experiments.workers import Job
from tasksieve.records.comparison import Comparison
from tasksieve.records.config import config_from
from tasksieve.records.left_out import LeftOut
from tasksieve.records.progress import RunProgress
from tasksieve.records.run_folder import RunFolder
from tasksieve.variables import LARGE_FILES
from tests.commands import call
from tests.desks import data_of_desks, write_desks

SETTINGS = {"iterations": 4, "evaluate_every": 2, "snapshot_every": 4, "batch_size": 4, "related_batch_size": 4}


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_desks(tmp_path_factory.mktemp("desks"), own=4, each=3)


def compared(desks: Path, out: Path, methods: tuple[str, ...], *, given: bool) -> Comparison:
    values = {"data": data_of_desks(desks), "model": {"sentences": "bag-of-words", "dim": 8}, "training": SETTINGS}
    plan = Plan(config_from(values), str(desks / "new" / "test.jsonl"), methods, (), 1, out, methods_given=given)
    return compare(plan, 1, quiet)


def quiet(name: str, report: RunProgress) -> None:
    pass


@pytest.mark.usefixtures("on_the_disk")
def test_a_comparison_leaves_a_large_archive_to_its_runs_and_finds_the_same(
    desks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[Path] = []

    def read(path: Path, *, strict: bool = False) -> list[Dialog]:
        held.append(path)
        return read_dialogs(path, strict=strict)

    monkeypatch.setattr("tasksieve.training.runs.memo.read_dialogs", read)
    monkeypatch.setattr("tasksieve.experiments.compare.has_vectors", lambda config: False)
    found = compared(desks, tmp_path / "disk", ("primary", "multitask"), given=False)
    assert {path.parent.name for path in held} == {"new"}
    assert [row.method for row in found.rows] == ["primary", "multitask", "tfidf"]
    monkeypatch.setenv(LARGE_FILES, "1000")
    other = compared(desks, tmp_path / "memory", ("primary", "multitask", "tfidf"), given=True)
    assert {path.parent.name for path in held} == {"new", "old"}
    assert [row.mean for row in found.rows] == [row.mean for row in other.rows]
    assert found.left_out == other.left_out


def test_what_is_left_out_of_an_archive_is_taken_from_the_first_run_that_borrowed(tmp_path: Path) -> None:
    parts = [LeftOut("primary", "a", 1, 9), LeftOut("test", "b", 2, 9)]
    related = LeftOut("related", "c", 3, 9)
    jobs = [Job(name, tmp_path / name, lambda watch: None, dict) for name in ("primary", "multitask")]
    RunFolder(jobs[0].path).write_record("result", {})
    RunFolder(jobs[1].path).write_record(
        "result", {"left_out": [{"part": "related", "file": "c", "without": 3, "turns": 9}]}
    )
    assert with_related(parts, jobs) == (parts[0], related, parts[1])
    assert with_related(parts, jobs[:1]) == tuple(parts)


@pytest.mark.usefixtures("on_the_disk")
def test_a_training_says_that_it_does_not_look_through_a_large_archive(
    desks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []

    def iterate(path: Path, journal: Journal) -> Iterator[Dialog]:
        looked.append(path)
        return iterate_dialogs(path, journal)

    monkeypatch.setattr("tasksieve.audit.files.iterate_dialogs", iterate)
    files = ["--primary", desks / "new", "--valid", desks / "new", "--out", tmp_path / "run"]
    settings = ["--set", "model.sentences=bag-of-words", "--set", "training.iterations=2", "--method", "multitask"]
    ended = call("train", *files, "--related", desks / "old", *settings)
    assert ended.code == 0, ended.err
    assert {path.parent.name for path in looked} == {"new"}
    assert "together and were not looked through; `tasksieve audit` does that" in " ".join(ended.err.split())
    nowhere = call("train", *files, "--related", tmp_path / "nowhere", *settings)
    assert nowhere.code == 2
    assert nowhere.err.splitlines()[-1].startswith("error: ")
