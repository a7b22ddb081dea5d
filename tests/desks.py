"""The simulated support desks in a folder, and a configuration's section of their data; benchmarks take them too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tasksieve.dialogs.simulate import simulate_support, write_support


def write_desks(folder: Path, own: int, each: int) -> Path:
    """Write both desks as chat messages.

    Args:
        folder: where to.
        own: dialogs of the new desk to train on, and as many to validate on; there is one to test on.
        each: dialogs of each service of the old desk.
    Returns: the folder.
    """
    new = simulate_support(desk="new", dialogs={"train": own, "valid": own, "test": 1}, seed=0)
    write_support(new, simulate_support(desk="old", dialogs=each, seed=0), folder)
    return folder


def data_of_desks(folder: Path, predict: str = "actions") -> dict[str, Any]:
    """The section ``data`` of a run that borrows from all services of the old desk."""
    return {
        "primary": str(folder / "new" / "train.jsonl"),
        "valid": str(folder / "new" / "valid.jsonl"),
        "related": [str(folder / "old")],
        "predict": predict,
    }
