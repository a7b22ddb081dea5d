"""Runs in TensorBoard: event files under ``tensorboard/RUN``.

Event files can only grow. So a run that goes on writes its file anew from the records, and no point stands twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter

from tasksieve.training.tracking.tracker import Tracker

_EDGES = np.linspace(0.0, 1.0, 21)


class _TensorBoard:
    def __init__(self, folder: Path) -> None:
        for old in folder.glob("events.out.tfevents.*"):
            old.unlink()
        self._writer: Any = SummaryWriter(str(folder))

    def settings(self, values: Mapping[str, Any]) -> None:
        indented = "".join(f"    {line}\n" for line in tomli_w.dumps(values).splitlines())
        self._writer.add_text("config.toml", indented)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def weights(self, step: int, values: NDArray[np.float64]) -> None:
        self._writer.add_histogram("weights", values, step, bins=_EDGES)

    def close(self, *, finished: bool) -> None:
        self._writer.close()


def prepare(root: Path) -> None:
    """Nothing: runs share no file."""


def open_tracker(root: Path, run: str) -> Tracker:
    """A new event file; those of the same run before it are removed."""
    return _TensorBoard(root / "tensorboard" / run)
