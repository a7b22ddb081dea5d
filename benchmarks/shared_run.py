"""What an iteration takes when two processes share a run, and whether their meta-gradients are those of one.

    python -m benchmarks.shared_run [--rounds N] [--json FILE]

Simulated support desks: the memory network with its weight module (`adjoint`, K = 5) and the matching model with
groups (`small-step`, K = 1), on batches of 32 and of 512, one thread a process, gloo. Every row has the median
milliseconds of an iteration of `multitask` and of `learned`, and how far a meta-gradient is from that of one process,
relative to its norm, in float32.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing

from benchmarks.whole_run import machine
from tasksieve.experiments.demo import demo_plan
from tasksieve.metagrad import Distributed, estimator_named
from tasksieve.records.config import RunConfig, changed
from tasksieve.records.files import write_json
from tasksieve.training.loop.meta_updates import MetaUpdates
from tasksieve.training.loop.ranks import ALONE, Ranks
from tasksieve.training.loop.running_means import Means
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialogs import build_parts
from tasksieve.training.runs.settled import settled

KINDS = ("memory-network", "matching")
BATCHES = (32, 512)
PROCESSES = (1, 2)
METHODS = ("multitask", "learned")


def configured(folder: Path, kind: str, batch: int) -> RunConfig:
    """A run whose layers draw nothing, so that processes can be compared in digits."""
    plain = {"model.dropout": 0.0, "model.word_dropout": 0.0} if kind == "matching" else {}
    settings = {
        **plain,
        "model.kind": kind,
        "training.batch_size": batch,
        "training.related_batch_size": batch,
        "screening.trials": 0,
        "meta.warm_up": 0,
    }
    return settled(changed(demo_plan(folder).config, settings))


def milliseconds(config: RunConfig, method: str, ranks: Ranks, rounds: int) -> float:
    """The median over iterations, after some that are not counted."""
    config = changed(config, {"training.method": method})
    parts = build_parts(config, method_named(method))
    trainer = Trainer(config, method_named(method), parts.tasks, parts.state, parts.weighter, ranks)
    taken = []
    for step in range(rounds + 3):
        started = time.perf_counter()
        trainer.iterate(step)
        taken.append(time.perf_counter() - started)
    return round(1000 * statistics.median(taken[3:]), 3)


def meta_gradient(config: RunConfig, ranks: Ranks) -> torch.Tensor:
    """The meta-gradient at the start, as one vector."""
    config = changed(config, {"training.method": "learned"})
    parts = build_parts(config, method_named("learned"))
    Trainer(config, method_named("learned"), parts.tasks, parts.state, parts.weighter, ranks).iterate(0)
    updates = MetaUpdates(config, parts.tasks, parts.state, parts.weighter, Means(), ranks)
    estimator = estimator_named(config.meta.estimator)
    found = (Distributed(estimator) if ranks.several else estimator)(updates._update(1, parts.weighter))  # type: ignore[arg-type]
    return torch.cat([value.reshape(-1) for value in found.gradients.values()])


def cells(folder: Path, ranks: Ranks, rounds: int) -> dict[str, Any]:
    """Times and meta-gradients of every kind and size."""
    found: dict[str, Any] = {}
    for kind in KINDS:
        for batch in BATCHES:
            config = configured(folder, kind, batch)
            times = {method: milliseconds(config, method, ranks, rounds) for method in METHODS}
            found[f"{kind} {batch}"] = {"ms": times, "meta_gradient": meta_gradient(config, ranks)}
    return found


def work(rank: int, folder: str, size: int, rounds: int) -> None:
    """As one of several processes."""
    torch.set_num_threads(1)
    if size == 1:
        found = cells(Path(folder), ALONE, rounds)
    else:
        dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=size)
        found = cells(Path(folder), Ranks(rank, size, several=True), rounds)
        dist.destroy_process_group()
    if rank == 0:
        torch.save(found, Path(folder, f"found-{size}.pt"))


def measured(rounds: int) -> list[dict[str, Any]]:
    """A row for each kind, size and number of processes."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        demo_plan(Path(folder))
        by_size = {}
        for size in PROCESSES:
            load = os.getloadavg()[0]
            torch.multiprocessing.spawn(work, args=(folder, size, rounds), nprocs=size)
            by_size[size] = torch.load(Path(folder, f"found-{size}.pt"), weights_only=True)
            for name, cell in by_size[size].items():
                kind, batch = name.split()
                wanted = by_size[1][name]["meta_gradient"]
                off = float((cell["meta_gradient"] - wanted).norm() / wanted.norm())
                times = {f"ms_{method}": cell["ms"][method] for method in METHODS}
                row = {"model": kind, "batch": int(batch), "processes": size, **times}
                rows.append({**row, "meta_gradient_off": off, "load_before": round(load, 2)})
                print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--json", type=Path, dest="record")
    arguments = parser.parse_args()
    record = {"rows": measured(arguments.rounds), "rounds": arguments.rounds, "machine": machine()}
    if arguments.record is not None:
        write_json(arguments.record, record)


if __name__ == "__main__":
    main()
