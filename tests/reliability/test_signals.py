"""Ctrl-C, SIGTERM, a second process, a killed parent: clean ends, and a lock that dies with its holder."""

from __future__ import annotations

import errno
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from tasksieve.errors import UserError
from tasksieve.records import lock
from tasksieve.records.lock import FolderLock
from tests.commands import call
from tests.reliability.victims import SHORT, command, environment, learn, left, start, wait_for, words

ENDLESS = {"iterations": 100_000, "evaluate_every": 5, "patience": 100_000}


def begin(line: list[str]) -> subprocess.Popen[str]:
    """Start a command that takes Ctrl-C, also where a shell lets its jobs in the background ignore it."""
    return subprocess.Popen(
        line,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_training_cleanly(tasks_dir: Path, tmp_path: Path, number: int, code: int) -> None:
    running = begin(command(tasks_dir, tmp_path / "run", ENDLESS))
    wait_for((tmp_path / "run" / "checkpoints" / "last.safetensors").exists)
    if number == signal.SIGTERM:
        refused = call("train", *words(tasks_dir, tmp_path / "run", ENDLESS))
        assert (refused.code, refused.err.splitlines()[-1]) == (
            2,
            f"error: {tmp_path / 'run'}: another tasksieve (process {running.pid} on {platform.node()}) is at work "
            "in this folder; wait until it is done, or choose another --out",
        )
    running.send_signal(number)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == code, errors
    assert errors.splitlines()[-1] == ("interrupted; what was finished is kept. Run the same command again to go on.")
    assert "Traceback" not in errors
    assert not list((tmp_path / "run").rglob("*.part"))


def test_the_lock_names_its_holder_and_dies_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.05)
    folder = tmp_path / "run"
    holder = start(hold, folder)
    wait_for((folder / "held").exists)
    said = f"another tasksieve (process {holder.pid} on {platform.node()}) is at work in this folder"
    with pytest.raises(UserError, match=re.escape(said)), FolderLock(folder):
        pass
    (folder / lock.LOCK).write_text("")
    with pytest.raises(UserError, match="another tasksieve is at work in this folder"), FolderLock(folder):
        pass
    holder.kill()
    holder.join()
    with FolderLock(folder):
        pass
    assert (folder / lock.LOCK).read_text() == ""


@pytest.mark.parametrize(("number", "entered"), [(errno.ENOLCK, True), (errno.EIO, False)])
def test_only_a_file_system_without_locks_is_used_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, entered: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    with nullcontext() if entered else pytest.raises(UserError, match="cannot be written"), FolderLock(tmp_path):
        pass


def hold(folder: Path) -> None:
    with FolderLock(folder):
        (folder / "held").touch()
        time.sleep(600)


def test_a_comparison_goes_on_after_ctrl_c_and_after_its_parent_was_killed(tasks_dir: Path, tmp_path: Path) -> None:
    data = [word for option in ("primary", "valid", "test") for word in (f"--{option}", str(tasks_dir / "primary"))]
    options = ["--methods", "primary", "--seeds", "2", "--workers", "2", "--out", str(tmp_path / "c"), "--json"]
    training = {"iterations": 2400, "evaluate_every": 40, "patience": 600}
    settings = [f"--set=training.{key}={value}" for key, value in training.items()]
    line = [sys.executable, "-m", "tasksieve", "compare", *data, *options, *settings]
    metrics = [tmp_path / "c" / "runs" / f"primary-6-{seed}" / "metrics.jsonl" for seed in (0, 1)]

    interrupted = begin(line)
    wait_for(lambda: min(map(lines_of, metrics)) > 0)
    interrupted.send_signal(signal.SIGINT)
    _, errors = interrupted.communicate(timeout=120)
    assert interrupted.returncode == 130, errors
    assert "interrupted; what was finished is kept" in errors
    assert "Traceback" not in errors

    before = [lines_of(file) for file in metrics]
    parent = begin(line)
    wait_for(lambda: any(lines_of(file) > count for file, count in zip(metrics, before, strict=True)))
    workers = children_of(parent.pid)
    assert len(workers) >= 2
    parent.kill()
    parent.communicate()
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))

    done = subprocess.run([*line, "--workers", "1"], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [seed["iterations"] for seed in json.loads(done.stdout)["rows"][0]["seeds"]] == [2400, 2400]
    for file in metrics:
        steps = [json.loads(text)["step"] for text in file.read_text().splitlines()]
        assert steps == list(range(40, 2401, 40))


def lines_of(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


def children_of(parent: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def test_resume_can_be_refused(tasks_dir: Path, tmp_path: Path) -> None:
    options = words(tasks_dir, tmp_path / "run", SHORT)
    fresh = call("train", *options, "--resume")
    assert fresh.code == 0, fresh.err
    refused = call("train", *options, "--no-resume")
    assert refused.code == 2
    assert "holds a run already; leave --no-resume out to go on" in refused.err
    learn(tasks_dir, tmp_path / "same", SHORT)
    assert left(tmp_path / "run") == left(tmp_path / "same")
