"""What each process of a test of sharded weights does; started by test_sharded.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch.distributed.tensor import DTensor

from tasksieve.models.language_model.model import LanguageModel
from tasksieve.models.language_model.sharding import NotGathered
from tasksieve.models.model import learned_params
from tasksieve.records.config import RunConfig, config_from
from tasksieve.training.loop.ranks import Ranks
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialogs import build_parts
from tasksieve.training.runs.settled import settled
from tests.unit.rank_cases import run_or_be_killed

STEPS = 3
CASES = ("primary", "multitask", "pretrain", "learned small-step", "learned one-step", "learned finite-difference")
"""A method and, where it learns weights, the estimator."""


def config_of_case(folder: Path, case: str, *, sharded: bool, **training: Any) -> RunConfig:
    """A short run of a tiny Llama, which lies in ``llama``, on dialogs in ``archive``."""
    method, _, estimator = case.partition(" ")
    archive = folder / "archive"
    values: dict[str, Any] = {
        "data": {
            "primary": str(archive / "Boats_1.json"),
            "valid": str(archive / "Boats_1.json"),
            "size": 3,
            "predict": "responses",
        },
        "model": {
            "kind": "language-model",
            "pretrained": str(folder / "llama"),
            "rank": 2,
            "context": 96,
            "sharded": sharded,
        },
        "training": {"method": method, "iterations": STEPS, "evaluate_every": 2, "batch_size": 5, **training},
        "meta": {"warm_up": 1, "batch_size": 4},
    }
    if method != "primary":
        values["data"]["related"] = [str(archive / "Rooms_1.json"), str(archive / "Tables_1.json")]
        values["training"]["related_batch_size"] = 4
    if method == "pretrain":
        values["training"]["pretrain_iterations"] = 1
    if estimator:
        values["meta"]["estimator"] = estimator
    return config_from(values)


def stepped(config: RunConfig, ranks: Ranks) -> tuple[dict[str, Any], LanguageModel]:
    """Some iterations, by one process or by several; parameters, moments and what was logged, and the model."""
    config = settled(config)
    method = method_named(config.training.method)
    parts = build_parts(config, method)
    trainer = Trainer(config, method, parts.tasks, parts.state, parts.weighter, ranks)
    for step in range(trainer.pretrain_iterations + STEPS):
        trainer.iterate(step)
    trainer.settle()
    found = {name: value for name, value in parts.state.copy().tensors.items() if not name.startswith("random")}
    means = {f"mean.{name}": torch.tensor(value) for name, value in trainer.means.take().items()}
    assert isinstance(parts.state.model, LanguageModel)
    return found | means, parts.state.model


def held(model: LanguageModel) -> tuple[int, int]:
    """How many frozen numbers this process holds, and how many there are."""
    weights = list(model._body.whole.parameters())
    here = [value.to_local() if isinstance(value, DTensor) else value for value in weights]
    return sum(value.numel() for value in here), sum(value.numel() for value in weights)


def all_cases(ranks: Ranks, out: Path, folder: str) -> None:
    """Every case; what a process holds before and after; what becomes of a second derivative."""
    found: dict[str, Any] = {}
    for case in CASES:
        found[case], model = stepped(config_of_case(Path(folder), case, sharded=True), ranks)
        found[f"held {case}"] = held(model)
    config = settled(config_of_case(Path(folder), "primary", sharded=True))
    parts = build_parts(config, method_named("primary"))
    batch = parts.tasks.primary.batch(parts.tasks.primary.answerable()[:2])
    params = learned_params(parts.state.model)
    linear = parts.state.model.linearize(params, [batch])
    gradient = linear.gradient(torch.ones(2))
    found["losses"] = linear.losses
    try:
        linear.second({name: value for name, value in gradient.items() if value is not None})
    except NotGathered as error:
        found["refused"] = str(error)
    torch.save(found, out / f"rank-{ranks.rank}.pt")


def whole_run(ranks: Ranks, out: Path, folder: str, name: str, killed_at: int) -> None:
    """A whole run on the same folder; the first process ends it at an iteration, if one is given."""
    config = config_of_case(Path(folder), "learned", sharded=True, iterations=25, evaluate_every=5)
    run_or_be_killed(config, ranks, out, name, killed_at)
