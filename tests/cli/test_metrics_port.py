"""`train --metrics-port`: metrics of a training while it lasts, and what is said where they cannot be had."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from urllib.request import urlopen

import pytest

from tasksieve.records.progress import RunProgress
from tasksieve.training.tracking.prometheus import TrainingMetrics
from tests.commands import Cli, small_options

pytest.importorskip("prometheus_client", reason="prometheus_client is not installed")


def task_options(tasks: Path) -> list[str]:
    primary = str(tasks / "primary")
    return ["--primary", primary, "--valid", primary, "--related", str(tasks / "restaurant"), *small_options()]


def test_a_training_tells_where_its_metrics_are(
    cli: Cli, tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    told = TrainingMetrics.watch

    def watch(self: TrainingMetrics, progress: RunProgress) -> None:
        told(self, progress)
        read.append(urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode())

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(TrainingMetrics, "watch", watch)
    ended = cli("train", *task_options(tasks_dir), "--out", tmp_path / "new", "--metrics-port", port)
    assert ended.code == 0
    assert f"metrics at http://127.0.0.1:{port}/metrics" in ended.err
    assert re.search(r'tasksieve_training_finished{run="new"} 1\.0', read[-1])


def test_a_port_in_use_is_said_before_any_work(cli: Cli, tasks_dir: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = cli("train", *task_options(tasks_dir), "--out", tmp_path / "new", "--metrics-port", port)
    assert ended.code == 2
    assert "--metrics-port: cannot listen at" in " ".join(ended.err.split())
    assert not (tmp_path / "new").exists()
