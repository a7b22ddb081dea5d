"""What a whole run with learned weights costs: training, validation, snapshots and checkpoints, from start to end.

    python -m benchmarks.whole_run --data DIR [--iterations N] [--json FILE]

150 real primary dialogs (personalized Task 3; related bAbI Task 5), batches of 32, K = 5 and N_meta = 10 from the
first iteration on, 2,000 iterations and no early stop. ``ms_per_meta_update`` is the whole time, data read and all,
over the number of meta-updates; ``cpu_seconds`` is of this process, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.meta_update import benchmark_config
from tasksieve.kernels import compiler
from tasksieve.records.config import RunConfig, changed
from tasksieve.records.files import write_json
from tasksieve.training.runs.dialogs import train

ITERATIONS, UPDATES, LENGTH = 2000, 10, 5


def configured(data: Path, iterations: int) -> RunConfig:
    """The paper's model and the goal's numbers: no screening, and nothing that would end the run early."""
    return changed(
        benchmark_config(data, Path()),
        {
            "meta.updates": UPDATES,
            "meta.unroll_length": LENGTH,
            "meta.warm_up": 0,
            "screening.trials": 0,
            "training.iterations": iterations,
            "training.patience": iterations,
        },
    )


def machine() -> dict[str, Any]:
    """What the times depend on."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "compiler": compiler() is not None,
    }


def measured(config: RunConfig) -> dict[str, Any]:
    """One run in a folder that is thrown away."""
    iterations = config.training.iterations
    load_before = os.getloadavg()[0]
    started, worked = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as scratch:
        result = train(config, Path(scratch, "run"))
    wall, cpu = time.perf_counter() - started, time.process_time() - worked
    count = iterations * config.meta.updates
    return {
        "iterations": result["iterations"],
        "k": config.meta.unroll_length,
        "updates": config.meta.updates,
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
        "training_seconds": result["seconds"],
        "ms_per_meta_update": round(1e3 * wall / count, 3),
        "cpu_ms_per_meta_update": round(1e3 * cpu / count, 3),
        "load_before": round(load_before, 2),
        "load_after": round(os.getloadavg()[0], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path, dest="out")
    parser.add_argument("--iterations", type=int, default=ITERATIONS)
    arguments = parser.parse_args()
    record = {**measured(configured(arguments.data, arguments.iterations)), "machine": machine()}
    for name, value in record.items():
        print(f"{name}: {value}")
    if arguments.out is not None:
        write_json(arguments.out, record)


if __name__ == "__main__":
    main()
