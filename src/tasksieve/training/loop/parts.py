"""What a run is made of, whatever it learns from: the loop knows no more than this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, runtime_checkable

import polars as pl

from tasksieve.encoding import Examples
from tasksieve.records.config import Config
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.state import TrainState
from tasksieve.training.methods import Method
from tasksieve.weighting import Weighter


@runtime_checkable
class Tasks(Protocol):
    """What is learned from."""

    @property
    def primary(self) -> Examples:
        """Training examples of the primary task."""
        ...

    @property
    def related(self) -> tuple[Examples, ...]:
        """Training examples of each related task."""
        ...


@dataclass(frozen=True, slots=True)
class Preparation:
    """Work on a state before the first iteration; done anew if the run is killed before its first checkpoint.

    Attributes:
        iterations: that it takes, for who watches.
        work: does it; takes the run folder and what to call with the number of iterations done, and may go on from
            what an earlier call left in the folder.
    """

    iterations: int
    work: Callable[[RunFolder, Callable[[int], None]], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """A run's parts at its start.

    Attributes:
        tasks: what is learned from.
        state: what the updates change.
        weighter: weights of the related examples.
        examples: the related examples as records; at least the columns example, dialog and turn.
        validate: the accuracy on the primary task's validation data now, in per cent.
        facts: what ``result.json`` says beside how the run ended: at least ``size``, the primary task's.
        write: leaves in the run folder what the trained model needs to be used.
        prepare: what comes before the first iteration, if anything.
    """

    tasks: Tasks
    state: TrainState
    weighter: Weighter
    examples: pl.DataFrame
    validate: Callable[[], float]
    facts: dict[str, Any]
    write: Callable[[RunFolder], None]
    prepare: Preparation | None = None


@dataclass(frozen=True, slots=True)
class Setting(Generic[Config]):
    """A kind of run.

    Attributes:
        config: the class of its configuration.
        files: the data files that a configuration means.
        build: reads them and makes the parts.
    """

    config: type[Config]
    files: Callable[[Config], tuple[Path, ...]]
    build: Callable[[Config, Method], Parts]
