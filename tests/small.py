"""Small simulated tasks on disk, and configurations that train on them in a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tasksieve.dialogs.simulate import simulate, write_simulation
from tasksieve.records.config import RunConfig, config_from

OPTIONS: dict[str, dict[str, Any]] = {
    "training": {
        "iterations": 12,
        "evaluate_every": 4,
        "snapshot_every": 4,
        "batch_size": 8,
        "pretrain_iterations": 4,
    },
    "meta": {"unroll_length": 2, "warm_up": 0},
    "model": {"dim": 6},
    "weight_module": {"dim": 4},
    "screening": {"trials": 0},
    "rivals": {"iterations": 6, "checkpoints": 2, "inner_steps": 2, "clusters": 4},
}


def write_tasks(folder: Path) -> Path:
    """Write a primary task and two related ones: folder/primary, folder/restaurant, folder/hotel."""
    write_simulation(simulate("personalized-restaurant", dialogs=6, seed=1, task=3), folder / "primary")
    write_simulation(simulate("restaurant", dialogs=8, seed=1, task=5), folder / "restaurant")
    write_simulation(simulate("hotel", dialogs=8, seed=1, task=1), folder / "hotel")
    return folder


def small_config(folder: Path, *related: str, **sections: dict[str, Any]) -> RunConfig:
    """A quick run on :func:`write_tasks`; keyword arguments override options by section."""
    data = {
        "primary": str(folder / "primary"),
        "valid": str(folder / "primary"),
        "related": [str(folder / name) for name in related],
    }
    values: dict[str, Any] = {"data": {**data, **sections.pop("data", {})}}
    for name in OPTIONS.keys() | sections.keys():
        values[name] = {**OPTIONS.get(name, {}), **sections.get(name, {})}
    return config_from(values)
