"""How near each estimator comes to the meta-gradient on the dialog model, and what it costs, on one core.

    python -m benchmarks.estimators [--data DIR] [--json FILE] [--unrolls 5 20]

The models are the paper's (``benchmark_config``), trained for a while on both tasks first. The truth is the whole
unroll in float64; estimators run in float32, as in training. Those that are for few weight params are measured on the
weight module's output layer alone, and are compared with the truth's share of it. Times are medians of processor
time, which other work on the machine disturbs less. ``--data`` is as in ``benchmarks.meta_update``.
``benchmarks.estimator_tables`` writes the tables of the documentation.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.func import functional_call

from benchmarks.meta_update import benchmark_config
from tasksieve.metagrad import (
    Adam,
    BilevelProblem,
    InnerRule,
    MetaUpdate,
    Moments,
    Sgd,
    Simulation,
    estimator_named,
    moments_of,
)
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialogs import build_parts
from tasksieve.weighting import Learned

Tensors = dict[str, torch.Tensor]

FEW = ("output", "bias")
TRAINED = 500
ROWS: list[tuple[str, dict[str, Any], bool]] = [
    ("unrolled", {}, False),
    ("adjoint", {}, False),
    ("recompute", {}, False),
    ("first-order", {}, False),
    ("finite-difference", {}, False),
    ("neumann", {"terms": 5}, False),
    ("neumann", {"terms": 20}, False),
    ("cg", {"iterations": 5, "damping": 0.1}, False),
    ("cg", {"iterations": 20, "damping": 0.01}, False),
    ("evolution", {"pairs": 8}, False),
    ("forward", {}, True),
    ("evolution", {"pairs": 8}, True),
    ("evolution", {"pairs": 32}, True),
    ("persistent-evolution", {"pairs": 8}, True),
]
"""Estimator, its options, and whether it gets few weight params."""


class Bench:
    """Models after some training, with batches to simulate.

    Args:
        data: as of the command.
        scratch: where simulated dialogs are written.
        longest: unroll length to have batches for.
    """

    def __init__(self, data: Path | None, scratch: Path, longest: int) -> None:
        config = benchmark_config(data, scratch)
        parts = build_parts(config, method_named("learned"))
        assert isinstance(parts.weighter, Learned)
        self.model, self.module, self.tasks = parts.state.model, parts.weighter.module, parts.tasks
        self._generator = torch.Generator().manual_seed(0)
        self.moments = self._train()
        self.related = [(self._batch(self.tasks.related[0]),) for _ in range(longest)]
        self.meta = self._batch(self.tasks.primary)

    def _batch(self, task: Any) -> Any:
        examples = task.answerable()
        return task.batch(examples[torch.randint(len(examples), (32,), generator=self._generator)])

    def _train(self) -> dict[str, Moments]:
        """Both tasks in turn; returns the optimiser's moments."""
        losses = self.model
        optimizer = torch.optim.Adam(losses.parameters(), lr=1e-3)
        for _ in range(TRAINED):
            for task in (self.tasks.primary, self.tasks.related[0]):
                optimizer.zero_grad()
                losses(self._batch(task)).mean().backward()
                optimizer.step()
        return dict(moments_of(optimizer, dict(losses.named_parameters())))

    def update(self, unroll: int, rule: InnerRule, dtype: torch.dtype) -> MetaUpdate[Any, Any]:
        """The meta-update in one number type; Adam starts from the moments of the training."""
        losses_of = copy.deepcopy(self.model).to(dtype)
        learned = Learned(copy.deepcopy(self.module).to(dtype))

        def losses(params: Tensors, batch: Any) -> torch.Tensor:
            return functional_call(losses_of, params, (batch,))

        def related(params: Tensors, batches: Any) -> torch.Tensor:
            return torch.cat([losses(params, batch) for batch in batches])

        moments = {
            name: Moments(one.mean.to(dtype), None if one.square is None else one.square.to(dtype), one.steps)
            for name, one in self.moments.items()
        }
        params = dict(losses_of.named_parameters())
        state = moments if isinstance(rule, Adam) else None
        simulation = Simulation(params, self.related[:unroll], self.meta, state)
        problem = BilevelProblem(related, losses, learned.unrolled)
        return MetaUpdate(problem, rule, simulation, dict(learned.module.named_parameters()))

    def plain_ms(self) -> float:
        """A forward and backward pass of a related batch."""

        def once() -> None:
            self.model.zero_grad(set_to_none=True)
            self.model.losses(self.related[0][0]).mean().backward()

        once()
        return median_ms(once, 1.0)


def median_ms(work: Callable[[], object], seconds: float) -> float:
    """The median processor time of as many calls as fit, one at the least; it has been called before."""
    taken: list[float] = []
    while sum(taken) < seconds:
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return 1e3 * statistics.median(taken)


def cosine(found: Tensors, truth: Tensors) -> tuple[float, float]:
    """Of the angle to the truth, and the length relative to it."""
    first, second = (torch.cat([one[name].flatten().double() for name in found]) for one in (found, truth))
    return float(first @ second / (first.norm() * second.norm())), float(first.norm() / second.norm())


def measure(bench: Bench, unroll: int, name: str, rule: InnerRule) -> list[dict[str, Any]]:
    """All estimators with one rule and unroll length."""
    truth = estimator_named("unrolled")(bench.update(unroll, rule, torch.float64)).gradients
    whole = bench.update(unroll, rule, torch.float32)
    output = replace(whole, weight_params={key: whole.weight_params[key] for key in FEW})
    rows = []
    for estimator, options, few in ROWS:
        update, one = output if few else whole, estimator_named(estimator, **options)
        angle, length = cosine(one(update).gradients, truth)
        ms = median_ms(lambda one=one, update=update: one(update), 1.0)
        shown = ", ".join(f"{key} = {value}" for key, value in options.items())
        rows.append(
            {"rule": name, "unroll": unroll, "estimator": estimator, "options": shown, "few": few}
            | {"cosine": angle, "length": length, "ms": round(ms, 2)}
        )
    return rows


def line(row: dict[str, Any]) -> str:
    """A row as printed."""
    size = "few" if row["few"] else "all"
    return (
        f"K = {row['unroll']:2} {row['rule']:5} {row['estimator']:21} {row['options']:30} {size}"
        f"  cosine {row['cosine']:9.6f}  length {row['length']:9.3g}"
        f"  {row['ms']:8.1f} ms {row['plain_passes']:6.1f} passes"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", type=Path, dest="out")
    parser.add_argument("--unrolls", type=int, nargs="+", default=[5, 20])
    parser.add_argument("--scratch", type=Path, default=Path("runs/benchmark-data"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    bench = Bench(arguments.data, arguments.scratch, max(arguments.unrolls))
    unit = bench.plain_ms()
    rules: dict[str, InnerRule] = {"sgd": Sgd(0.032), "adam": Adam(1e-3)}
    rows = []
    for unroll in arguments.unrolls:
        for name, rule in rules.items():
            for row in measure(bench, unroll, name, rule):
                rows.append(row | {"plain_passes": round(row["ms"] / unit, 1)})
                print(line(rows[-1]), flush=True)
    if arguments.out is not None:
        parts = {"model": bench.model, "weight_module": bench.module}
        sizes = {name: sum(value.numel() for value in part.parameters()) for name, part in parts.items()}
        record = {"rows": rows, "plain_ms": round(unit, 3), "elements": sizes, "torch": torch.__version__}
        arguments.out.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
