"""Programs that follow a run: told everything once, also after a stop, and unable to harm it."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasksieve.errors import UserError
from tasksieve.experiments.compare import Plan, compare
from tasksieve.records.progress import RunProgress
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.runs.dialogs import train
from tasksieve.training.tracking import PROGRAMS, Trackers, Tracking
from tests.small import small_config
from tests.unit import trackers
from tests.unit.trackers import FakeClient, FakeWriter


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    trackers.install(monkeypatch)
    yield
    trackers.uninstall()


class Stop(Exception):
    pass


def stop_at(step: int) -> Any:
    def watch(report: RunProgress) -> None:
        if report.step >= step:
            raise Stop

    return watch


def told_metrics(folder: Path) -> set[tuple[str, int, float]]:
    lines = RunFolder(folder).read_metrics()
    return {(k, line["step"], v) for line in lines for k, v in line.items() if k != "step" and v is not None}


def test_both_are_told_what_is_recorded(fakes: None, tasks_dir: Path, tmp_path: Path) -> None:
    config = small_config(tasks_dir, "restaurant")
    train(config, tmp_path / "run", tracking=Tracking(PROGRAMS, tmp_path / "tracking", "mine"))
    (writer,), (run,) = FakeWriter.written, FakeClient.runs.values()
    assert {(name, step, value) for name, value, step in writer.scalars} == told_metrics(tmp_path / "run")
    assert [step for _, _, step in writer.histograms] == RunFolder(tmp_path / "run").weight_steps() == [0, 4, 8, 12]
    assert {count for _, count, _ in writer.histograms} == {len(RunFolder(tmp_path / "run").read_examples())}
    assert 'method = "learned"' in writer.texts["config.toml"]
    assert writer.folder == tmp_path / "tracking" / "tensorboard" / "mine" and writer.closed
    points = {(name, step, value) for name, of in run["points"].items() for step, value in of}
    assert points == told_metrics(tmp_path / "run")
    assert (run["name"], run["status"], run["params"]["training.method"]) == ("mine", "FINISHED", "learned")
    assert run["address"] == (tmp_path / "tracking" / "mlruns").resolve().as_uri()
    assert list(FakeClient.experiments) == ["tasksieve"]


def test_a_run_that_goes_on_tells_no_point_twice(fakes: None, tasks_dir: Path, tmp_path: Path) -> None:
    config = small_config(tasks_dir, "restaurant", training={"iterations": 20, "evaluate_every": 6})
    tracking = Tracking(PROGRAMS, tmp_path, "mine")
    with pytest.raises(Stop):
        train(config, tmp_path / "run", stop_at(10), tracking=tracking)
    (run,) = FakeClient.runs.values()
    assert run["status"] == "KILLED"
    assert max(step for _, _, step in FakeWriter.written[0].histograms) == 8
    train(config, tmp_path / "run", tracking=tracking)
    first, second = FakeWriter.written
    assert [file.name for file in first.folder.iterdir()] == ["events.out.tfevents.1"]
    assert max(Counter((name, step) for name, _, step in second.scalars).values()) == 1
    assert {(name, step, value) for name, value, step in second.scalars} == told_metrics(tmp_path / "run")
    assert [step for *_, step in second.histograms] == RunFolder(tmp_path / "run").weight_steps()
    assert list(FakeClient.runs.values()) == [run]
    assert [step for step, _ in run["points"]["valid_accuracy"]] == [6, 12, 18, 20]
    assert run["status"] == "FINISHED"


def test_a_run_that_has_ended_can_still_be_shown(fakes: None, tasks_dir: Path, tmp_path: Path) -> None:
    config = small_config(tasks_dir, "restaurant")
    train(config, tmp_path / "run")
    assert FakeWriter.written == []
    train(config, tmp_path / "run", tracking=Tracking(("tensorboard",), tmp_path, "late"))
    assert {(name, step, value) for name, value, step in FakeWriter.written[0].scalars} == told_metrics(
        tmp_path / "run"
    )


@pytest.fixture(scope="module")
def untracked(tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The metrics of the same run that nobody follows."""
    folder = tmp_path_factory.mktemp("untracked")
    train(small_config(tasks_dir, "restaurant"), folder)
    return (folder / "metrics.jsonl").read_bytes()


