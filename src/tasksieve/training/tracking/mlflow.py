"""Runs in MLflow: at ``MLFLOW_TRACKING_URI``, or else in files under ``mlruns``.

MLflow keeps every point it was ever given, twice if given twice. So the number of MLflow's run is kept beside its
files, and a run that goes on asks which points are there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mlflow import MlflowClient
from numpy.typing import NDArray

from tasksieve.records.files import read_json, write_json
from tasksieve.training.tracking.tracker import Tracker

_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # training waits while a server does not answer
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
_LONGEST = 500  # characters of a parameter that every version of MLflow takes


class _MLflow:
    def __init__(self, client: Any, number: str) -> None:
        self._client, self._number = client, number
        self._steps: dict[str, set[int]] = {}

    def settings(self, values: Mapping[str, Any]) -> None:
        known = self._client.get_run(self._number).data.params
        for section, settings in values.items():
            for name, value in settings.items():
                if f"{section}.{name}" not in known:
                    self._client.log_param(self._number, f"{section}.{name}", str(value)[:_LONGEST])

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            if step not in self._known(name):
                self._client.log_metric(self._number, name, value, step=step)
                self._known(name).add(step)

    def weights(self, step: int, values: NDArray[np.float64]) -> None:
        """MLflow has no histograms; ``mean_weight`` is among the metrics."""

    def close(self, *, finished: bool) -> None:
        self._client.set_terminated(self._number, "FINISHED" if finished else "KILLED")

    def _known(self, name: str) -> set[int]:
        if name not in self._steps:
            points = self._client.get_metric_history(self._number, name)
            self._steps[name] = {point.step for point in points}
        return self._steps[name]


def prepare(root: Path) -> None:
    """Make the experiment, which all runs of a comparison share."""
    client, _ = _client(root)
    _experiment(client)


def open_tracker(root: Path, run: str) -> Tracker:
    """The run of this name in MLflow, found again if it was begun there before."""
    client, address = _client(root)
    kept = root / f"mlflow-{run}.json"
    known = read_json(kept) if kept.exists() else {}
    if known.get("address") == address:
        client.update_run(known["run_id"], status="RUNNING")
        return _MLflow(client, known["run_id"])
    number = client.create_run(_experiment(client), run_name=run).info.run_id
    write_json(kept, {"address": address, "run_id": number})
    return _MLflow(client, number)


def _client(root: Path) -> tuple[Any, str]:
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    address = os.environ.get("MLFLOW_TRACKING_URI")
    if not address:
        # Newer versions would rather have a database, for which the light client has no driver.
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        address = (root / "mlruns").resolve().as_uri()
    return MlflowClient(tracking_uri=address), address


def _experiment(client: Any) -> str:
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "tasksieve"
    found = client.get_experiment_by_name(name)
    return str(client.create_experiment(name) if found is None else found.experiment_id)
