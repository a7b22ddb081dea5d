"""The main job on embedded data: simulated dialogs of a personalized task, borrowing from a plain one."""

from __future__ import annotations

from pathlib import Path

from tasksieve.dialogs.simulate import simulate, write_simulation
from tasksieve.experiments.compare import Plan
from tasksieve.records.config import config_from

PRIMARY_DIALOGS, RELATED_DIALOGS, TEST_DIALOGS = 50, 300, 300
SCREENING = {"trials": 16, "iterations": 500, "groups": 8}
SETTINGS = {"iterations": 1000, "evaluate_every": 50, "snapshot_every": 100}


def demo_plan(out: Path, seed: int = 0, seeds: int = 2) -> Plan:
    """Write the simulated dialogs under ``out/data`` and say what to compare.

    Args:
        out: the comparison folder.
        seed: of the simulation.
        seeds: runs of each method.
    """
    primary, related = out / "data" / "personalized", out / "data" / "restaurant"
    if not (primary / "test.txt").exists() or not (related / "train.txt").exists():
        splits = simulate("personalized-restaurant", dialogs=TEST_DIALOGS, seed=seed, task=3)
        splits = {name: dialogs[: None if name == "test" else PRIMARY_DIALOGS] for name, dialogs in splits.items()}
        write_simulation(splits, primary)
        write_simulation(simulate("restaurant", dialogs=RELATED_DIALOGS, seed=seed, task=5), related)
    config = config_from(
        {
            "data": {"primary": str(primary), "valid": str(primary), "related": [str(related)]},
            "training": SETTINGS,
            "screening": SCREENING,
        }
    )
    return Plan(config, str(primary), ("primary", "multitask", "learned"), (), seeds, out)
