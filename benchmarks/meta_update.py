"""What an exact meta-update costs, in plain forward+backward passes, from one run on one core.

    python -m benchmarks.meta_update [--data DIR] [--json FILE]

``--data`` is the folder of the real data sets (bAbI Task 5 as related task, personalized Task 3 as primary, 150
dialogs); without it simulated dialogs of the same kinds are used.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tasksieve.dialogs.simulate import simulate, write_simulation
from tasksieve.records.config import RunConfig, config_from
from tasksieve.training.build import build_parts
from tasksieve.training.methods import method_named
from tasksieve.training.trainer import Trainer

WARM_UP, ROUNDS = 10, 60


def benchmark_config(data: Path | None, scratch: Path, unroll_length: int, rule: str) -> RunConfig:
    """The product's defaults, one meta-update an iteration."""
    if data is None:
        for kind, task in (("personalized-restaurant", 3), ("restaurant", 5)):
            write_simulation(simulate(kind, dialogs=150, seed=0, task=task), scratch / kind)
        files: dict[str, Any] = {
            "primary": str(scratch / "personalized-restaurant"),
            "valid": str(scratch / "personalized-restaurant"),
            "related": [str(scratch / "restaurant")],
        }
    else:
        stem = data / "personalized-dialog-dataset/small/personalized-dialog-task3-options-"
        files = {
            "primary": f"{stem}trn.txt",
            "valid": f"{stem}dev.txt",
            "related": [str(data / "dialog-bAbI-tasks/dialog-babi-task5-full-dialogs-trn.txt")],
            "size": 150,
        }
    meta = {"unroll_length": unroll_length, "updates": 1, "inner_optimizer": rule, "warm_up": 0}
    return config_from({"data": files, "meta": meta, "training": {"method": "learned"}})


def median_ms(work: Callable[[int], object]) -> Callable[[], float]:
    """Time one call with a fresh number each time; returns a function that takes one more sample's time."""
    count = iter(range(10**9))

    def sample() -> float:
        started = time.perf_counter()
        work(next(count))
        return 1e3 * (time.perf_counter() - started)

    return sample


def measure(data: Path | None, scratch: Path) -> list[dict[str, Any]]:
    """Medians of interleaved samples, so that a slow moment of the machine falls on all alike."""
    samplers: dict[str, Callable[[], float]] = {}
    for rule in ("sgd", "adam"):
        config = benchmark_config(data, scratch, 5, rule)
        method = method_named("learned")
        parts = build_parts(config, method)
        trainer = Trainer(config, method, parts.tasks, parts.state, parts.weighter)
        if rule == "sgd":
            model, task = parts.state.model, parts.tasks.related[0]
            related = task.batch(torch.arange(32) * (len(task) // 32))

            def plain(number: int, model: Any = model, batch: Any = related) -> None:
                model.zero_grad(set_to_none=True)
                model.losses(batch).mean().backward()

            samplers["plain forward+backward, related batch"] = median_ms(plain)
            samplers["primary iteration"] = median_ms(trainer.update("primary"))
            samplers["related iteration"] = median_ms(trainer.update("related"))
        else:
            trainer.update("related")(0)
        samplers[f"exact meta-update, K = 5, inner {rule}"] = median_ms(trainer.update("weights"))
    times: dict[str, list[float]] = {name: [] for name in samplers}
    for round_ in range(WARM_UP + ROUNDS):
        for name, sample in samplers.items():
            taken = sample()
            if round_ >= WARM_UP:
                times[name].append(taken)
    medians = {name: statistics.median(values) for name, values in times.items()}
    unit = next(iter(medians.values()))
    return [{"name": name, "ms": round(ms, 3), "plain_passes": round(ms / unit, 2)} for name, ms in medians.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", type=Path, dest="out")
    parser.add_argument("--scratch", type=Path, default=Path("runs/benchmark-data"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = measure(arguments.data, arguments.scratch)
    for row in rows:
        print(f"{row['name']:42} {row['ms']:8.2f} ms {row['plain_passes']:7.2f} plain passes")
    if arguments.out is not None:
        arguments.out.write_text(json.dumps({"rows": rows, "torch": torch.__version__}, indent=2) + "\n")


if __name__ == "__main__":
    main()
