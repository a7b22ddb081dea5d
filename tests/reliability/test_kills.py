"""A training that is killed at any moment and resumed leaves, byte for byte, what an undisturbed one leaves."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.reliability.victims import (
    LONG,
    SHORT,
    finished,
    kill_somewhere,
    learn,
    learn_and_die,
    left,
    start,
    strike_at,
    unstruck,
)

KILLS = 2
STRIDE = 23
"""Of the operations on the disk every so many is struck. ``make kills`` kills 100 times and strikes many more."""


def test_a_run_killed_at_random_moments_ends_alike(tasks_dir: Path, tmp_path: Path) -> None:
    learn(tasks_dir, tmp_path / "whole", LONG)
    chance = random.Random(0)
    for _ in range(KILLS):
        if not kill_somewhere(tasks_dir, tmp_path / "killed", chance):
            break
    assert finished(tasks_dir, tmp_path / "killed", LONG)
    assert left(tmp_path / "killed") == left(tmp_path / "whole")


@pytest.fixture(scope="module")
def short(tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], int]:
    """What the short training leaves, and how many operations on the disk it makes."""
    folder = tmp_path_factory.mktemp("short")
    count = strike_at(-1, lambda: None)
    try:
        learn(tasks_dir, folder, SHORT)
        return left(folder), count()
    finally:
        unstruck()


def test_a_run_killed_while_it_writes_ends_alike(
    tasks_dir: Path, tmp_path: Path, short: tuple[dict[str, bytes], int]
) -> None:
    whole, operations = short
    for operation in range(operations % STRIDE, operations, STRIDE):
        victim = start(learn_and_die, tasks_dir, tmp_path / "killed", SHORT, operation)
        victim.join()
        assert victim.exitcode == -9
        (tmp_path / "killed" / ".metrics.jsonl.1.part").write_bytes(b"half")
        assert finished(tasks_dir, tmp_path / "killed", SHORT)
        assert left(tmp_path / "killed") == whole, operation
        shutil.rmtree(tmp_path / "killed")
