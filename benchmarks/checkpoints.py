"""What checkpoints cost: the same training with and without them, as a ratio taken in one run on one core.

    python -m benchmarks.checkpoints [--rounds 7] [--json FILE]

The training learns weights with the product's defaults (a validation and a checkpoint every 100 iterations) on
simulated dialogs of the sizes of the paper's first experiment: 150 of the primary task, 1,000 of the related one.
With and without take turns, so that a slow moment of the machine falls on both alike; the ratios are those of the
medians, of the time on the clock and of the processor's. Without checkpoints everything else is done and recorded.
``writing`` adds up the time that the training itself spends on them, as a share of the training that it was measured
in: it knows no noise between runs. Checksums and the disk are left to a thread beside it, which the other two ratios
include.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from tasksieve.dialogs.simulate import simulate, write_simulation
from tasksieve.records.config import RunConfig, config_from
from tasksieve.training.loop.run import _Run
from tasksieve.training.runs.dialogs import train

ITERATIONS = 200
ROUNDS = 7


def task(folder: Path) -> RunConfig:
    """Write the dialogs; the training on them."""
    for kind, number, dialogs in (("personalized-restaurant", 3, 150), ("restaurant", 5, 1000)):
        write_simulation(simulate(kind, dialogs=dialogs, seed=0, task=number), folder / kind)
    primary = str(folder / "personalized-restaurant")
    data = {"primary": primary, "valid": primary, "related": [str(folder / "restaurant")]}
    meta = {"warm_up": 0}
    training = {"method": "learned", "iterations": ITERATIONS}
    return config_from({"data": data, "meta": meta, "training": training, "screening": {"trials": 0}})


@contextmanager
def saving(change: Callable[[Callable[..., None]], Callable[..., None]]) -> Iterator[None]:
    """Change what a training does to have a checkpoint written, for a while."""
    before = _Run._save
    try:
        _Run._save = change(before)  # type: ignore[method-assign]
        yield
    finally:
        _Run._save = before  # type: ignore[method-assign]


def seconds(config: RunConfig, folder: Path) -> tuple[float, float]:
    """The time of one training, from its start to its last record: on the clock, and of the processor."""
    started, processor = time.perf_counter(), time.process_time()
    train(config, folder)
    taken = time.perf_counter() - started, time.process_time() - processor
    shutil.rmtree(folder)
    return taken


class Inside:
    """Adds up the time inside calls."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def timed(self, method: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            started = time.perf_counter()
            method(*arguments)
            self.seconds += time.perf_counter() - started

        return call


def measure(config: RunConfig, folder: Path, rounds: int) -> dict[str, Any]:
    """Medians over rounds, the first left out."""
    times: dict[str, list[float]] = {name: [] for name in ("with", "without", "cpu_with", "cpu_without", "writing")}
    for round_ in range(rounds + 1):
        inside = Inside()
        with saving(inside.timed):
            taken = seconds(config, folder / "run")
        with saving(lambda method: lambda *arguments: None):
            bare = seconds(config, folder / "run")
        if round_:
            found = (taken[0], bare[0], taken[1], bare[1], inside.seconds / taken[0])
            for values, value in zip(times.values(), found, strict=True):
                values.append(value)
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "iterations": config.training.iterations,
        "rounds": rounds,
        "seconds_with": round(medians["with"], 3),
        "seconds_without": round(medians["without"], 3),
        "ratio": round(medians["with"] / medians["without"], 4),
        "cpu_ratio": round(medians["cpu_with"] / medians["cpu_without"], 4),
        "writing": round(medians["writing"], 5),
        "torch": torch.__version__,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", type=Path, dest="out")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as scratch:  # a real disk, where /tmp may be memory
        record = measure(task(Path(scratch)), Path(scratch), arguments.rounds)
    share = 100 * record["writing"]
    print(f"with checkpoints {record['seconds_with']:.2f} s, without {record['seconds_without']:.2f} s")
    print(f"ratio {record['ratio']:.4f}, of the processor's time {record['cpu_ratio']:.4f}")
    print(f"writing them took {share:.2f} % of the training")
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
