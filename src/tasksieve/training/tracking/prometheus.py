"""What a training says of itself to Prometheus, over HTTP while it lasts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tasksieve.errors import UserError
from tasksieve.records.progress import Pace, RunProgress

if TYPE_CHECKING:
    from prometheus_client import Gauge

_Wsgi = Callable[..., Iterable[bytes]]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Of the recorded weights."""
_LOSSES = ("primary", "related", "meta")
_MEANINGS = {
    "iteration": "Iterations done, those of a screening among them.",
    "iterations": "Iterations at most to do.",
    "iterations_per_second": "How fast it goes; not a number until that can be told.",
    "seconds_left": "Time left if it goes on like this to its last iteration; likewise.",
    "finished": "1 once it has ended, else 0.",
    "best_accuracy_percent": "Best validation accuracy so far, of one answer chosen or one ranking.",
    "valid_accuracy_percent": "Validation accuracy at the last validation.",
    "validated_iteration": "The iteration of the last validation, whose means the losses are.",
    "mean_weight": "Mean weight of the related examples drawn between the last two validations.",
    "recorded_iteration": "The iteration of the last recorded weights.",
}


class TrainingMetrics:
    """The numbers of one training: a tracker that is told how far it is as well.

    Metrics are called ``tasksieve_training_`` and a name; see ``docs/tracking.md``.

    Args:
        run: what the label ``run`` says.
        clock: the time in seconds.
    """

    def __init__(self, run: str, clock: Callable[[], float] = time.monotonic) -> None:
        from prometheus_client import CollectorRegistry, Gauge

        self.registry = CollectorRegistry()
        self._clock, self._pace, self._run = clock, Pace(), run

        def gauge(name: str, meaning: str, *labels: str) -> Gauge:
            return Gauge(f"tasksieve_training_{name}", meaning, ("run", *labels), registry=self.registry)

        self._gauges = {name: gauge(name, meaning).labels(run) for name, meaning in _MEANINGS.items()}
        self._loss = gauge("loss", "Mean loss between the last two validations.", "of")
        self._weight = gauge("weight", "Quantiles of the weights last recorded.", "quantile")
        self._recorded_mean = gauge("recorded_mean_weight", "Mean of the weights last recorded.")
        for name in ("iterations_per_second", "seconds_left"):
            self._gauges[name].set(float("nan"))

    def watch(self, progress: RunProgress) -> None:
        """Take how far the training is."""
        rate = self._pace.rate(progress, self._clock())
        left = progress.total - progress.step
        values = {
            "iteration": progress.step,
            "iterations": progress.total,
            "best_accuracy_percent": progress.best_accuracy,
            "finished": float(progress.ended),
            "iterations_per_second": float("nan") if rate is None else rate,
            "seconds_left": float("nan") if rate is None else left / rate,
        }
        for name, value in values.items():
            self._gauges[name].set(value)

    def settings(self, values: Mapping[str, Any]) -> None:
        """Nothing: settings are no metric."""

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Take a validation."""
        self._gauges["validated_iteration"].set(step)
        for name, key in (("valid_accuracy_percent", "valid_accuracy"), ("mean_weight", "mean_weight")):
            if key in values:
                self._gauges[name].set(values[key])
        for of in _LOSSES:
            if f"{of}_loss" in values:
                self._loss.labels(self._run, of).set(values[f"{of}_loss"])

    def weights(self, step: int, values: NDArray[np.float64]) -> None:
        """Take recorded weights."""
        self._gauges["recorded_iteration"].set(step)
        self._recorded_mean.labels(self._run).set(float(values.mean()))
        for quantile, value in zip(QUANTILES, np.quantile(values, QUANTILES), strict=True):
            self._weight.labels(self._run, str(quantile)).set(float(value))

    def close(self, *, finished: bool) -> None:
        """Nothing: whoever serves the metrics ends that."""


@contextmanager
def serving(run: str, port: int, address: str = "127.0.0.1") -> Iterator[tuple[TrainingMetrics, int]]:
    """Metrics of a training at ``http://ADDRESS:PORT/metrics`` for as long as the block lasts, in a thread.

    Args:
        run: what they call the run.
        port: to listen at; 0 takes a free one.
        address: to listen at; this machine alone by default.
    Returns: the metrics to tell, and the port.
    Raises: UserError: if ``prometheus_client`` is not installed or the port cannot be had.
    """
    if find_spec("prometheus_client") is None:
        raise UserError("prometheus_client is not installed; install the extra: pip install 'tasksieve[serve]'")
    from prometheus_client import make_wsgi_app, start_http_server

    metrics = TrainingMetrics(run)
    try:
        server, thread = start_http_server(port, addr=address, registry=metrics.registry)
        server.set_app(_only_metrics(make_wsgi_app(metrics.registry)))  # the library's answers at every path
    except (OSError, OverflowError) as error:
        raise UserError(f"--metrics-port: cannot listen at {address}:{port}, {error}; choose another port") from error
    try:
        yield metrics, server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _only_metrics(app: _Wsgi) -> _Wsgi:
    """An application that answers at ``/metrics`` as another does at every path, and nowhere else."""

    def answer(asked: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if asked["PATH_INFO"] == "/metrics":
            return app(asked, start)
        start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"Nothing is here; metrics are at /metrics.\n"]

    return answer
