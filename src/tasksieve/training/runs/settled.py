"""What a configuration leaves to data and machine: what is predicted, by which model, from which sentences, where."""

from __future__ import annotations

import logging
from typing import Any

from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig, config_of
from tasksieve.records.measures import ACTIONS, RANKING
from tasksieve.records.model_config import AUTO, BUILT_IN
from tasksieve.records.said_once import SAID_ONCE
from tasksieve.training.loop.devices import on_device
from tasksieve.training.runs.encoders import missing_encoder, tuned_in
from tasksieve.training.runs.measured import measure_of
from tasksieve.training.runs.read_files import read_files

MATCHING, RANKS, LANGUAGE, GROUPS = "matching", "ranking", "language-model", "groups"
_KINDS = {ACTIONS: MATCHING, RANKING: RANKS}
"""The model that suits what a run is about; any other measure has the built-in one."""
_log = logging.getLogger("tasksieve")

_META: dict[str, Any] = {
    "unroll_length": 1,
    "batch_size": 64,
    "estimator": "small-step",
    "inner_optimizer": "held-adam",
    "inner_lr": 1e-3,
    "weight_optimizer": "adagrad",
    "loss": "calibrated",
    "dialogs": "validation",
}
"""How groups' weights are learned: one simulated step at a time, judged on dialogs that the model does not learn."""

_DEFAULTS: dict[str, dict[str, dict[str, Any]]] = {
    MATCHING: {
        "training": {
            "iterations": 600,
            "primary_lr": 1e-3,
            "related_lr": 4e-3,
            "lr_schedule": "linear",
            "keep": "last",
            "decay": 0.25,
            "related_batch_size": 64,
            "evaluate_every": 100,
        },
        "meta": {**_META, "weight_lr": 0.3, "warm_up": 60},
        "screening": {"trials": 0},
    },
    RANKS: {
        "training": {
            "iterations": 300,
            "primary_lr": 2e-3,
            "related_lr": 2e-3,
            "lr_schedule": "linear",
            "keep": "last",
            "decay": 0.1,
            "related_batch_size": 64,
            "evaluate_every": 50,
        },
        "meta": {**_META, "weight_lr": 1.0, "warm_up": 30},
        "screening": {"trials": 0},
    },
    LANGUAGE: {
        "training": {
            "iterations": 200,
            "primary_lr": 1e-3,
            "related_lr": 1e-3,
            "lr_schedule": "linear",
            "batch_size": 8,
            "related_batch_size": 8,
            "evaluate_every": 50,
        },
        "meta": {**_META, "weight_lr": 1.0, "batch_size": 8, "loss": "nll", "warm_up": 20},
        "screening": {"trials": 0},
    },
}
"""Defaults of runs with these models, where they differ from those of the memory network."""


def settled(config: RunConfig) -> RunConfig:
    """The configuration with everything decided, by the primary task's dialogs; as it is if it was settled before.

    Raises: UserError: if files cannot be read, or there is no such encoder or device here.
    """
    config = on_device(config)
    model = config.model
    if AUTO not in (config.data.predict, model.kind, model.sentences, config.weight_module.kind):
        return config
    values = config.model_dump()
    read = read_files(config.data.model_copy(update={"related": ()}))
    values["data"]["predict"] = read.prediction.what
    if model.kind == AUTO:
        given = model.model_dump(exclude_unset=True)  # the others are the kind's own
        values["model"] = {**given, "kind": _KINDS.get(measure_of(config, read), BUILT_IN)}
    kind = values["model"]["kind"]
    if config.weight_module.kind == AUTO:
        values["weight_module"]["kind"] = GROUPS if kind in _DEFAULTS else BUILT_IN
    tuned = tuned_in(config)
    if tuned and kind not in (MATCHING, RANKS):
        raise UserError(f"model.tune: the model {kind}, which suits these dialogs, has no encoder; leave it out")
    if model.sentences == AUTO:
        values["model"]["sentences"] = _sentences(kind, model.encoder, needed=tuned)
    for section, defaults in _DEFAULTS.get(kind, {}).items():
        already = getattr(config, section).model_fields_set
        values[section] |= {key: value for key, value in defaults.items() if key not in already}
    if AUTO in (config.data.predict, model.kind):
        _log.info("predicting %s: %s; model %s", read.prediction.what, read.prediction.why, kind, extra=SAID_ONCE)
    return config_of(RunConfig, values)


def _sentences(kind: str, encoder: str, *, needed: bool) -> str:
    if kind == LANGUAGE:
        return "tokens"
    if kind not in _DEFAULTS:
        return "bag-of-words"
    missing = missing_encoder(encoder)
    if missing and needed:
        raise UserError(f"model.tune: {missing}")
    if missing:
        _log.info("sentences are bags of words: %s", missing, extra=SAID_ONCE)
    return "bag-of-words" if missing else "both"
