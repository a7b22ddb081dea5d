"""A kind of run, on dialogs or on anything else, and what one run is made of: the loop knows no more than this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

import polars as pl

from tasksieve.records.config import Config
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.method import Method, Preparation, Start
from tasksieve.training.loop.own_kinds import check_model, check_weight_module
from tasksieve.training.loop.ranks import Ranks
from tasksieve.training.loop.samplers import Tasks
from tasksieve.training.loop.state import TrainState, start_state
from tasksieve.weighting import Weighter


def _nothing(_: RunFolder, __: Ranks) -> dict[str, Any]:
    return {}


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
        conclude: what ``result.json`` says besides, from the finished run's folder, which the first process reads;
            the processes are those that pass over the model together.
    """

    tasks: Tasks
    state: TrainState
    weighter: Weighter
    examples: pl.DataFrame
    validate: Callable[[], float]
    facts: dict[str, Any]
    write: Callable[[RunFolder], None]
    prepare: Preparation | None = None
    conclude: Callable[[RunFolder, Ranks], dict[str, Any]] = _nothing

    @classmethod
    def of(
        cls,
        method: Method,
        start: Start,
        *,
        validate: Callable[[], float],
        facts: dict[str, Any],
        write: Callable[[RunFolder], None],
        conclude: Callable[[RunFolder, Ranks], dict[str, Any]] = _nothing,
    ) -> Parts:
        """Bring a method to what its setting has made; for the arguments see the attributes.

        Raises: UserError: if a model or weight module of one's own does not keep to its contract.
        """
        check_model(start.model, start.tasks)
        chosen = method.weighing(start)
        if chosen.module is not None:
            check_weight_module(chosen.module, start.model, start.tasks)
        state = start_state(start.config, start.model, chosen.module)
        records = (start.examples, validate, facts, write)
        return cls(start.tasks, state, chosen.weighter, *records, prepare=chosen.prepare, conclude=conclude)


@dataclass(frozen=True, slots=True)
class Setting(Generic[Config]):
    """A kind of run.

    Attributes:
        config: the class of its configuration.
        method: finds the method that a configuration names, and refuses one that cannot work here.
        files: the data files that a configuration means.
        build: reads them and makes the parts.
        fit: does a whole run by a simple method: reads the files, fits, and leaves in the folder what measures it
            later; returns what ``result.json`` says beside method, seed and seconds. None where there are none.
    """

    config: type[Config]
    method: Callable[[Config], Method]
    files: Callable[[Config], tuple[Path, ...]]
    build: Callable[[Config, Method], Parts]
    fit: Callable[[Config, Method, RunFolder], dict[str, Any]] | None = None
