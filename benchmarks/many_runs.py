"""How many runs of a board are done in an hour, by one worker and by two: processes, Ray on this machine, slices.

    python -m benchmarks.many_runs [--seeds N] [--iterations N] [--json FILE]

Simulated support desks, `primary`, `multitask` and `learned` on bags of words, one thread a run. Every way does the
same runs in a folder of its own, and starts its workers within the time that is measured; a run is a row of a board.
The load of the machine before each is recorded, as other work on it makes the ratios mean nothing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.whole_run import machine
from tasksieve.errors import Unfinished
from tasksieve.experiments.compare import Plan, compare
from tasksieve.experiments.demo import demo_plan
from tasksieve.experiments.runner import runner
from tasksieve.records.config import changed
from tasksieve.records.files import read_json, write_json

METHODS = ("primary", "multitask", "learned")
WAYS = ("processes", "ray", "slices")
WORKERS = (1, 2)
Way = Callable[[Plan, int], None]


def planned(out: Path, seeds: int, iterations: int) -> Plan:
    """The runs: three methods times the seeds, all of the same length."""
    plan = demo_plan(out, seeds=seeds)
    settings = {"training.iterations": iterations, "training.patience": iterations}
    return replace(plan, config=changed(plan.config, settings), methods=METHODS)


def in_processes(plan: Plan, workers: int) -> None:
    compare(plan, workers, lambda name, report: None, runner())


def on_ray(plan: Plan, workers: int) -> None:
    compare(plan, workers, lambda name, report: None, runner("local"))


def in_slices(plan: Plan, workers: int) -> None:
    """As a scheduler would: so many commands at once that know nothing of each other."""
    words = [sys.executable, "-m", "benchmarks.many_runs", "--out", str(plan.out), "--seeds", str(plan.seeds)]
    words += ["--iterations", str(plan.config.training.iterations)]
    started = [subprocess.Popen([*words, "--slice", f"{number}/{workers}"]) for number in range(1, workers + 1)]
    if any(one.wait() for one in started):
        raise SystemExit("a slice failed")


def one_slice(plan: Plan, part: str) -> None:
    try:
        compare(plan, 1, lambda name, report: None, runner(part=part))
    except Unfinished as left:
        print(left)


def measured(seeds: int, iterations: int, names: Sequence[str] = WAYS) -> list[dict[str, Any]]:
    """Every way with every number of workers."""
    ways: dict[str, Way] = dict(zip(WAYS, (in_processes, on_ray, in_slices), strict=True))
    rows: list[dict[str, Any]] = []
    for name in names:
        for workers in WORKERS:
            with tempfile.TemporaryDirectory() as scratch:
                plan = planned(Path(scratch), seeds, iterations)
                load, started = os.getloadavg()[0], time.perf_counter()
                ways[name](plan, workers)
                seconds = time.perf_counter() - started
                runs = len(list(Path(scratch, "runs").glob("*/test.json")))
            rows.append(
                {
                    "way": name,
                    "workers": workers,
                    "runs": runs,
                    "seconds": round(seconds, 2),
                    "rows_per_hour": round(3600 * runs / seconds, 1),
                    "load_before": round(load, 2),
                }
            )
            print(rows[-1], flush=True)
    return rows


def ratios(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Rows an hour with two workers against one, by way."""
    by = {(row["way"], row["workers"]): row["rows_per_hour"] for row in rows}
    return {way: round(by[way, 2] / by[way, 1], 2) for way in dict.fromkeys(row["way"] for row in rows)}


def kept(record: Path, measured_anew: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a record, if there is one, of the ways that are not measured anew."""
    known = read_json(record)["rows"] if record.exists() else []
    return [row for row in known if row["way"] not in measured_anew]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--iterations", type=int, default=600)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--json", type=Path, dest="record")
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--slice", dest="part", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part is not None:
        one_slice(planned(arguments.out, arguments.seeds, arguments.iterations), arguments.part)
        return
    rows = measured(arguments.seeds, arguments.iterations, arguments.ways)
    print(ratios(rows))
    if arguments.record is not None:
        rows = [*kept(arguments.record, arguments.ways), *rows]
        settings = {"methods": METHODS, "iterations": arguments.iterations}
        record = {"rows": rows, "two_against_one": ratios(rows), "settings": settings, "machine": machine()}
        write_json(arguments.record, record)


if __name__ == "__main__":
    main()
