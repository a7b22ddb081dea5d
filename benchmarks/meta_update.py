"""What an exact meta-update costs, against other libraries, from one run on one core.

    python -m benchmarks.meta_update [--data DIR] [--json FILE] [--rounds N]

``--data`` is the folder of the real data sets (bAbI Task 5 as related task, personalized Task 3 as primary, 150
dialogs); without it simulated dialogs of the same kinds are used. Peers are what is installed of the extra ``bench``;
they get the memory network in torch operations, of which that for losses is our own, with second derivatives by
hand, and so does ``naive``, the plain unroll. ``…, compiled network`` is the same peer on the compiled
network.

All see the same parameters and batches. A round takes one sample of each; times are medians over rounds. Memory is
the highest resident size while one update runs, less that before it. The cosine is to the float64 unroll.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.memory import peak_mb
from benchmarks.peers import PEERS, Problem, Work, missing, naive, tasksieve
from benchmarks.transformer import TransformerModel, TransformerWeights, Words
from tasksieve.dialogs.simulate import simulate, write_simulation
from tasksieve.kernels import compiler, disabled
from tasksieve.records.config import RunConfig, config_from
from tasksieve.records.files import write_json
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialogs import build_parts

BATCH = 32
LENGTHS = (1, 2, 5, 10, 20, 50)
MEMORY_NETWORK, TRANSFORMER = "memory network", "transformer"


@dataclass(frozen=True)
class Entry:
    """One row to measure.

    Attributes:
        name: of the row.
        make: of a problem the work to time.
        compiled: whether the memory network's compiled code is used.
    """

    name: str
    make: Callable[[Problem], Work]
    compiled: bool = True

    def context(self) -> AbstractContextManager[None]:
        """In which its work is done."""
        return nullcontext() if self.compiled else disabled()


def benchmark_config(data: Path | None, scratch: Path) -> RunConfig:
    """The paper's model: all facts in the memory, whole responses as candidates, d = 20, steps of 1e-3."""
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
    steps = {"primary_lr": 1e-3, "related_lr": 1e-3}
    model = {"dim": 20, "facts": "all", "entities": "names"}
    return config_from({"data": files, "training": {"method": "learned", **steps}, "model": model})


def problems(config: RunConfig, longest: int) -> dict[str, Callable[[int], Problem]]:
    """For each model the problem of K steps, on the same examples."""
    parts = build_parts(config, method_named("learned"))
    task, primary = parts.tasks.related[0], parts.tasks.primary
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.randperm(len(task), generator=generator)[:BATCH] for _ in range(longest)]
    related = [task.batch(examples) for examples in drawn]
    answerable = primary.answerable()
    meta = primary.batch(answerable[torch.randperm(len(answerable), generator=generator)[:BATCH]])
    words, candidates = (
        related[0].table.vocabulary_size,
        [len(task.choices.table) for task in (primary, *parts.tasks.related)],
    )
    torch.manual_seed(0)
    transformer, module = TransformerModel(words, max(candidates)), TransformerWeights(words)
    as_words, meta_words = [Words.of(batch) for batch in related], Words.of(meta)
    return {
        MEMORY_NETWORK: lambda k: Problem(
            MEMORY_NETWORK, parts.state.model, parts.state.weight_module, related[:k], meta
        ),
        TRANSFORMER: lambda k: Problem(TRANSFORMER, transformer, module, as_words[:k], meta_words),
    }


def entries(model: str, k: int) -> list[Entry]:
    """What is measured for a model and an unroll length: everything at K = 5, else ours and the plain unroll."""

    def ours(name: str, **options: Any) -> Callable[[Problem], Work]:
        return lambda problem: tasksieve(problem, name, **options)

    found = [Entry("tasksieve-adjoint", ours("adjoint")), Entry("tasksieve-recompute", ours("recompute"))]
    if model == TRANSFORMER:
        found.append(Entry("tasksieve-adjoint-compiled", ours("adjoint", compile=True)))
        found.append(Entry("tasksieve-adjoint-forward-over-reverse", ours("adjoint", forward_over_reverse=True)))
    own = model != MEMORY_NETWORK
    peers = {name: make for name, make in PEERS.items() if name not in missing()}
    shown = peers if k in (5, 20) else {"naive": naive}
    found += [Entry(name, make, compiled=own) for name, make in shown.items()]
    if model == MEMORY_NETWORK and k == 5:
        found.append(Entry("tasksieve-unrolled", ours("unrolled")))
        found.append(Entry("tasksieve-adjoint, torch operations", ours("adjoint"), compiled=False))
        found += [Entry(f"{name}, compiled network", make) for name, make in peers.items()]
    return found


