"""Kill trainings many times, and strike at every operation on the disk; compare what is left with undisturbed runs.

python -m tests.reliability.long [--kills 100] [--stride 1] [--json results/reliability.json]
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasksieve.errors import UserError
from tests.reliability.record import DEFAULT, machine, merged, read, update
from tests.reliability.victims import (
    LONG,
    SHORT,
    disk_full,
    finished,
    kill_somewhere,
    learn,
    learn_and_die,
    left,
    start,
    strike_at,
    unstruck,
)
from tests.small import write_tasks


def random_kills(tasks: Path, scratch: Path, kills: int, seed: int) -> Iterator[list[dict[str, Any]]]:
    """Kill one training after the other at random moments, resuming each; yields what is known so far."""
    assert finished(tasks, scratch / "whole", LONG)
    whole, chance = left(scratch / "whole"), random.Random(seed)
    tried, runs, same = 0, 0, 0
    while tried < kills:
        out = scratch / f"killed-{runs}"
        while tried < kills and kill_somewhere(tasks, out, chance):
            tried += 1
        runs += 1
        same += finished(tasks, out, LONG) and left(out) == whole
        shutil.rmtree(out)
        yield [_row("killed (SIGKILL) at a random moment, resumed", tried, runs, same)]


def _row(fault: str, tried: int, runs: int, same: int) -> dict[str, Any]:
    return {"fault": fault, "tried": tried, "trainings": runs, "identical": same, "lost": runs - same}


def every_operation(tasks: Path, scratch: Path, stride: int) -> Iterator[list[dict[str, Any]]]:
    """Kill, and fill the disk, in the middle of operations on it that a short training makes; likewise."""
    count = strike_at(-1, lambda: None)
    learn(tasks, scratch / "short", SHORT)
    operations, whole = range(0, count(), stride), left(scratch / "short")
    unstruck()
    killed = full = 0
    for tried, operation in enumerate(operations, start=1):
        killed += _killed_at(operation, tasks, scratch / f"a{operation}", whole)
        full += _full_at(operation, tasks, scratch / f"b{operation}", whole)
        which = f"one in {stride} of the writes, syncs and renames"
        yield [
            _row(f"killed (SIGKILL) in the middle of {which}, resumed", tried, tried, killed),
            _row(f"disk full at {which}; resumed when there was room", tried, tried, full),
        ]


def _killed_at(operation: int, tasks: Path, out: Path, whole: dict[str, bytes]) -> bool:
    victim = start(learn_and_die, tasks, out, SHORT, operation)
    victim.join()
    same = victim.exitcode == -9 and finished(tasks, out, SHORT) and left(out) == whole
    shutil.rmtree(out)
    return same


def _full_at(operation: int, tasks: Path, out: Path, whole: dict[str, bytes]) -> bool:
    strike_at(operation, disk_full)
    try:
        learn(tasks, out, SHORT)
        refused = False
    except UserError:
        refused = True
    finally:
        unstruck()
    learn(tasks, out, SHORT)
    same = refused and left(out) == whole
    shutil.rmtree(out)
    return same


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--stride", type=int, default=1, help="strike at every so many operations")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, dest="out", default=DEFAULT)
    arguments = parser.parse_args()
    command = f"python -m tests.reliability.long --kills {arguments.kills} --stride {arguments.stride}"
    done: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        tasks = write_tasks(Path(folder) / "tasks")
        parts = (
            random_kills(tasks, Path(folder), arguments.kills, arguments.seed),
            every_operation(tasks, Path(folder), arguments.stride),
        )
        for part in parts:
            rows: list[dict[str, Any]] = []
            for rows in part:
                print(*rows, flush=True)
                known = merged(read(arguments.out).get("faults", {}).get("rows", []), [*done, *rows], "fault")
                update(arguments.out, faults={"command": command, "rows": known, **machine()})
            done += rows
    if any(row["lost"] for row in done):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
