"""Small trainings in processes of their own, to be killed, starved and resumed; what they leave, byte for byte."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from tasksieve.records import files
from tasksieve.training.loop import tensor_files
from tasksieve.training.runs.dialogs import train
from tests.commands import small_options
from tests.processes import forked
from tests.small import OPTIONS, small_config

LONG = {"iterations": 30, "evaluate_every": 2, "snapshot_every": 2}
SHORT = {"iterations": 6, "evaluate_every": 2, "snapshot_every": 4}
TIMES = ("times.jsonl", ".lock", "refused.safetensors")
"""Files that may differ: the clock's, and those that tell of an accident."""


def learn(tasks: Path, out: Path, training: dict[str, Any]) -> None:
    """Train on :func:`tests.small.write_tasks` with learned weights."""
    options = {"method": "learned", **training}
    train(small_config(tasks, "restaurant", training={**OPTIONS["training"], **options}), out)


def start(work: Callable[..., None], *arguments: object) -> ForkServerProcess:
    """Begin work in a process of its own."""
    process = forked().Process(target=work, args=arguments, daemon=True)
    process.start()
    return process


def wait_for(done: Callable[[], bool]) -> None:
    """Wait until something is so; two minutes at most."""
    deadline = time.monotonic() + 120
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def finished(tasks: Path, out: Path, training: dict[str, Any]) -> bool:
    """Begin or go on with a training in a process of its own; whether it came to its end."""
    process = start(learn, tasks, out, training)
    process.join()
    return process.exitcode == 0


def learn_and_die(tasks: Path, out: Path, training: dict[str, Any], operation: int) -> None:
    """Train, to be killed in the middle of a disk operation, counted from 0; see :func:`strike_at`."""
    strike_at(operation, lambda: os.kill(os.getpid(), signal.SIGKILL))
    learn(tasks, out, training)


def strike_at(operation: int, strike: Callable[[], object]) -> Callable[[], int]:
    """Call ``strike`` in the middle of one operation on the disk of this process.

    Operations are: writing a file or checkpoint (struck when half is written), appending a line (likewise), bringing
    to the disk and renaming (struck before). The patches stay until the process ends, or :func:`unstruck` undoes
    them.

    Returns: a function that says how many operations there were so far.
    """
    count = iter(range(10**9))
    done = 0

    def struck() -> bool:
        nonlocal done
        done = next(count)
        return done == operation

    def write_bytes(path: Path, data: bytes) -> int:
        if struck():
            _WRITE_BYTES(path, data[: len(data) // 2])
            strike()
        return _WRITE_BYTES(path, data)

    def write_checkpoint(part: Path, *arguments: Any) -> None:
        _WRITE_CHECKPOINT(part, *arguments)
        if struck():
            os.truncate(part, part.stat().st_size // 2)
            strike()

    def append(path: Path, data: bytes) -> None:
        if struck():
            _APPEND(path, data[: len(data) // 2])
            strike()
        _APPEND(path, data)

    def fsync(number: int) -> None:
        if struck():
            strike()
        _FSYNC(number)

    def replace(path: Path, target: Path) -> Path:
        if struck():
            strike()
        return _REPLACE(path, target)

    changed = (write_bytes, write_checkpoint, append, fsync, replace)
    for owner, name, patched in zip(_OWNERS, _NAMES, changed, strict=True):
        setattr(owner, name, patched)
    return lambda: done + 1


def unstruck() -> None:
    """Undo :func:`strike_at`."""
    for owner, name, original in zip(_OWNERS, _NAMES, _ORIGINALS, strict=True):
        setattr(owner, name, original)


def disk_full() -> None:
    """What a full disk answers."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


_WRITE_BYTES, _APPEND, _FSYNC, _REPLACE = Path.write_bytes, files._append, os.fsync, Path.replace
_WRITE_CHECKPOINT = tensor_files._write
_ORIGINALS = (_WRITE_BYTES, _WRITE_CHECKPOINT, _APPEND, _FSYNC, _REPLACE)

_OWNERS: tuple[Any, ...] = (Path, tensor_files, files, os, Path)
_NAMES = ("write_bytes", "_write", "_append", "fsync", "replace")


def left(folder: Path) -> dict[str, bytes]:
    """Every file of a run folder by its name, but for times."""
    found = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.name not in TIMES:
            data = file.read_bytes()
            if file.name == "result.json":
                record = json.loads(data)
                record.pop("seconds")
                data = json.dumps(record).encode()
            found[str(file.relative_to(folder))] = data
    return found


def kill_somewhere(tasks: Path, out: Path, chance: random.Random) -> bool:
    """Train, kill (SIGKILL) at a random moment, and say whether it was still at work.

    The moment is soon after one of the next validations, or soon after the start, so that all parts of a run are hit:
    its claim of the folder, its iterations, and the writing of records and checkpoints.
    """
    victim = start(learn, tasks, out, LONG)
    times = out / "times.jsonl"
    wanted = _lines(times) + chance.randrange(3)
    while _lines(times) < wanted and victim.is_alive():
        time.sleep(0.001)
    time.sleep(chance.random() * (0.06 if wanted else 0.3))
    alive = victim.is_alive()
    victim.kill()
    victim.join()
    return alive


def _lines(file: Path) -> int:
    try:
        return file.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def words(tasks: Path, out: Path, training: dict[str, Any]) -> list[str]:
    """The same training as options of ``tasksieve train``."""
    data = ["--primary", str(tasks / "primary"), "--valid", str(tasks / "primary")]
    return [*data, "--related", str(tasks / "restaurant"), "--out", str(out), *small_options(**training)]


def command(tasks: Path, out: Path, training: dict[str, Any]) -> list[str]:
    """The command line of the same training."""
    return [sys.executable, "-m", "tasksieve", "train", *words(tasks, out, training)]


def environment() -> dict[str, str]:
    """Of every command: one thread, 80 columns."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "80", "NO_COLOR": "1"}


def run(line: list[str], before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; ``before`` is called in the new process first."""
    return subprocess.run(
        line,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=before,
    )