def plain_pass(problem: Problem) -> Work:
    """A forward and backward pass of one related batch."""
    params = list(problem.model.parameters())

    def work() -> Any:
        losses = problem.model.losses(problem.related[0]).mean()
        return torch.autograd.grad(losses, params, allow_unused=True)

    return work


def measure(problem: Problem, k: int, rounds: int) -> list[dict[str, Any]]:
    """The rows of one model and unroll length."""
    chosen = entries(problem.name, k)
    truth = _truth(problem)
    works = {entry.name: entry.make(problem) for entry in chosen}
    plain = plain_pass(problem)
    times: dict[str, list[float]] = {entry.name: [] for entry in chosen} | {"plain": []}
    for round_ in range(rounds + 2):
        for entry in chosen:
            with entry.context():
                _time(works[entry.name], times[entry.name] if round_ > 1 else [])
        _time(plain, times["plain"] if round_ > 1 else [])
    medians = {name: statistics.median(values) for name, values in times.items()}
    own = [e.name for e in chosen if e.name.startswith("tasksieve")]
    fastest = min(medians[e.name] for e in chosen if e.name not in own and not e.name.endswith("compiled network"))
    rows = []
    for entry in chosen:
        with entry.context():
            found, peak = works[entry.name](), peak_mb(works[entry.name])
        rows.append(
            {
                "name": entry.name,
                "model": problem.name,
                "k": k,
                "ms": round(medians[entry.name], 3),
                "ratio": round(fastest / medians[entry.name], 3),
                "plain_passes": round(medians[entry.name] / medians["plain"], 2),
                "peak_mb": round(peak, 2),
                "cosine": _cosine(found, truth),
            }
        )
    return rows


def _truth(problem: Problem) -> torch.Tensor:
    with disabled():
        found = torch.cat([value.flatten() for value in naive(problem.double())()])
    problem.single()
    return found


def _cosine(found: Any, truth: torch.Tensor) -> float:
    vector = torch.cat([value.flatten() for value in found]).double()
    return float(torch.nn.functional.cosine_similarity(vector, truth, dim=0))


def _time(work: Work, into: list[float]) -> None:
    started = time.perf_counter()
    work()
    into.append(1e3 * (time.perf_counter() - started))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", type=Path, dest="out")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--lengths", default=",".join(map(str, LENGTHS)), help="values of K, with commas between")
    parser.add_argument("--model", choices=(MEMORY_NETWORK, TRANSFORMER), help="this one only")
    parser.add_argument("--scratch", type=Path, default=Path("runs/benchmark-data"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    lengths = [int(k) for k in arguments.lengths.split(",")]
    rows: list[dict[str, Any]] = []
    for name, of_length in problems(benchmark_config(arguments.data, arguments.scratch), max(lengths)).items():
        if arguments.model not in (None, name):
            continue
        for k in lengths if name == MEMORY_NETWORK else [k for k in lengths if k in (5, 20)]:
            rows += (found := measure(of_length(k), k, arguments.rounds))
            for row in found:
                print(
                    f"{row['model']:15} K={k:<3} {row['name']:40} {row['ms']:9.2f} ms {row['ratio']:6.2f}x "
                    f"{row['plain_passes']:7.1f} passes {row['peak_mb']:8.1f} MB {row['cosine']:.9f}",
                    flush=True,
                )
    if arguments.out is not None:
        about = {"torch": torch.__version__, "compiler": compiler() is not None, "missing": missing()}
        write_json(arguments.out, {"rows": rows, "rounds": arguments.rounds, **about})


if __name__ == "__main__":
    main()
