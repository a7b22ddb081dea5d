"""What each process of a distributed test does; started by test_distributed.py."""

from __future__ import annotations

import os
import runpy
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from tasksieve.metagrad import (
    Adam,
    Adjoint,
    AutogradLinearization,
    BilevelProblem,
    ConjugateGradient,
    FiniteDifference,
    FirstOrder,
    Forward,
    MetaGradient,
    MetaUpdate,
    Neumann,
    OneStep,
    Params,
    Recompute,
    Sgd,
    Simulation,
    Unrolled,
)
from tasksieve.metagrad.distributed import Distributed, sum_over_ranks

RANKS = 2
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "distributed_weights.py"
ESTIMATORS: dict[str, Any] = {
    "adjoint": Adjoint(),
    "unrolled": Unrolled(),
    "recompute": Recompute(),
    "first-order": FirstOrder(),
    "finite-difference": FiniteDifference(),
    "one-step": OneStep(),
    "forward": Forward(),
    "neumann": Neumann(terms=4),
    "cg": ConjugateGradient(iterations=4),
}
RULES: dict[str, Any] = {"sgd": Sgd(0.3, momentum=0.5), "adam": Adam(0.05, eps_root=1e-8)}
Batch = tuple[torch.Tensor, torch.Tensor, bool]


def runs() -> list[tuple[str, str, str, str]]:
    """Name of the estimator, reduction, rule, and what is special."""
    return [
        *((name, "mean", "sgd", "") for name in ESTIMATORS),
        *((name, "sum", "sgd", "") for name in ("adjoint", "unrolled", "forward", "cg")),
        ("adjoint", "mean", "adam", ""),
        ("unrolled", "mean", "adam", ""),
        *((name, "mean", "sgd", special) for name in ("adjoint", "unrolled") for special in ("joint", "normalized")),
        ("adjoint", "mean", "sgd", "linearized"),
    ]


def result(run: tuple[str, str, str, str], rank: int | None) -> MetaGradient:
    """One run, on one rank's share of each batch, or on the union for None."""
    name, reduction, rule, special = run
    params, eta, data = _drawn()
    steps = 1 if name == "one-step" else 3
    estimator = ESTIMATORS[name] if rank is None else Distributed(ESTIMATORS[name])
    batches = [_part(batch, rank) for batch in data]
    simulation = Simulation(
        params, batches[:steps], batches[-1], joint_batches=batches[3 : 3 + steps] if special == "joint" else ()
    )

    def weights(p: Params, related: Any) -> list[torch.Tensor]:
        found = [torch.sigmoid(torch.tanh(x @ p["u"]) @ p["v"]) for x, _, _ in related]
        if special != "normalized":
            return found
        if rank is None:
            return [one / one.mean() for one in found]
        return [
            one * sum_over_ranks(torch.tensor(float(len(one)))).item() / sum_over_ranks(one.sum()) for one in found
        ]

    def linearize(p: Params, batch: Batch) -> AutogradLinearization:
        return AutogradLinearization(lambda moved: losses(moved, batch), p)

    own = linearize if special == "linearized" else None
    problem = BilevelProblem(losses, losses, weights, reduction, own)
    return estimator(MetaUpdate(problem, RULES[rule], simulation, eta))


def losses(p: Params, batch: Batch) -> torch.Tensor:
    """A classifier that has one layer more for some examples, which only one rank may have."""
    hidden = torch.tanh(batch[0] @ p["a"])
    extra = hidden @ p["e"] if batch[2] else hidden
    return torch.nn.functional.cross_entropy(extra @ p["c"], batch[1], reduction="none")


def work(rank: int, folder: str, port: int) -> None:
    """All runs on this rank, and the example; its results go to files."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=RANKS)
    found = {}
    for run in runs():
        one = result(run, rank)
        found[run] = {"gradients": one.gradients, "meta_loss": one.meta_loss, "slopes": list(one.slopes or ())}
    found["refused"] = _refusals(rank)
    torch.save(found, Path(folder) / f"rank-{rank}.pt")
    dist.destroy_process_group()
    os.environ |= {"WORLD_SIZE": str(RANKS), "RANK": str(rank), "MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
    with (Path(folder) / f"example-{rank}.txt").open("w") as out, redirect_stdout(out):
        runpy.run_path(str(EXAMPLE))["main"]()


def _refusals(rank: int) -> list[str]:
    params, eta, data = _drawn()
    problem = BilevelProblem(
        losses, losses, lambda p, related: [torch.sigmoid(x @ p["u"] @ p["v"]) for x, _, _ in related]
    )
    messages = []
    for moved, batch in ((rank, data[0]), (0, _part(data[0], rank if rank else 9))):
        try:
            simulation = Simulation({n: v + moved for n, v in params.items()}, [batch], data[1])
            Distributed(Adjoint())(MetaUpdate(problem, Sgd(0.1), simulation, eta))
        except ValueError as error:
            messages.append(str(error))
    return messages


def _drawn() -> tuple[Params, Params, list[Batch]]:
    generator = torch.Generator().manual_seed(5)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    params = {"a": draw(4, 6), "c": draw(6, 3), "e": draw(6, 6), "unused": draw(2)}
    eta = {"u": draw(4, 5), "v": draw(5), "idle": draw(3)}
    data = [(draw(8, 4), torch.randint(3, (8,), generator=generator), False) for _ in range(7)]
    return params, eta, data


def _part(batch: Batch, rank: int | None) -> Batch:
    """Three examples for one rank and five for the other; none for a third."""
    rows = {None: slice(None), 0: slice(3), 1: slice(3, None)}.get(rank, slice(0))
    return batch[0][rows], batch[1][rows], batch[2]
