"""An iteration on another device than the CPU: what the program waits for, and that it computes the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from tasksieve.models.calibrated import best_scale
from tasksieve.records.config import RunConfig, config_from
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialogs import build_parts
from tasksieve.training.runs.settled import settled
from tests.acting import write_services
from tests.small import small_config, write_tasks
from tests.tiny_encoder import write_tiny
from tests.unit.pretended_device import Elsewhere, pretended

STEPS, KNOWN = 6, 3
"""Iterations in all, and the first ones, in which what stays the same is worked out once for each list of choices."""
METHODS = ("primary", "multitask", "learned")
KINDS: dict[str, dict[str, Any]] = {
    "matching": {"kind": "matching", "sentences": "bag-of-words", "dropout": 0.0},
    "ranking": {"kind": "ranking", "sentences": "bag-of-words", "dropout": 0.0},
}
CASES = [
    *((kind, method) for kind in ("memory", *KINDS) for method in METHODS),
    ("matching on vectors", "learned"),
    ("ranking on vectors", "learned"),
    ("matching", "learned weight module"),
    ("matching", "joint"),
]
DRAWN = "weighting/drawn.py: draw (cpu)"
"""The one question that is left: by which weights the next examples are to be drawn."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dialogs of all cases."""
    folder = tmp_path_factory.mktemp("data")
    write_services(folder)
    return write_tasks(folder)


def config_of(folder: Path, case: tuple[str, str], device: str) -> RunConfig:
    """A short run of a kind of model and a method, on a device."""
    (kind, _, vectors), (method, _, special) = case[0].partition(" "), case[1].partition(" ")
    training = {"method": method, "device": device, "iterations": 20, "evaluate_every": 10, "batch_size": 7}
    if kind == "memory":
        return small_config(folder, "restaurant", training=training, meta={"unroll_length": 2, "warm_up": 0})
    files = {name: str(folder / f"{name}.csv") for name in ("train", "valid", "trains", "hotels")}
    data: dict[str, Any] = {
        "primary": files["train"],
        "valid": files["valid"],
        "related": [files["trains"], files["hotels"]],
        "predict": "responses" if kind == "ranking" else "actions",
    }
    model = dict(KINDS[kind])
    if vectors:
        write_tiny(folder / "encoder")
        model |= {"sentences": "both", "encoder": str(folder / "encoder")}
    meta = {"warm_up": 0, "estimator": "adjoint"}  # no forward mode, whose dual tensors forget what is pretended
    sections: dict[str, Any] = {"data": data, "model": model, "meta": meta, "training": training}
    if special:
        sections["weight_module"] = {"kind": "matching"}
    return config_from(sections)


def iterated(config: RunConfig) -> tuple[dict[str, torch.Tensor], Counter[str]]:
    """Some iterations; the parameters then, and what was waited for, but for the first iterations."""
    config = settled(config)
    method = method_named(config.training.method)
    with pretended() as waits:
        parts = build_parts(config, method)
        away = config.training.device != "cpu"
        assert all(isinstance(value.data, Elsewhere) == away for value in parts.state.model.parameters())
        trainer = Trainer(config, method, parts.tasks, parts.state, parts.weighter)
        torch.manual_seed(0)  # layers draw the same in both runs
        for step in range(STEPS):
            waits.listening = step >= KNOWN
            trainer.iterate(step)
        waits.listening = False
        trainer.settle()
        tensors = parts.state.copy().tensors
    return {name: value for name, value in tensors.items() if not name.startswith("random")}, waits.found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_nothing_of_an_iteration_is_waited_for_but_weights_to_draw_by(data: Path, case: tuple[str, str]) -> None:
    here, _ = iterated(config_of(data, case, "cpu"))
    there, waits = iterated(config_of(data, case, "xpu"))
    by_weight = case[1] == "learned" and case[0] != "memory"
    assert waits == Counter({DRAWN: STEPS - KNOWN} if by_weight else {})
    assert here.keys() == there.keys()
    rtol, atol = (2e-2, 1e-2) if case[0] == "memory" else (1e-4, 1e-5)  # compiled code here, torch operations there
    if case[0] == "ranking on vectors":  # all responses have as many numbers here: rounding alone moves that factor
        here["model.linear"], there["model.linear"] = here["model.linear"][:-1], there["model.linear"][:-1]
    for name, value in here.items():
        torch.testing.assert_close(there[name], value, rtol=rtol, atol=atol, msg=lambda text, name=name: name + text)


def test_what_is_cut_there_is_waited_for_and_noted(data: Path) -> None:
    config = settled(config_of(data, ("matching", "primary"), "xpu"))
    with pretended() as waits:
        task = build_parts(config, method_named("primary")).tasks.primary
        task.batch(torch.arange(2))  # brings the whole task to the CPU, once
        waits.listening = True
        cut_here = task.batch(torch.arange(4))
        assert not waits.found
        cut_there = task.batch(torch.arange(4, device="xpu"))
        assert {name.rpartition(" ")[2] for name in waits.found} >= {"(nonzero)", "(repeat_interleave)"}
        waits.listening = False
        assert cut_there.here is None
        assert cut_here.here.table.device.type == "cpu"
        assert cut_here.targets.tolist() == cut_there.targets.tolist()
        assert cut_here.counts.sum(dim=1).tolist() == cut_there.counts.sum(dim=1).tolist()


def test_the_best_scale_is_found_there_without_a_question() -> None:
    scores, right = torch.randn(5, 4, generator=torch.Generator().manual_seed(1)), torch.tensor([0, 3, 1, 1, 2])
    with pretended() as waits:
        waits.listening = True
        there = best_scale(scores.to("xpu", non_blocking=True), right.to("xpu", non_blocking=True))
        waits.listening = False
        assert not waits.found
        assert float(there) == pytest.approx(float(best_scale(scores, right)), rel=1e-4)
