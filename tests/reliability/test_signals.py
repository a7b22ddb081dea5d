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
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from tasksieve.errors import UserError
from tasksieve.records import lock
from tasksieve.records.lock import FolderLock
from tests.reliability.victims import SHORT, command, environment, learn, left, start

ENDLESS = {"iterations": 100_000, "evaluate_every": 5, "patience": 100_000}


def begin(words: list[str]) -> subprocess.Popen[str]:
    """Start a command that takes Ctrl-C, also where a shell lets its jobs in the background ignore it."""
    return subprocess.Popen(
        words,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_training_cleanly(tasks_dir: Path, tmp_path: Path, number: int, code: int) -> None:
    words = command(tasks_dir, tmp_path / "run", ENDLESS)
    running = begin(words)
    wait_for((tmp_path / "run" / "checkpoints" / "last.safetensors").exists)
    if number == signal.SIGTERM:
        refused = subprocess.run(words, env=environment(), capture_output=True, text=True, check=False)
        assert refused.returncode == 2, refused.stderr
        assert refused.stderr.splitlines()[-1] == (
            f"error: {tmp_path / 'run'}: another tasksieve (process {running.pid} on {platform.node()}) is at work "
            "in this folder; wait until it is done, or choose another --out"
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


def test_workers_end_with_a_killed_parent_and_the_same_command_goes_on(tasks_dir: Path, tmp_path: Path) -> None:
    primary = str(tasks_dir / "primary")
    words = [
        sys.executable,
        "-m",
        "tasksieve",
        "compare",
        "--primary",
        primary,
        "--valid",
        primary,
        "--test",
        primary,
    ]
    words += ["--methods", "primary", "--seeds", "2", "--workers", "2", "--out", str(tmp_path / "c"), "--json"]
    words += [f"--set=training.{key}={value}" for key, value in {"iterations": 300, "evaluate_every": 20}.items()]
    parent = begin(words)
    checkpoints = [
        tmp_path / "c" / "runs" / f"primary-6-{seed}" / "checkpoints" / "last.safetensors" for seed in (0, 1)
    ]
    wait_for(lambda: all(file.exists() for file in checkpoints))
    workers = children_of(parent.pid)
    assert len(workers) >= 2
    parent.kill()
    parent.communicate()
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [seed["iterations"] for seed in json.loads(done.stdout)["rows"][0]["seeds"]] == [300, 300]


def children_of(parent: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def test_resume_can_be_refused(tasks_dir: Path, tmp_path: Path) -> None:
    words = command(tasks_dir, tmp_path / "run", SHORT)
    fresh = subprocess.run([*words, "--resume"], env=environment(), capture_output=True, text=True, check=False)
    assert fresh.returncode == 0, fresh.stderr
    refused = subprocess.run([*words, "--no-resume"], env=environment(), capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "holds a run already; leave --no-resume out to go on" in refused.stderr
    learn(tasks_dir, tmp_path / "same", SHORT)
    assert left(tmp_path / "run") == left(tmp_path / "same")
