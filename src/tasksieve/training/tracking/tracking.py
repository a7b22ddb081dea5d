"""Which programs follow a run, and that none of them can harm it."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import polars as pl

from tasksieve.errors import UserError, one_line
from tasksieve.records.config import read_values
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.tracking.tracker import Tracker

PROGRAMS = ("tensorboard", "mlflow", "wandb")
"""Each is also the name of its Python package, of the extra that installs it, and of the module here."""

_log = logging.getLogger("tasksieve")


class Trackers:
    """The trackers of one run; a context manager. One that fails is named in a warning and left out from then on.

    Args:
        trackers: by the name of their program.
    """

    def __init__(self, trackers: Mapping[str, Tracker] | None = None) -> None:
        self._trackers = dict(trackers or {})

    def __enter__(self) -> Trackers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tell(lambda tracker: tracker.close(finished=kind is None))

    def settings(self, values: Mapping[str, Any]) -> None:
        """Tell all of the configuration."""
        self._tell(lambda tracker: tracker.settings(values))

    def metrics(self, line: Mapping[str, Any]) -> None:
        """Tell all of a line of ``metrics.jsonl``."""
        values = {name: float(value) for name, value in line.items() if name != "step" and _finite(value)}
        self._tell(lambda tracker: tracker.metrics(int(line["step"]), values))

    def weights(self, step: int, frame: pl.DataFrame) -> None:
        """Tell all of a snapshot, a frame with the column weight."""
        values = frame["weight"].cast(pl.Float64).drop_nulls()
        finite = values.filter(values.is_finite()).to_numpy()
        if len(finite):
            self._tell(lambda tracker: tracker.weights(step, finite))

    def recorded(self, folder: RunFolder) -> None:
        """Tell all of everything that a run folder holds."""
        if not self._trackers:
            return
        self.settings(read_values(folder.path / "config.toml"))
        for line in folder.read_metrics():
            self.metrics(line)
        for step in folder.weight_steps():
            self.weights(step, folder.read_weights(step))

    def _tell(self, tell: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            try:
                tell(tracker)
            except Exception as error:
                del self._trackers[name]
                _warn(name, error)


@dataclass(frozen=True, slots=True)
class Tracking:
    """Which programs follow a run.

    Attributes:
        programs: of :data:`PROGRAMS`; none by default.
        root: the folder for their files.
        run: what they call the run.
        more: trackers that are open already, by name; not of these programs.
    """

    programs: tuple[str, ...] = ()
    root: Path = Path()
    run: str = ""
    more: Mapping[str, Tracker] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse what cannot be, before any work is done.

        Raises: UserError: if a program is unknown or not installed.
        """
        for name in self.programs:
            if name not in PROGRAMS:
                raise UserError(f"--track: found '{name}'; expected {', '.join(PROGRAMS[:-1])} or {PROGRAMS[-1]}")
            if find_spec(name) is None:
                raise UserError(f"{name} is not installed; install the extra: pip install 'tasksieve[{name}]'")

    def prepare(self) -> None:
        """Do once what runs side by side would do at the same time."""
        for name in self.programs:
            try:
                _module(name).prepare(self.root)
            except Exception as error:
                _warn(name, error)

    def start(self, folder: RunFolder) -> Trackers:
        """Start the trackers with everything the run has recorded so far."""
        opened: dict[str, Tracker] = dict(self.more)
        for name in dict.fromkeys(self.programs):
            try:
                opened[name] = _module(name).open_tracker(self.root, self.run)
            except Exception as error:
                _warn(name, error)
        trackers = Trackers(opened)
        try:
            trackers.recorded(folder)
        except UserError as error:
            _log.warning("not all of this run so far can be shown in %s: %s", " and ".join(opened), error)
        return trackers


def _warn(name: str, error: Exception) -> None:
    reason = one_line(str(error)) or type(error).__name__
    _log.warning("%s follows this run no more, training goes on: %s", name, reason)


def _finite(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _module(name: str) -> Any:
    return import_module(f"tasksieve.training.tracking.{name}")
