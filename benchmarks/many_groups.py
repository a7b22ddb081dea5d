"""What grows with the number of related services: an iteration of `multitask` and of `learned`, and memory.

    python -m benchmarks.many_groups [--services 8,32,128,512] [--turns 16000] [--json results/many-groups.json]

The same simulated turns, dealt out to more and more services, each a file and so a group with a weight of its own.
Each number of services has a process of its own; both methods take turns in it, and a time is the median. Seconds are
of the process's own work on one processor.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.archive_size import TURNS_A_DIALOG
from benchmarks.whole_run import machine
from tasksieve.records.config import RunConfig, changed, config_from
from tasksieve.records.files import write_json
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialogs import build_parts
from tasksieve.training.runs.memo import remembered
from tasksieve.training.runs.settled import settled
from tests.desks import data_of_desks, write_desks

METHODS = ("multitask", "learned")
OLD_SERVICES = 9
"""Of the simulated archive."""
UNTIMED, TIMED = 20, 60


def dealt(folder: Path, services: int, turns: int) -> Path:
    """An archive of so many files, with the same dialogs whatever their number."""
    write_desks(folder / "desks", own=30, each=round(turns / TURNS_A_DIALOG / OLD_SERVICES))
    lines = [line for file in sorted((folder / "desks" / "old").glob("*.jsonl")) for line in file.open()]
    archive = folder / "archive"
    archive.mkdir()
    for number in range(services):
        (archive / f"service-{number:04}.jsonl").write_text("".join(lines[number::services]))
    return archive


def config_of(folder: Path, archive: Path) -> RunConfig:
    """A run on bags of words, weighted from its first iteration on."""
    values: dict[str, Any] = {
        "data": {**data_of_desks(folder / "desks"), "related": [str(archive)]},
        "model": {"kind": "matching", "sentences": "bag-of-words"},
        "training": {"threads": 1},
        "meta": {"warm_up": 0},
    }
    return settled(config_from(values))


def measured(services: int, turns: int) -> dict[str, Any]:
    """A row, measured in this process."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch, remembered(files=0):
        config = config_of(Path(scratch), dealt(Path(scratch), services, turns))
        trainers = {name: _trainer(changed(config, {"training.method": name})) for name in METHODS}
        taken: dict[str, list[float]] = {name: [] for name in METHODS}
        for step in range(UNTIMED + TIMED):
            for name, trainer in trainers.items():
                started = time.process_time()
                trainer.iterate(step)
                taken[name].append(1e3 * (time.process_time() - started))
    times = {f"ms_{name}": round(statistics.median(values[UNTIMED:]), 2) for name, values in taken.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {"services": services, **times, "peak_mb": round(peak), "load": round(os.getloadavg()[0], 2)}


def _trainer(config: RunConfig) -> Trainer:
    method = method_named(config.training.method)
    parts = build_parts(config, method)
    return Trainer(config, method, parts.tasks, parts.state, parts.weighter)


def main() -> None:
    """Measure every number of services and write them down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", default="8,32,128,512")
    parser.add_argument("--turns", type=int, default=16_000)
    parser.add_argument("--json", type=Path, dest="record")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        print(json.dumps(measured(options.one, options.turns)))
        return
    rows = []
    for services in map(int, options.services.split(",")):
        words = [
            sys.executable,
            "-m",
            "benchmarks.many_groups",
            "--one",
            str(services),
            "--turns",
            str(options.turns),
        ]
        done = subprocess.run(words, check=True, stdout=subprocess.PIPE)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(rows[-1], flush=True)
    if options.record is not None:
        write_json(options.record, {"turns": options.turns, "rows": rows, "machine": machine()})


if __name__ == "__main__":
    main()
