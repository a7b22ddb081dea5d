"""Trials of the matching model side by side as one model, against one after the other.

    python -m benchmarks.batched_trials [--trials 32] [--device cpu] [--json results/batched-trials.json]

All have the same start and the same batches of the simulated support desks, in bags of words, and each has weights of
the related turns of its own. Both do the same iterations in turn, in this process and in one thread; a time is the
least of several. No words are dropped, so that both end alike, and how far apart they end is recorded too.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tasksieve.models.matching.model import Matching
from tasksieve.records.config import RunConfig, config_from
from tasksieve.training.loop.method import Method
from tasksieve.training.loop.state import start_state
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialog_tasks import DialogTasks, load_tasks
from tasksieve.training.runs.dialogs import build_model
from tasksieve.training.runs.settled import settled
from tasksieve.training.screening.side_by_side import SideBySide
from tasksieve.weighting import PerExample, by_task
from tests.desks import data_of_desks, write_desks
from tests.reliability.record import machine

ITERATIONS, ROUNDS = 5, 3
SIZES: dict[str, dict[str, int]] = {
    "as in runs (width 64, 2 members)": {},
    "small (width 16, 1 member)": {"width": 16, "hidden": 8, "members": 1},
}


class GivenWeights(Method):
    """Learn from both tasks with weights that are given."""


def tasks_of(folder: Path, device: str, model: dict[str, int]) -> tuple[RunConfig, DialogTasks]:
    """The desks, encoded."""
    if not (folder / "new").exists():
        write_desks(folder, own=10, each=20)
    values = {
        "data": data_of_desks(folder),
        "model": {"kind": "matching", "sentences": "bag-of-words", "word_dropout": 0.0, **model},
        "training": {"device": device, "threads": 1},
    }
    config = settled(config_from(values))
    return config, load_tasks(config, method_named("learned"))


def timed(work: Callable[[], None], device: str) -> tuple[float, float]:
    """Seconds of the process's own work, and on the clock."""
    own, clock = time.process_time(), time.perf_counter()
    work()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.process_time() - own, time.perf_counter() - clock


def measured(folder: Path, device: str, trials: int, model: dict[str, int]) -> dict[str, Any]:
    """Both ways, in turn."""
    config, tasks = tasks_of(folder, device, model)
    (related,) = tasks.related
    weights = (torch.rand(trials, len(related), generator=torch.Generator().manual_seed(0)) > 0.5).float().to(device)

    def fresh() -> Matching:
        found = build_model(config, len(tasks.encoding.vocabulary), tasks.encoding.candidates).to(device)
        assert isinstance(found, Matching)
        return found

    together = SideBySide(config, [fresh() for _ in range(trials)], tasks, [weights])
    states = [start_state(config, fresh(), None) for _ in range(trials)]
    trainers = [
        Trainer(config, GivenWeights(), tasks, state, PerExample(by_task(own, tasks.related)))
        for state, own in zip(states, weights, strict=True)
    ]
    times: dict[str, list[tuple[float, float]]] = {"side_by_side": [], "one_after_the_other": []}
    for number in range(ROUNDS + 1):
        steps = range(number * ITERATIONS, (number + 1) * ITERATIONS)
        ways: dict[str, Callable[[], None]] = {
            "side_by_side": lambda steps=steps: [together.iterate(step) for step in steps],  # type: ignore[misc]
            "one_after_the_other": lambda steps=steps: [  # type: ignore[misc]
                trainer.iterate(step) for trainer in trainers for step in steps
            ],
        }
        for name, way in ways.items():
            seconds = timed(way, device)
            if number:
                times[name].append(seconds)
    least = {name: [min(one[n] for one in found) / ITERATIONS for n in (0, 1)] for name, found in times.items()}
    apart = [
        float((found.get_parameter(name) - value).detach().abs().max())
        for found, state in zip(together.settle(), states, strict=True)
        for name, value in state.model.named_parameters()
        if value.numel()
    ]
    row: dict[str, Any] = {"trials": trials, "device": device, "apart_at_most": max(apart)}
    for name, (own, clock) in least.items():
        row |= {f"{name}_ms": 1e3 * own, f"{name}_clock_ms": 1e3 * clock}
    place = "clock_ms" if device != "cpu" else "ms"
    row["ratio"] = row[f"one_after_the_other_{place}"] / row[f"side_by_side_{place}"]
    return row


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=32)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = {name: measured(Path(folder), options.device, options.trials, model) for name, model in SIZES.items()}
    print(json.dumps(found, indent=1))
    if options.json is not None:
        known = json.loads(options.json.read_text()) if options.json.exists() else {}
        known[options.device] = {"machine": machine(), "sizes": found}
        options.json.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main()
