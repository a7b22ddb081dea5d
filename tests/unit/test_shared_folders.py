"""Several machines at work in one folder: they meet in no file, and leave what one would leave."""

from __future__ import annotations

import errno
import json
import logging
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tasksieve.dialogs.simulate import simulate, write_simulation
from tasksieve.errors import Unfinished, UserError
from tasksieve.experiments import ray_workers
from tasksieve.experiments.board.board import BoardPlan, reproduce_archive
from tasksieve.experiments.calibration.calibration import VerdictPlan, reproduce_verdict
from tasksieve.experiments.calibration.data import Numbers
from tasksieve.experiments.compare import Plan, compare
from tasksieve.experiments.slices import SliceJobs
from tasksieve.experiments.workers import Job
from tasksieve.records.files import write_text, write_whole
from tasksieve.records.lock import PATIENCE, FolderLock, claimed
from tasksieve.records.progress import RunProgress
from tasksieve.training.runs import archives
from tests.small import small_config
from tests.unit.archives import write_archive

QUICK = (
    "training.iterations=4",
    "training.evaluate_every=2",
    "training.batch_size=4",
    "model.kind=memory-network",
    "model.dim=4",
)


def quiet(name: str, report: RunProgress) -> None:
    pass


@pytest.fixture
def one_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """All processes have the same number, as in containers on several machines."""
    monkeypatch.setattr(os, "getpid", lambda: 7)


@pytest.mark.usefixtures("one_number")
def test_a_file_that_another_machine_writes_meanwhile_is_not_met(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"

    def write(part: Path) -> None:
        part.write_text("task,label\n")
        write_text(file, "of the other machine\n")
        assert part.read_text() == "task,label\n"

    write_whole(file, write)
    assert file.read_text() == "task,label\n"
    assert [left.name for left in tmp_path.iterdir()] == ["labels.csv"]


@pytest.mark.usefixtures("one_number")
def test_dialogs_that_another_machine_simulates_meanwhile_are_not_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasksieve.dialogs.simulate import splits

    whole, write_babi = simulate("restaurant", dialogs=2, seed=1, task=1), splits.write_babi
    here = threading.local()

    def write(dialogs: object, path: Path) -> None:
        write_babi(dialogs, path)  # type: ignore[arg-type]
        if not getattr(here, "inner", False):
            here.inner = True
            write_simulation(whole, tmp_path)
            here.inner = False

    monkeypatch.setattr(splits, "write_babi", write)
    files = write_simulation(whole, tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(files)


class Interrupted:
    """Interrupts a slice at the end of its second run."""

    def __init__(self) -> None:
        self.ended = 0

    def __call__(self, name: str, report: RunProgress) -> None:
        self.ended += report.ended
        if self.ended == 2:
            raise KeyboardInterrupt


def test_an_interrupted_slice_leaves_the_boards_record_and_models_to_who_holds_the_folder(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "archive"), tmp_path / "out"
    plan = BoardPlan(archive, ("Boats_1",), (3,), ("clean",), ("actions",), ("primary",), 2, out, QUICK)
    with pytest.raises(KeyboardInterrupt):
        reproduce_archive(plan, 1, Interrupted(), SliceJobs(1, 2))
    assert len(list((out / "runs").rglob("test.json"))) == 1
    assert not (out / "archive.json").exists()
    assert list(out.rglob("best.safetensors"))
    assert reproduce_archive(plan, 1, quiet, SliceJobs(1, 2))["runs"] == {"done": 2, "all": 2}


def test_an_interrupted_slice_leaves_the_calibrations_record_to_who_holds_the_folder(tmp_path: Path) -> None:
    plan = VerdictPlan(("near",), 1, 2, tmp_path, QUICK, ("primary", "multitask"), Numbers(4, 4, 4, 4, 8))
    with pytest.raises(KeyboardInterrupt):
        reproduce_verdict(plan, 1, Interrupted(), SliceJobs(1, 2))
    assert len(list((tmp_path / "runs").rglob("test.json"))) == 1
    assert not (tmp_path / "verdict.json").exists()


def test_what_was_to_be_mended_stands_in_the_table_whichever_slice_writes_it(tasks_dir: Path, tmp_path: Path) -> None:
    config = small_config(tasks_dir, training={"iterations": 4})
    plan = Plan(config, str(tasks_dir / "primary"), ("primary",), (), 2, tmp_path)
    with claimed(tmp_path / "runs" / "primary-6-1"), pytest.raises(Unfinished):
        compare(replace(plan, to_mend=("a dialog stands twice",)), 1, quiet, SliceJobs(1, 2))
    found = compare(plan, 1, quiet, SliceJobs(2, 2))  # runs are there, so that it looked at no dialog
    assert found.to_mend == ("a dialog stands twice",)
    assert json.loads((tmp_path / "comparison.json").read_text())["to_mend"] == ["a dialog stands twice"]


def no_flock(number: int) -> bool:
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


def test_an_archive_on_a_file_system_without_locks_is_refused_and_leaves_nothing_to_wait_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filelock._unix.lock_fd_nonblocking", no_flock)
    with (
        pytest.raises(UserError, match="its file system knows no locks; set TASKSIEVE_CACHE to a folder on a local"),
        archives._alone(tmp_path / "archives" / "one"),
    ):
        pytest.fail("nobody is alone there")


def test_who_waits_for_an_archive_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder, order = tmp_path / "archives" / "one", list[str]()

    def second() -> None:
        with archives._alone(folder):
            order.append("second")

    waiting = threading.Thread(target=second)
    with caplog.at_level(logging.INFO, "tasksieve"):
        with archives._alone(folder):
            waiting.start()
            until = time.monotonic() + 60
            while not caplog.records and time.monotonic() < until:
                time.sleep(0.01)
            order.append("first")
        waiting.join()
    assert order == ["first", "second"]
    assert [record.getMessage() for record in caplog.records] == [
        "another process is reading the archive; waiting for it"
    ]


def test_a_run_on_ray_waits_for_the_locks_of_a_machine_that_was_lost(tmp_path: Path) -> None:
    ended: list[str] = []
    folder = tmp_path / "run"

    def train(watch: object) -> None:
        with FolderLock(folder):
            ended.append("trained")

    def work() -> None:
        try:
            ray_workers._remote(Job("run", folder, train, dict), None)
        except UserError as error:
            ended.append(str(error))

    replaced = threading.Thread(target=work)
    with FolderLock(folder):
        replaced.start()
        time.sleep(PATIENCE + 0.5)
    replaced.join()
    assert ended == ["trained"]
