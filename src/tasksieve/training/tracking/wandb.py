"""Runs in Weights & Biases: offline, in files under ``wandb``, unless ``WANDB_MODE`` says otherwise.

An offline run is a file that can only grow, so a run that goes on writes it anew from the records. A run on a server
goes on there, and what it was told is kept beside it, so that no point is told twice. Points carry their iteration
themselves: the program's own count of steps may never go back, as it would where weights follow validations.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasksieve.records.files import read_json, write_json
from tasksieve.training.tracking.tracker import Tracker

_DEFAULTS = {"WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true"}
_EDGES = np.linspace(0.0, 1.0, 21)
_STEP = "iteration"


class _Wandb:
    def __init__(self, program: Any, run: Any, kept: Path, known: dict[str, Any]) -> None:
        self._program, self._run, self._kept, self._known = program, run, kept, known
        self._run.define_metric(_STEP)
        self._run.define_metric("*", step_metric=_STEP)

    def settings(self, values: Mapping[str, Any]) -> None:
        self._run.config.update(dict(values), allow_val_change=True)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        self._tell("metrics", step, values)

    def weights(self, step: int, values: NDArray[np.float64]) -> None:
        drawn = self._program.Histogram(np_histogram=np.histogram(values, bins=_EDGES))
        self._tell("weights", step, {"weights": drawn})

    def close(self, *, finished: bool) -> None:
        self._run.finish(exit_code=0 if finished else 1)

    def _tell(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        if step > self._known["told"].get(kind, -1):
            self._run.log({_STEP: step, **values})
            self._known["told"][kind] = step
            write_json(self._kept, self._known)


def prepare(root: Path) -> None:
    """Nothing: runs share no file."""


def open_tracker(root: Path, run: str) -> Tracker:
    """The run of this name: offline a new file in place of the one before, on a server the same run again."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    import wandb

    root.mkdir(parents=True, exist_ok=True)
    mode, kept = os.environ.get("WANDB_MODE") or "offline", root / f"wandb-{run}.json"
    known = read_json(kept) if kept.exists() else {}
    if known.get("mode") != mode:
        known = {"mode": mode, "run_id": secrets.token_hex(4), "told": {}}
    if mode == "offline":
        known["told"] = {}
        for old in (root / "wandb").glob(f"offline-run-*-{known['run_id']}"):
            shutil.rmtree(old)
    started = wandb.init(
        project=os.environ.get("WANDB_PROJECT") or "tasksieve",
        name=run,
        id=known["run_id"],
        dir=root,
        mode=mode,
        resume=None if mode == "offline" else "allow",
        reinit="create_new",
        settings=wandb.Settings(console="off", disable_git=True, disable_code=True, x_disable_stats=True),
    )
    write_json(kept, known)
    return _Wandb(wandb, started, kept, known)
