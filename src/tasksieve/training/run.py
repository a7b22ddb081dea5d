"""A run from its configuration to its folder: train, validate, record, stop, resume."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import torch

from tasksieve.errors import UserError
from tasksieve.records.config import Config, LoopConfig, RunConfig
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.build import DIALOGS
from tasksieve.training.environment import environment
from tasksieve.training.methods import Method, method_named
from tasksieve.training.parts import Parts, Setting
from tasksieve.training.state import write_tensors
from tasksieve.training.trainer import Trainer


@dataclass(frozen=True, slots=True)
class Report:
    """How far a run is, for whoever watches: iterations done and at most to do, best validation accuracy."""

    step: int
    total: int
    best_accuracy: float


Watcher = Callable[[Report], None]
_REPORT_EVERY = 10


def train(config: RunConfig, path: Path | str, watch: Watcher | None = None) -> dict[str, Any]:
    """Train on dialogs as configured: :func:`run` with :data:`tasksieve.training.build.DIALOGS`."""
    return run(config, path, DIALOGS, watch)


def run(config: Config, path: Path | str, setting: Setting[Config], watch: Watcher | None = None) -> dict[str, Any]:
    """Train as configured and leave all records in a run folder; go on where an earlier call was stopped.

    Args:
        config: of the run.
        path: the run folder; new, empty, or of a run with the same configuration.
        setting: what kind of run it is.
        watch: called every few iterations.
    Returns: the record ``result.json``.
    Raises:
        UserError: if the data is bad, the folder holds something else, or training diverges.
    """
    folder = RunFolder(Path(path))
    method = method_named(config.training.method)
    resumed = _claim(folder, config, setting)
    if folder.finished:
        return dict(folder.read_record("result"))
    threads = torch.get_num_threads()
    torch.set_num_threads(config.training.threads)
    try:
        parts = setting.build(config, method)
        return _Run(folder, config, method, parts, resumed).finish(watch or (lambda report: None))
    finally:
        torch.set_num_threads(threads)


def _claim(folder: RunFolder, config: Config, setting: Setting[Config]) -> bool:
    """Check that the folder is ours to write to; say whether a run was begun in it."""
    facts = environment(setting.files(config))
    if (folder.path / "config.toml").exists():
        if folder.read_config_of(setting.config) != config:
            raise UserError("holds a run with another configuration; choose another --out", folder.path)
        before = folder.read_record("environment")["data"]
        changed = [name for name, digest in facts["data"].items() if before.get(name) != digest]
        if changed:
            raise UserError(f"was trained on other data: {changed[0]} has changed; choose another --out", folder.path)
        return True
    if folder.path.exists() and (not folder.path.is_dir() or any(folder.path.iterdir())):
        raise UserError("exists and is no run folder; choose another --out", folder.path)
    folder.write_record("environment", facts)
    folder.write_config(config)
    return False


class _Run:
    def __init__(self, folder: RunFolder, config: LoopConfig, method: Method, parts: Parts, resumed: bool) -> None:
        self.folder, self.config, self.method, self.parts = folder, config, method, parts
        self.state = parts.state
        self.trainer = Trainer(config, method, parts.tasks, parts.state, parts.weighter)
        self.total = config.training.iterations + self.trainer.pretrain_iterations
        if resumed and folder.last_checkpoint.exists():
            self.state.load(folder.last_checkpoint)
            folder.forget_after(self.state.progress.step)
        else:
            folder.forget_after(-1)
            parts.write(folder)
            if parts.tasks.related:
                folder.write_examples(parts.examples)
            self._snapshot()

    def finish(self, watch: Watcher) -> dict[str, Any]:
        training, progress = self.config.training, self.state.progress
        started = time.perf_counter() - progress.seconds
        while progress.step < self.total and progress.stale < training.patience:
            self.trainer.iterate(progress.step)
            progress.step += 1
            if progress.step % training.snapshot_every == 0:
                self._snapshot()
            if progress.step % training.evaluate_every == 0 or progress.step == self.total:
                progress.seconds = time.perf_counter() - started
                self._validate()
            if progress.step % _REPORT_EVERY == 0:
                watch(Report(progress.step, self.total, max(0.0, progress.best_accuracy)))
        if progress.step % training.snapshot_every:
            self._snapshot()
        watch(Report(progress.step, progress.step, progress.best_accuracy))
        return self._write_result()

    def _validate(self) -> None:
        progress = self.state.progress
        reached = self.parts.validate()
        selecting = progress.step > self.trainer.pretrain_iterations
        if selecting and reached > progress.best_accuracy:
            progress.best_accuracy, progress.best_step, progress.stale = reached, progress.step, 0
            parameters = {f"model.{name}": value for name, value in self.state.model.state_dict().items()}
            write_tensors(self.folder.best_checkpoint, parameters, {"step": str(progress.step)})
        elif selecting:
            progress.stale += 1
        means = self.trainer.means.take()
        names = ("primary_loss", "related_loss", "meta_loss", "mean_weight", "meta_updates_skipped")
        line = {"step": progress.step, "valid_accuracy": reached, **{n: means.get(n) for n in names}}
        self.folder.append_metrics({**line, "seconds": round(progress.seconds, 3)})
        self.state.save(self.folder.last_checkpoint)

    def _snapshot(self) -> None:
        step = self.state.progress.step
        related = self.parts.tasks.related
        tables = self.parts.weighter.snapshot(related, step) if related else None
        if tables is not None:
            weights = pl.Series(torch.cat([table.cpu() for table in tables]).numpy())
            columns = self.parts.examples.select("example", "dialog", "turn")
            frame = columns.with_columns(pl.lit(step).alias("step"), weights.alias("weight"))
            self.folder.write_weights(step, frame)

    def _write_result(self) -> dict[str, Any]:
        progress, training = self.state.progress, self.config.training
        result = {
            "method": self.method.name,
            "seed": training.seed,
            **self.parts.facts,
            "best_step": progress.best_step,
            "iterations": progress.step,
            "stopped": "early" if progress.step < self.total else "at the last iteration",
            "valid_accuracy": progress.best_accuracy,
            "seconds": round(progress.seconds, 3),
        }
        self.folder.write_record("result", result)
        return result
