"""How long Table 1 takes, and one iteration of `learned` against the same loop written on `higher`.

    python -m benchmarks.mnist [--data DIR] [--json FILE] [--seeds 5] [--workers 2] [--iterations N] [--rounds 200]

``--data`` is the folder of the MNIST files; without it scikit-learn's digits are used. The runs are kept in
``--scratch`` and not done again; the seconds are those of their records, so they are worth as much as the machine was
quiet. ``--rounds 0`` leaves the comparison out, ``--seeds 0`` the runs.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tasksieve.experiments.published.mnist import Table1Plan, reproduce_table1, table1_config
from tasksieve.records.config import changed
from tasksieve.training.loop.samplers import RelatedSampler, sampler
from tasksieve.training.loop.streams import META_PRIMARY_STREAM, META_RELATED_STREAM, RELATED_STREAM
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.methods import method_named
from tasksieve.training.runs.images import ImageConfig, build_image_parts

WARM_UP = 20
_PEER = {"meta.inner_optimizer": "sgd", "meta.inner_lr": 0.05, "meta.weight_lr_schedule": "constant"}
"""The peer simulates gradient descent, and so do we beside it."""
Iterate = Callable[[int], object]


class Ours:
    """The product's loop, with the model and weight module that others can be compared with."""

    def __init__(self, config: ImageConfig) -> None:
        self.config, method = config, method_named("learned")
        parts = build_image_parts(config, method)
        self.tasks, self.state = parts.tasks, parts.state
        self.iterate = Trainer(config, method, parts.tasks, parts.state, parts.weighter).iterate

    def parameters(self) -> torch.Tensor:
        """Of model and weight module, in a row."""
        assert self.state.weight_module is not None
        modules = (self.state.model, self.state.weight_module)
        return torch.cat([value.detach().flatten() for module in modules for value in module.parameters()])


class OnHigher(Ours):
    """The same loop on facebookresearch/higher: same start, same batches, same updates."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__(config)
        training, tasks = config.training, self.tasks
        self.losses_of = self.state.model
        self.related = RelatedSampler(training, tasks.related, RELATED_STREAM)
        self.meta_related = RelatedSampler(training, tasks.related, META_RELATED_STREAM)
        self.meta_primary = sampler(training, tasks.primary.answerable(), META_PRIMARY_STREAM)
        self.simulated = torch.optim.SGD(self.losses_of.parameters(), lr=config.meta.inner_lr)
        self.iterate = self._iterate

    def _iterate(self, step: int) -> None:
        module, optimizers = self.state.weight_module, self.state.optimizers
        assert module is not None
        (batch,) = self.related.batch(step)
        with torch.no_grad():
            weights = torch.sigmoid(module(batch))
        self.state.model.zero_grad(set_to_none=True)
        (self.losses_of(batch) * weights).mean().backward()
        optimizers["related"].param_groups[0]["lr"] = self.config.training.related_lr
        optimizers["related"].step()
        gradients = self._meta_gradient(step)
        for value, gradient in zip(module.parameters(), gradients, strict=True):
            value.grad = gradient
        optimizers["weights"].step()

    def _meta_gradient(self, step: int) -> tuple[torch.Tensor, ...]:
        import higher

        module = self.state.weight_module
        assert module is not None
        (batch,) = self.meta_related.batch(step)
        primary = self.tasks.primary.batch(self.meta_primary.batch(step))
        with higher.innerloop_ctx(self.losses_of, self.simulated, copy_initial_weights=True) as (model, inner):
            inner.step((model(batch) * torch.sigmoid(module(batch))).mean())
            return torch.autograd.grad(model(primary).mean(), list(module.parameters()))


def against_higher(config: ImageConfig, rounds: int) -> dict[str, Any]:
    """Medians of interleaved iterations, so that a slow moment of the machine falls on both alike."""
    loops = {"tasksieve": Ours(config), "higher": OnHigher(config)}
    times: dict[str, list[float]] = {name: [] for name in loops}
    for step in range(WARM_UP + rounds):
        for name, loop in loops.items():
            started = time.perf_counter()
            loop.iterate(step)
            times[name].append(1e3 * (time.perf_counter() - started))
    medians = {name: statistics.median(values[WARM_UP:]) for name, values in times.items()}
    apart = (loops["tasksieve"].parameters() - loops["higher"].parameters()).abs().max()
    return {
        "rounds": rounds,
        "tasksieve_ms": round(medians["tasksieve"], 3),
        "higher_ms": round(medians["higher"], 3),
        "ratio": round(medians["higher"] / medians["tasksieve"], 2),
        "largest_difference": float(apart),
    }


def all_rows(config: ImageConfig, seeds: int, workers: int, scratch: Path) -> dict[str, Any]:
    """Five rows, so many seeds: the seconds of the runs by method, and in all over the workers."""
    fresh, started = not scratch.exists(), time.perf_counter()
    table = reproduce_table1(Table1Plan(config, seeds, scratch), workers)
    seconds = {row["method"]: [seed["seconds"] for seed in row["seeds"]] for row in table["rows"]}
    total = sum(map(sum, seconds.values()))
    return {
        "seeds": seeds,
        "iterations": config.training.iterations,
        "seconds_a_run": {method: round(statistics.median(values), 1) for method, values in seconds.items()},
        "sum": round(total, 1),
        "workers": workers,
        "minutes_on_workers": round(total / workers / 60, 2),
        "wall_minutes": round((time.perf_counter() - started) / 60, 2) if fresh else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", type=Path, dest="out")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--iterations", type=int, default=15_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--scratch", type=Path, default=Path("runs/benchmark-mnist"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = table1_config(arguments.data, "next", 0.75, [f"training.iterations={arguments.iterations}"])
    found: dict[str, Any] = {"torch": torch.__version__, "pixels": "MNIST" if arguments.data else "8 x 8"}
    if arguments.rounds and importlib.util.find_spec("higher") is None:
        print("left out: the loop on higher, which is not installed (pip install 'tasksieve[bench]')")
    elif arguments.rounds:
        found["iteration"] = against_higher(changed(config, _PEER), arguments.rounds)
    if arguments.seeds:
        found["rows"] = all_rows(config, arguments.seeds, arguments.workers, arguments.scratch)
    print(json.dumps(found, indent=2))
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
