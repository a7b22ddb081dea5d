"""Stand-ins for the packages of TensorBoard, MLflow and Weights & Biases, that keep in memory what they are told."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

OURS = "tasksieve.training.tracking"


class FakeWriter:
    """As torch's SummaryWriter; a file is left, so that it can be found again."""

    written: ClassVar[list[FakeWriter]] = []

    def __init__(self, folder: str) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"events.out.tfevents.{len(self.written)}").touch()
        self.folder, self.closed = Path(folder), False
        self.scalars: list[tuple[str, float, int]] = []
        self.histograms: list[tuple[str, int, int]] = []
        self.texts: dict[str, str] = {}
        self.written.append(self)

    def add_text(self, name: str, text: str) -> None:
        self.texts[name] = text

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.scalars.append((name, value, step))

    def add_histogram(self, name: str, values: Any, step: int, bins: Any) -> None:
        assert len(bins) == 21
        self.histograms.append((name, len(values), step))

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


class FakeClient:
    """As mlflow's MlflowClient, with one store a process."""

    experiments: ClassVar[dict[str, str]] = {}
    runs: ClassVar[dict[str, dict[str, Any]]] = {}

    def __init__(self, tracking_uri: str) -> None:
        self.address = tracking_uri

    def get_experiment_by_name(self, name: str) -> Any:
        found = self.experiments.get(name)
        return None if found is None else SimpleNamespace(experiment_id=found)

    def create_experiment(self, name: str) -> str:
        assert name not in self.experiments
        return self.experiments.setdefault(name, f"e{len(self.experiments)}")

    def create_run(self, experiment: str, run_name: str) -> Any:
        number = f"r{len(self.runs)}"
        run = {"experiment": experiment, "name": run_name, "status": "RUNNING", "params": {}}
        self.runs[number] = {**run, "points": defaultdict(list), "address": self.address}
        return SimpleNamespace(info=SimpleNamespace(run_id=number))

    def get_run(self, number: str) -> Any:
        return SimpleNamespace(data=SimpleNamespace(params=dict(self.runs[number]["params"])))

    def update_run(self, number: str, status: str) -> None:
        self.runs[number]["status"] = status

    def log_param(self, number: str, name: str, value: str) -> None:
        assert name not in self.runs[number]["params"]
        self.runs[number]["params"][name] = value

    def log_metric(self, number: str, name: str, value: float, step: int) -> None:
        self.runs[number]["points"][name].append((step, value))

    def get_metric_history(self, number: str, name: str) -> list[Any]:
        return [SimpleNamespace(step=step, value=value) for step, value in self.runs[number]["points"][name]]

    def set_terminated(self, number: str, status: str) -> None:
        self.runs[number]["status"] = status


class FakeRun:
    """As wandb's Run; an offline one leaves a folder, and may not be told an iteration's metrics twice."""

    started: ClassVar[list[FakeRun]] = []

    def __init__(self, **given: Any) -> None:
        assert given["reinit"] == "create_new"
        self.name, self.number, self.mode = given["name"], given["id"], given["mode"]
        self.project, self.code = given["project"], None
        self.defined: dict[str, str | None] = {}
        self.settings: dict[str, Any] = {}
        self.points: list[dict[str, Any]] = []
        self.config = SimpleNamespace(update=lambda values, allow_val_change: self.settings.update(values))
        if self.mode == "offline":
            (Path(given["dir"]) / "wandb" / f"offline-run-{len(self.started)}-{self.number}").mkdir(parents=True)
        self.started.append(self)

    def define_metric(self, name: str, step_metric: str | None = None) -> None:
        self.defined[name] = step_metric

    def log(self, values: dict[str, Any]) -> None:
        self.points.append(values)

    def finish(self, exit_code: int) -> None:
        self.code = exit_code


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stand-ins where the packages would be."""
    FakeWriter.written, FakeClient.experiments, FakeClient.runs, FakeRun.started = [], {}, {}, []
    settings, histogram = (lambda **given: given), (lambda np_histogram: np_histogram)
    for name, values in (
        ("tensorboard", {}),
        ("torch.utils.tensorboard", {"SummaryWriter": FakeWriter}),
        ("mlflow", {"MlflowClient": FakeClient}),
        ("wandb", {"init": FakeRun, "Settings": settings, "Histogram": histogram}),
    ):
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("tensorboard", "mlflow", "wandb"):
        monkeypatch.delitem(sys.modules, f"{OURS}.{name}", raising=False)
    own_environment(monkeypatch)


def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is set about programs outside stays outside, and what we set about them does not outlast the test."""
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "WANDB_"))]:
        monkeypatch.delenv(name)
    for name in ("WANDB_ERROR_REPORTING", "WANDB_SILENT"):
        monkeypatch.setenv(name, "unset")
        monkeypatch.delenv(name)
    for name in ("DISABLE_TELEMETRY", "HTTP_REQUEST_MAX_RETRIES", "HTTP_REQUEST_TIMEOUT", "ALLOW_FILE_STORE"):
        monkeypatch.setenv(f"MLFLOW_{name}", "unset")
        monkeypatch.delenv(f"MLFLOW_{name}")


def uninstall() -> None:
    """Let the next import of our modules meet the packages themselves."""
    for name in ("tensorboard", "mlflow", "wandb"):
        sys.modules.pop(f"{OURS}.{name}", None)
