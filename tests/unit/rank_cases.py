"""What each process of a test of shared runs does; started by test_ranks.py."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from tasksieve.records.config import RunConfig, config_from
from tasksieve.training.loop.ranks import Ranks
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialogs import build_parts, train
from tasksieve.training.runs.settled import settled
from tests.acting import write_services
from tests.small import small_config, write_tasks

RANKS = 2
STEPS = 4
MODELS = {
    "matching": {"kind": "matching", "sentences": "bag-of-words", "dropout": 0.0, "word_dropout": 0.0},
    "ranking": {"kind": "ranking", "sentences": "bag-of-words", "dropout": 0.0},
}
"""Without what layers draw, of which each process draws its own."""
METHODS = ("primary", "multitask", "learned", "joint", "pretrain")
CASES = [
    *(("memory", method) for method in METHODS),
    *((kind, method) for kind in ("matching", "ranking") for method in METHODS[:3]),
    ("memory", "learned joint"),
    ("memory", "learned adam"),
    ("matching", "learned weight module"),
    ("matching", "learned small batches"),
]
"""Model and method, and what is special."""
SINGLE = [("memory", "multitask"), *((kind, "learned") for kind in ("memory", "matching", "ranking"))]
"""Cases in single precision too."""
TRIED = [*((case, True) for case in CASES), *((case, False) for case in SINGLE)]
"""A case, and whether in double precision."""


def write_data(folder: Path) -> Path:
    """Write the dialogs of all cases."""
    write_services(folder)
    return write_tasks(folder)


def config_of_case(folder: Path, case: tuple[str, str], **training: Any) -> RunConfig:
    """A short run of a case, on dialogs that :func:`write_data` has written."""
    kind, (method, special) = case[0], case[1].partition(" ")[::2]
    given = {"method": method, "iterations": STEPS, "evaluate_every": 3, "snapshot_every": 3, "batch_size": 7}
    given |= {"pretrain_iterations": 2, **training}
    if kind == "memory":
        meta = {"unroll_length": 2, "warm_up": 1, "joint": special == "joint"}
        meta["inner_optimizer"] = "adam" if special == "adam" else "sgd"
        return small_config(folder, "restaurant", training=given, meta=meta)
    files = {name: str(folder / f"{name}.csv") for name in ("train", "valid", "trains", "hotels")}
    data = {"primary": files["train"], "valid": files["valid"], "related": [files["trains"], files["hotels"]]}
    data |= {"predict": "responses" if kind == "ranking" else "actions"}
    sections: dict[str, Any] = {"data": data, "model": MODELS[kind], "meta": {"warm_up": 1}, "training": given}
    if special == "weight module":
        sections["weight_module"] = {"kind": "matching"}
    if special == "small batches":
        given["related_batch_size"] = 3
    return config_from(sections)


def stepped(config: RunConfig, ranks: Ranks, double: bool) -> dict[str, Any]:
    """Some iterations, by one process or by several; parameters, moments, and what was logged."""
    torch.set_default_dtype(torch.float64 if double else torch.float32)
    try:
        config = settled(config)
        method = method_named(config.training.method)
        parts = build_parts(config, method)
        if double:
            parts.state.model.double()
            if parts.state.weight_module is not None:
                parts.state.weight_module.double()
        trainer = Trainer(config, method, parts.tasks, parts.state, parts.weighter, ranks)
        for step in range(trainer.pretrain_iterations + STEPS):
            trainer.iterate(step)
        trainer.settle()
        found = {name: value for name, value in parts.state.copy().tensors.items() if not name.startswith("random")}
        means = {f"mean.{name}": torch.tensor(value) for name, value in trainer.means.take().items()}
        return found | means
    finally:
        torch.set_default_dtype(torch.float32)


def together(rank: int, work: Callable[..., Any], folder: str, *arguments: Any) -> None:
    """Do some work as one of two processes, which find each other by a file in the folder."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=RANKS)
    try:
        work(Ranks(rank, RANKS, several=True), Path(folder), *arguments)
    finally:
        dist.destroy_process_group()


def together_and_freed(rank: int, work: Callable[..., Any], folder: str, *arguments: Any) -> None:
    """Like :func:`together`; then the group must be gone, as its threads may abort a process at its end."""
    groups = []

    def watched(ranks: Ranks, out: Path, *given: Any) -> None:
        groups.append(weakref.ref(dist.group.WORLD))
        work(ranks, out, *given)

    together(rank, watched, folder, *arguments)
    assert groups[0]() is None, "something holds the group of the processes"


def all_cases(ranks: Ranks, out: Path, data: str) -> None:
    """Every case in both precisions, and what ranks tell each other."""
    found: dict[str, Any] = {}
    for case, double in TRIED:
        found[f"{case} {double}"] = stepped(config_of_case(Path(data), case), ranks, double)
    told = ranks.told({"of": ["the first", ranks.rank], "none": None})
    found["told"] = told["of"]
    found["whole"] = ranks.whole(ranks.part(torch.arange(5)))
    torch.save(found, out / f"rank-{ranks.rank}.pt")


def whole_run(ranks: Ranks, out: Path, data: str, name: str, killed_at: int) -> None:
    """A whole run on the same folder; the first process ends it at an iteration, if one is given."""
    config = config_of_case(Path(data), ("memory", "learned"), iterations=30, evaluate_every=5)
    run_or_be_killed(config, ranks, out, name, killed_at)


def run_or_be_killed(config: RunConfig, ranks: Ranks, out: Path, name: str, killed_at: int) -> None:
    """A whole run; each process writes its result, and the first one ends it at an iteration, if one is given."""

    class Enough(Exception):
        pass

    def watch(report: Any) -> None:
        if report.step >= killed_at and not report.ended:
            raise Enough

    if killed_at and ranks.first:
        try:
            train(config, out / name, watch, ranks=ranks)
        except Enough:
            os._exit(3)
    result = train(config, out / name, lambda report: None, ranks=ranks)
    (out / f"result-{name}-{ranks.rank}.txt").write_text(str(result["valid_accuracy"]))
