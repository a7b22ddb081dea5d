"""Metrics of a training: what Prometheus would read while it goes on."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import numpy as np
import pytest

from tasksieve.errors import UserError
from tasksieve.records.progress import RunProgress
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.runs.dialogs import train
from tasksieve.training.tracking import Tracker, Tracking
from tests.small import small_config

pytest.importorskip("prometheus_client", reason="prometheus_client is not installed")
from tasksieve.training.tracking.prometheus import QUANTILES, TrainingMetrics, serving


def scraped(port: int) -> dict[str, float]:
    """The samples by name, with labels other than the run's behind a comma."""
    from prometheus_client.parser import text_string_to_metric_families

    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    samples = [sample for family in families for sample in family.samples]
    assert {sample.labels["run"] for sample in samples} == {"mine"}
    return {",".join([s.name, *(v for k, v in s.labels.items() if k != "run")]): s.value for s in samples}


def test_a_training_can_be_scraped_while_it_goes_on(tasks_dir: Path, tmp_path: Path) -> None:
    config = small_config(tasks_dir, "restaurant", training={"iterations": 20, "evaluate_every": 10})
    seen: list[dict[str, float]] = []
    with serving("mine", 0) as (metrics, port):

        def watch(report: RunProgress) -> None:
            metrics.watch(report)
            seen.append(scraped(port))

        train(config, tmp_path / "run", watch, tracking=Tracking((), tmp_path, "mine", {"prometheus": metrics}))
    folder = RunFolder(tmp_path / "run")
    during = next(s for s in seen if s["tasksieve_training_iteration"] == 10)
    line = folder.read_metrics()[0]
    assert during["tasksieve_training_validated_iteration"] == line["step"] == 10
    assert during["tasksieve_training_finished"] == 0
    for of in ("primary", "related", "meta"):
        assert during[f"tasksieve_training_loss,{of}"] == pytest.approx(line[f"{of}_loss"])
    assert during["tasksieve_training_mean_weight"] == pytest.approx(line["mean_weight"])
    step = int(during["tasksieve_training_recorded_iteration"])
    weights = folder.read_weights(step)["weight"].to_numpy()
    told = [during[f"tasksieve_training_weight,{q}"] for q in QUANTILES]
    assert told == pytest.approx(list(np.quantile(weights, QUANTILES)))
    assert during["tasksieve_training_recorded_mean_weight"] == pytest.approx(weights.mean())
    assert seen[-1]["tasksieve_training_finished"] == 1
    assert seen[-1]["tasksieve_training_iteration"] == seen[-1]["tasksieve_training_iterations"]
    with pytest.raises(URLError):
        scraped(port)


def test_rate_and_time_left_follow_the_clock() -> None:
    now = [0.0]
    metrics = TrainingMetrics("mine", lambda: now[0])
    metrics.watch(RunProgress(0, 100, 0.0))

    def told(name: str) -> Any:
        return metrics.registry.get_sample_value(f"tasksieve_training_{name}", {"run": "mine"})

    assert np.isnan(told("seconds_left")) and np.isnan(told("iterations_per_second"))
    now[0] = 4.0
    metrics.watch(RunProgress(20, 100, 50.0))
    assert (told("iterations_per_second"), told("seconds_left")) == (5.0, 16.0)
    assert isinstance(metrics, Tracker)


@pytest.mark.parametrize("path", ["/", "/metrics/more", "/favicon.ico", "/.env"])
def test_metrics_are_at_one_path_alone(path: str) -> None:
    with serving("mine", 0) as (_, port):
        with pytest.raises(HTTPError, match="404") as refused, urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
            pass
        assert refused.value.read() == b"Nothing is here; metrics are at /metrics.\n"
        with urlopen(f"http://127.0.0.1:{port}/metrics?name[]=tasksieve_training_iteration", timeout=5) as answer:
            assert answer.read().count(b"# TYPE") == 1


def test_a_port_in_use_is_refused_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(UserError, match=f"--metrics-port: cannot listen at 127.0.0.1:{port}"),
            serving("mine", port),
        ):
            pass
