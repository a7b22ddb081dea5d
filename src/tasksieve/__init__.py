"""Train a goal-oriented dialog system on few dialogs of a new task, borrowing from a related one only what helps.

>>> import tasksieve
>>> splits = tasksieve.simulate("restaurant", dialogs=2, seed=1)
>>> len(splits["train"])
2
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasksieve.dialogs import SILENCE, Dialog, Note, Record, Turn
    from tasksieve.dialogs.formats import read_dialogs, write_babi
    from tasksieve.dialogs.simulate import simulate, write_simulation
    from tasksieve.errors import UserError
    from tasksieve.experiments.compare import Plan, compare
    from tasksieve.records.config import RunConfig, config_from
    from tasksieve.training.runs.conversation import Conversation
    from tasksieve.training.runs.dialogs import train
    from tasksieve.training.runs.trained_model import TrainedModel, evaluate_run

_HOMES = {
    "SILENCE": "dialogs",
    "Dialog": "dialogs",
    "Note": "dialogs",
    "Record": "dialogs",
    "Turn": "dialogs",
    "read_dialogs": "dialogs.formats",
    "write_babi": "dialogs.formats",
    "simulate": "dialogs.simulate",
    "write_simulation": "dialogs.simulate",
    "UserError": "errors",
    "Plan": "experiments.compare",
    "compare": "experiments.compare",
    "RunConfig": "records.config",
    "config_from": "records.config",
    "train": "training.runs.dialogs",
    "Conversation": "training.runs.conversation",
    "TrainedModel": "training.runs.trained_model",
    "evaluate_run": "training.runs.trained_model",
}

__all__ = [
    "SILENCE",
    "Conversation",
    "Dialog",
    "Note",
    "Plan",
    "Record",
    "RunConfig",
    "TrainedModel",
    "Turn",
    "UserError",
    "compare",
    "config_from",
    "evaluate_run",
    "read_dialogs",
    "simulate",
    "train",
    "write_babi",
    "write_simulation",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `tasksieve --help` need not wait for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tasksieve' has no attribute '{name}'")
    return getattr(import_module(f"tasksieve.{_HOMES[name]}"), name)