@pytest.mark.parametrize("method", ["__init__", "add_text", "add_scalar", "add_histogram", "flush", "close"])
def test_a_tracker_that_fails_loses_no_run(
    fakes: None,
    tasks_dir: Path,
    tmp_path: Path,
    untracked: bytes,
    method: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError("no\nspace")

    monkeypatch.setattr(FakeWriter, method, fail)
    config = small_config(tasks_dir, "restaurant")
    with caplog.at_level(logging.WARNING, "tasksieve"):
        train(config, tmp_path / "run", tracking=Tracking(PROGRAMS, tmp_path, "mine"))
    assert caplog.messages == ["tensorboard follows this run no more, training goes on: no space"]
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == untracked
    assert next(iter(FakeClient.runs.values()))["status"] == "FINISHED"


def test_records_that_cannot_be_read_stop_no_run(
    fakes: None, tasks_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = small_config(tasks_dir, "restaurant")
    train(config, tmp_path / "run")
    (tmp_path / "run" / "weights" / "step-0000004.parquet").write_bytes(b"no")
    result = train(config, tmp_path / "run", tracking=Tracking(("tensorboard",), tmp_path, "mine"))
    assert result["iterations"] == 12
    assert "not all of this run so far can be shown in tensorboard" in caplog.text


def test_what_is_no_number_is_not_told(fakes: None, tmp_path: Path) -> None:
    tracker: Any = import_module("tasksieve.training.tracking.tensorboard").open_tracker(tmp_path, "mine")
    following = Trackers({"tensorboard": tracker})
    following.metrics({"step": 3, "a": None, "b": float("nan"), "c": 2})
    following.weights(3, pl.DataFrame({"weight": [0.5, float("nan"), None]}))
    following.weights(4, pl.DataFrame({"weight": [float("nan")]}))
    (writer,) = FakeWriter.written
    assert writer.scalars == [("c", 2.0, 3)]
    assert writer.histograms == [("weights", 1, 3)]


def test_compare_follows_every_run_and_those_done_before(fakes: None, tasks_dir: Path, tmp_path: Path) -> None:
    config = small_config(tasks_dir, "restaurant")
    plan = Plan(config, str(tasks_dir / "primary"), ("primary", "learned"), (), 1, tmp_path, track=PROGRAMS)
    compare(plan)
    names = {"primary-6-0", "learned-6-0"}
    assert {writer.folder.name for writer in FakeWriter.written} == names
    assert {run["name"] for run in FakeClient.runs.values()} == names
    before = [dict(run["points"]) for run in FakeClient.runs.values()]
    compare(plan)
    assert len(FakeWriter.written) == 4
    assert [dict(run["points"]) for run in FakeClient.runs.values()] == before


def test_a_missing_or_unknown_program_is_refused_in_one_sentence(
    tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasksieve.training.tracking.tracking.find_spec", lambda name: None)
    config = small_config(tasks_dir)
    for name in PROGRAMS:
        with pytest.raises(UserError, match=rf"^{name} is not installed; .*: pip install 'tasksieve\[{name}\]'$"):
            train(config, tmp_path / "run", tracking=Tracking((name,), tmp_path))
    with pytest.raises(UserError, match="--track: found 'aim'; expected tensorboard, mlflow or wandb"):
        compare(Plan(config, str(tasks_dir / "primary"), ("primary",), (), 1, tmp_path / "c", track=("aim",)))
    assert list(tmp_path.iterdir()) == []


def test_tensorboard_itself_reads_every_point_once(tasks_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = small_config(tasks_dir, "restaurant", training={"iterations": 20, "evaluate_every": 6})
    tracking = Tracking(("tensorboard",), tmp_path, "mine")
    with pytest.raises(Stop):
        train(config, tmp_path / "run", stop_at(10), tracking=tracking)
    train(config, tmp_path / "run", tracking=tracking)
    events = EventAccumulator(str(tmp_path / "tensorboard" / "mine"), {"histograms": 0, "scalars": 0})
    events.Reload()
    read = {(tag, e.step, e.value) for tag in events.Tags()["scalars"] for e in events.Scalars(tag)}
    recorded = told_metrics(tmp_path / "run")
    assert {(name, step) for name, step, _ in read} == {(name, step) for name, step, _ in recorded}
    assert [value for *_, value in sorted(read)] == pytest.approx([value for *_, value in sorted(recorded)], rel=1e-6)
    assert [event.step for event in events.Scalars("valid_accuracy")] == [6, 12, 18, 20]
    histograms = events.Histograms("weights")
    assert [one.step for one in histograms] == RunFolder(tmp_path / "run").weight_steps()
    assert histograms[-1].histogram_value.num == len(RunFolder(tmp_path / "run").read_examples())


def test_mlflow_goes_where_its_environment_says_and_sends_nothing_of_its_own(
    fakes: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "dialogs")
    program = import_module("tasksieve.training.tracking.mlflow")
    program.prepare(tmp_path)
    program.open_tracker(tmp_path, "mine")
    (run,) = FakeClient.runs.values()
    assert (run["address"], list(FakeClient.experiments)) == ("http://127.0.0.1:9", ["dialogs"])
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.2:9")
    program.open_tracker(tmp_path, "mine")
    assert [run["address"] for run in FakeClient.runs.values()] == ["http://127.0.0.1:9", "http://127.0.0.2:9"]


def test_mlflow_itself_keeps_every_point_once(
    tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trackers.own_environment(monkeypatch)
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
    config = small_config(tasks_dir, "restaurant", training={"iterations": 20, "evaluate_every": 6})
    tracking = Tracking(("mlflow",), tmp_path, "mine")
    with pytest.raises(Stop):
        train(config, tmp_path / "run", stop_at(10), tracking=tracking)
    train(config, tmp_path / "run", tracking=tracking)
    client = mlflow.MlflowClient(tracking_uri=(tmp_path / "mlruns").as_uri())
    (run,) = client.search_runs([client.get_experiment_by_name("tasksieve").experiment_id])
    assert (run.info.run_name, run.info.status) == ("mine", "FINISHED")
    assert run.data.params["training.method"] == "learned"
    for name in ("valid_accuracy", "mean_weight"):
        points = {(name, point.step, point.value) for point in client.get_metric_history(run.info.run_id, name)}
        assert points == {point for point in told_metrics(tmp_path / "run") if point[0] == name}
        assert len(client.get_metric_history(run.info.run_id, name)) == len(points)
