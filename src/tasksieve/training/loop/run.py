"""A run from its configuration to its folder: train, validate, record, stop, resume."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch

from tasksieve.encoding import derived_generator
from tasksieve.encoding.threads import computing_with
from tasksieve.errors import UserError
from tasksieve.metagrad.certificate import CERTIFICATE
from tasksieve.records.config import Config, LoopConfig
from tasksieve.records.lock import FolderLock
from tasksieve.records.progress import ProgressLog, RunProgress, Watcher
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.background import Background
from tasksieve.training.loop.chosen_estimator import check_estimator
from tasksieve.training.loop.claiming import check_folder, claimed
from tasksieve.training.loop.devices import on_device
from tasksieve.training.loop.environment import environment
from tasksieve.training.loop.method import Method
from tasksieve.training.loop.ranks import ALONE, Ranks, check_ranks
from tasksieve.training.loop.recorded_weights import RecordedWeights
from tasksieve.training.loop.resuming import go_on
from tasksieve.training.loop.setting import Parts, Setting
from tasksieve.training.loop.sharded import check_sharded, is_sharded, measured_by
from tasksieve.training.loop.skipped import meta_updates_of, warn_of_skipped
from tasksieve.training.loop.streams import LAYERS_STREAM
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.tracking import Trackers, Tracking

_WATCH_EVERY = 10
NOBODY = Tracking()
"""No program is told anything."""


def run(
    config: Config,
    path: Path | str,
    setting: Setting[Config],
    watch: Watcher | None = None,
    *,
    resume: bool = True,
    tracking: Tracking = NOBODY,
    ranks: Ranks = ALONE,
) -> dict[str, Any]:
    """Train as configured and leave all records in a run folder; go on where an earlier call was stopped.

    Args:
        config: of the run.
        path: the run folder; new, empty, or of a run with the same configuration.
        setting: what kind of run it is.
        watch: called every few iterations; without it, progress goes to the logger ``tasksieve``.
        resume: False refuses a folder in which a run was begun.
        tracking: programs that are told what is recorded; also of a run that has ended before.
        ranks: the processes that share the run, each of which calls this at the same time; the first one writes.
    Returns: the record ``result.json``.
    Raises:
        UserError: if the data is bad, the folder holds something else, another process is at work in it, or training
            diverges.
    """
    tracking.check()
    config = on_device(config)
    folder = RunFolder(Path(path))
    method = setting.method(config)
    check_estimator(config.meta, learns="weights" in method.updates)
    check_ranks(ranks, config, method)
    check_sharded(ranks, config, method)
    facts = environment(setting.files(config))
    if ranks.first:
        check_folder(folder, config, setting, facts, resume)
        if folder.begun and folder.finished:
            with tracking.start(folder):
                return dict(ranks.told([folder.read_record("result"), []])[0])  # what the others ask in claimed
    with (
        FolderLock(folder.path) if ranks.first else nullcontext(),
        torch.random.fork_rng(devices=_with_own_random_state(config)),
    ):
        ended = claimed(folder, config, setting, facts, ranks)
        if ended is not None:
            return ended
        torch.manual_seed(derived_generator(config.training.seed, LAYERS_STREAM).initial_seed())
        with computing_with(config.training.threads):
            if method.simple:
                return _fit(folder, config, method, setting, watch or _logged(config))
            parts = setting.build(_here(config, ranks), method)
            if parts.prepare and is_sharded(config):
                raise UserError("model.sharded: trials before the run are of one process; set screening.trials=0")
            return _Run(folder, config, method, parts, ranks).finish(watch or _logged(config), tracking)


def _fit(
    folder: RunFolder, config: Config, method: Method, setting: Setting[Config], watch: Watcher
) -> dict[str, Any]:
    """A run by a simple method, which has no iterations: one that is killed starts again."""
    if setting.fit is None:
        raise UserError(f"method '{method.name}' is for runs on dialogs; choose another method")
    started = time.perf_counter()
    found = setting.fit(config, method, folder)
    result = {
        "method": method.name,
        "seed": config.training.seed,
        "best_step": 0,
        "iterations": 0,
        "stopped": "fitted",
        "seconds": round(time.perf_counter() - started, 3),
        **found,
    }
    folder.write_record("result", result)
    watch(RunProgress(1, 1, result["valid_accuracy"], ended=True))
    return result


def _here(config: Config, ranks: Ranks) -> Config:
    """The configuration with the device of this process."""
    if ranks.device is None:
        return config
    return config.model_copy(update={"training": config.training.model_copy(update={"device": ranks.device})})


def _logged(config: LoopConfig) -> Watcher:
    return partial(ProgressLog().watch, config.training.method)


def _with_own_random_state(config: LoopConfig) -> list[torch.device]:
    device = torch.device(config.training.device)
    return [device] if device.type == "cuda" else []


class _Run:
    def __init__(self, folder: RunFolder, config: LoopConfig, method: Method, parts: Parts, ranks: Ranks) -> None:
        self.folder, self.config, self.method, self.parts = folder, config, method, parts
        self.state, self.ranks = parts.state, ranks
        self.measuring = measured_by(ranks, config)
        self.trainer = Trainer(config, method, parts.tasks, parts.state, parts.weighter, ranks)
        self.total = config.training.iterations + self.trainer.pretrain_iterations
        self.weights = RecordedWeights(config.training, parts.tasks.related, parts.weighter, parts.examples)
        self.trackers = Trackers()
        self.before = parts.prepare.iterations if parts.prepare else 0

    def finish(self, watch: Watcher, tracking: Tracking) -> dict[str, Any]:
        if not self.ranks.first:
            self.ranks.share(self.state)
            self._train(lambda _: None)
            if self.measuring.several:
                self.parts.conclude(self.folder, self.measuring)
            return dict(self.ranks.told(None))
        if not go_on(self.folder, self.state):
            self._begin(watch)
        elif self.parts.prepare:
            self.parts.prepare.restore(self.folder)
        self.ranks.share(self.state)
        with tracking.start(self.folder) as self.trackers, Background() as self.background:
            self._train(watch)
        return dict(self.ranks.told(self._write_result()))

    def _train(self, watch: Watcher) -> None:
        training, progress = self.config.training, self.state.progress
        started = time.perf_counter() - progress.seconds
        while progress.step < self.total and progress.stale < training.patience:
            self.trainer.iterate(progress.step)
            progress.step += 1
            if progress.step % training.snapshot_every == 0:
                self._record_weights()
            if progress.step % training.evaluate_every == 0 or progress.step == self.total:
                progress.seconds = time.perf_counter() - started
                self._validate()
            if progress.step % _WATCH_EVERY == 0:
                watch(self._progress(progress.step))
        if progress.step % training.snapshot_every or self.weights.sampled:
            self._record_weights(every=True)
        done = self.before + progress.step
        watch(RunProgress(done, done, progress.best_accuracy, ended=True, last=training.keep == "last"))

    def _begin(self, watch: Watcher) -> None:
        folder, parts = self.folder, self.parts
        parts.write(folder)
        if parts.tasks.related:
            folder.write_examples(parts.examples)
        started = time.perf_counter()
        if parts.prepare:
            parts.prepare.work(folder, lambda done: watch(self._progress(done - self.before)))
        self.state.progress.seconds = max(folder.forget_after(-1), time.perf_counter() - started)
        self._record_weights()

    def _progress(self, step: int) -> RunProgress:
        """How far the run is after so many iterations; those that come before are negative."""
        best = max(0.0, self.state.progress.best_accuracy)
        last = self.config.training.keep == "last"
        return RunProgress(self.before + step, self.before + self.total, best, screening=step <= 0, last=last)

    def _validate(self) -> None:
        self.trainer.settle()
        progress = self.state.progress
        measures = self.ranks.first or self.measuring.several
        reached = self.ranks.told(self.parts.validate() if measures else None)
        selecting = progress.step > self.trainer.pretrain_iterations
        last = self.config.training.keep == "last"
        better = selecting and (last or reached > progress.best_accuracy)
        if better:
            progress.best_accuracy, progress.best_step, progress.stale = reached, progress.step, 0
        elif selecting:
            progress.stale += 1
        means = self.trainer.means.take()
        if not self.ranks.first:
            return
        names = ("primary_loss", "related_loss", "meta_loss", "mean_weight", "meta_updates_skipped")
        known = {name: value for name, value in means.items() if name.startswith(CERTIFICATE)}
        checks = {name: value if math.isfinite(value) else None for name, value in known.items()}
        line = {"step": progress.step, "valid_accuracy": reached, **{n: means.get(n) for n in names}, **checks}
        self.folder.append_time(progress.step, progress.seconds)
        self.folder.append_metrics(line)
        self.trackers.metrics(line)
        self._save(better)

    def _save(self, better: bool) -> None:
        """Write a checkpoint beside the training, and then its model as the best one if it is."""
        folder = self.folder
        self.background.wait()
        copy = self.state.copy()

        def write() -> None:
            copy.write(folder.last_checkpoint, folder.previous_checkpoint)
            if better:
                copy.write_model(folder.best_checkpoint)

        self.background.submit(write)

    def _record_weights(self, every: bool = False) -> None:
        if not self.ranks.first:
            return
        step = self.state.progress.step
        frame = self.weights.at(step, every)
        if frame is not None:
            self.folder.write_weights(step, frame)
            self.trackers.weights(step, frame)

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
            **meta_updates_of(self.folder.read_metrics(), self.trainer.meta_updates),
            **self.parts.conclude(self.folder, self.measuring),
            "seconds": round(progress.seconds, 3),
        }
        warn_of_skipped(result, self.folder.path)
        self.folder.write_record("result", result)
        return result
