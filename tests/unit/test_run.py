"""Runs: what they leave behind, how they stop, go on and refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tasksieve.errors import UserError
from tasksieve.records.config import config_from, read_values
from tasksieve.records.files import write_whole
from tasksieve.records.progress import RunProgress
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop import run as run_module
from tasksieve.training.loop.meta_updates import weight_lr
from tasksieve.training.loop.tensor_files import read_tensors
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.settled import settled
from tests.small import small_config


class Killed(BaseException):
    """Stands for the power going out: nothing in the product catches it."""


def learned(tasks: Path, **sections: dict[str, Any]) -> Any:
    sections["training"] = {"method": "learned", **sections.get("training", {})}
    return small_config(tasks, "restaurant", **sections)


def records(folder: RunFolder) -> dict[str, Any]:
    """Everything a run left behind, but for times."""
    tensors, metadata = read_tensors(folder.last_checkpoint, "state")
    result = {key: value for key, value in folder.read_record("result").items() if key != "seconds"}
    best, _ = read_tensors(folder.best_checkpoint)
    return {
        "tensors": {
            name: value.tolist() for name, value in (tensors | {f"best.{n}": v for n, v in best.items()}).items()
        },
        "metadata": metadata,
        "lines": folder.read_metrics(),
        "result": result,
        "weights": folder.read_weights().to_dicts(),
    }


Trained = tuple[RunFolder, list[RunProgress]]


@pytest.fixture(scope="module")
def trained(tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A learned run that came to its end, and what was seen of it; not to be changed."""
    seen: list[RunProgress] = []
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(learned(tasks_dir), folder, seen.append)
    return RunFolder(folder), seen


def test_a_run_leaves_all_its_records(tasks_dir: Path, trained: Trained) -> None:
    config, (folder, seen) = learned(tasks_dir), trained
    result = folder.read_record("result")
    assert folder.read_config() == settled(config)
    assert config_from(read_values(folder.path / "config.toml")) == settled(config)
    assert [line["step"] for line in folder.read_metrics()] == [4, 8, 12]
    assert folder.weight_steps() == [0, 4, 8, 12]
    assert result["valid_accuracy"] == max(line["valid_accuracy"] for line in folder.read_metrics())
    assert result["size"] == 6
    assert (seen[-1].step, seen[-1].best_accuracy) == (12, result["valid_accuracy"])
    facts = folder.read_record("environment")
    assert len(facts["data"]) == 3
    assert all(len(digest) == 64 for digest in facts["data"].values())
    examples, weights = folder.read_examples(), folder.read_weights(12)
    assert set(weights.columns) == {"example", "dialog", "turn", "step", "weight"}
    assert weights["example"].equals(examples["example"])
    assert weights["weight"].is_between(0, 1, closed="none").all()
    assert json.loads(folder.encoding.read_text())["candidates"].keys() == {
        "primary",
        "related-1",
    }


ADAM = {"inner_optimizer": "adam", "unroll_length": 1}


@pytest.fixture(scope="module", params=["shared", "separate"])
def undisturbed(
    request: pytest.FixtureRequest, tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    """A run that simulates Adam, by whose moments primary and related updates share or do not."""
    folder = tmp_path_factory.mktemp(request.param)
    train(learned(tasks_dir, training={"optimizer_state": request.param}, meta=ADAM), folder)
    return RunFolder(folder)


@pytest.mark.parametrize("when", [1, 7, 8])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: RunFolder, when: int
) -> None:
    config = undisturbed.read_config()
    iterate = run_module.Trainer.iterate

    def dying(self: Any, step: int) -> None:
        if step == when:
            raise Killed
        iterate(self, step)

    monkeypatch.setattr(run_module.Trainer, "iterate", dying)
    with pytest.raises(Killed):
        train(config, tmp_path / "killed")
    assert not RunFolder(tmp_path / "killed").finished
    monkeypatch.undo()
    train(config, tmp_path / "killed")
    assert records(RunFolder(tmp_path / "killed")) == records(undisturbed)


def test_a_finished_run_is_not_trained_again(tasks_dir: Path, trained: Trained) -> None:
    metrics = trained[0].path / "metrics.jsonl"
    before = metrics.stat().st_mtime_ns
    assert train(learned(tasks_dir), trained[0].path) == trained[0].read_record("result")
    assert metrics.stat().st_mtime_ns == before


def test_a_folder_of_something_else_is_refused(tasks_dir: Path, tmp_path: Path, trained: Trained) -> None:
    named = r"configuration: training\.seed is 0 there and 5 here; choose another --out"
    with pytest.raises(UserError, match=named):
        train(learned(tasks_dir, training={"seed": 5}), trained[0].path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="exists and is no run folder"):
        train(learned(tasks_dir), tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.txt"]


def test_changed_data_is_noticed(tasks_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for name in ("primary", "restaurant"):
        (copy / name).mkdir(parents=True)
        for file in (tasks_dir / name).iterdir():
            (copy / name / file.name).write_bytes(file.read_bytes())
    train(learned(copy), tmp_path / "run")
    (copy / "restaurant" / "train.txt").write_text("1 hi\thello\n")
    with pytest.raises(UserError, match=r"other data: .*train\.txt has changed \(SHA-256 .*\); give the"):
        train(learned(copy), tmp_path / "run")


def test_divergence_names_the_step_and_keeps_the_last_good_checkpoint(
    tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    iterate = run_module.Trainer.iterate

    def poisoned(self: Any, step: int) -> None:
        if step == 6:
            with torch.no_grad():
                self._state.model.body.embedding.fill_(float("nan"))
        iterate(self, step)

    monkeypatch.setattr(run_module.Trainer, "iterate", poisoned)
    with pytest.raises(UserError, match=r"iteration 6, primary update: the loss \(nan\) is not finite"):
        train(learned(tasks_dir), tmp_path / "run")
    tensors, metadata = read_tensors(RunFolder(tmp_path / "run").last_checkpoint, "state")
    assert metadata["step"] == "4"
    assert all(bool(torch.isfinite(value).all()) for value in tensors.values() if value.is_floating_point())


def test_exploding_meta_gradients_are_left_out_and_end_the_run_if_they_go_on(
    tasks_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    exploding = {"inner_lr": 1e30, "unroll_length": 3}
    result = train(learned(tasks_dir, meta=exploding), tmp_path / "short")
    assert result["meta_updates_skipped"] == result["meta_updates"] == 12
    assert "12 of 12 meta-updates were skipped, as their gradient was not finite" in caplog.text
    folder = RunFolder(tmp_path / "short")
    assert folder.read_record("result") == result
    assert [line["meta_updates_skipped"] for line in folder.read_metrics()] == [1.0, 1.0, 1.0]
    assert folder.read_weights(0)["weight"].equals(folder.read_weights(12)["weight"])
    with pytest.raises(
        UserError,
        match=r"iteration 19, weight update: the meta-gradient, 20 times in a row \(at simulated step .*, is not",
    ):
        train(learned(tasks_dir, meta=exploding, training={"iterations": 40}), tmp_path / "long")


def test_stops_early_when_validation_no_longer_improves(tasks_dir: Path, tmp_path: Path) -> None:
    training = {"method": "primary", "iterations": 400, "evaluate_every": 1, "patience": 3, "primary_lr": 1e-9}
    result = train(small_config(tasks_dir, training=training), tmp_path / "run")
    assert (result["stopped"], result["iterations"], result["best_step"]) == ("early", 4, 1)


def test_clipping_and_sums_change_the_run_and_keep_it_finite(
    tasks_dir: Path, tmp_path: Path, trained: Trained
) -> None:
    options = {
        "training": {"reduction": "sum", "max_grad_norm": 0.1},
        "meta": {"max_grad_norm": 1e-3, "weight_decay": 0.1},
    }
    train(learned(tasks_dir, **options), tmp_path / "run")
    assert RunFolder(tmp_path / "run").read_metrics() != trained[0].read_metrics()


def test_what_a_run_finds_of_its_meta_gradients_against_float64_is_in_its_metrics(
    tasks_dir: Path, tmp_path: Path, trained: Trained
) -> None:
    train(learned(tasks_dir, meta={"certify_every": 3}), tmp_path / "run")
    found = RunFolder(tmp_path / "run").read_metrics()
    names = [f"certificate_{name}" for name in ("cosine", "relative_error", "norm", "reference_norm")]
    for line in found:
        assert line["certificate_cosine"] == pytest.approx(1, abs=1e-4)
        assert 0 < line["certificate_relative_error"] < 1e-2
        assert line["certificate_norm"] == pytest.approx(line["certificate_reference_norm"], rel=1e-2)
        assert abs(line["certificate_meta_loss_error"]) < 1e-4
    plain = [{k: v for k, v in line.items() if k not in (*names, "certificate_meta_loss_error")} for line in found]
    assert plain == trained[0].read_metrics()


def test_the_weight_modules_step_size_falls_along_half_a_cosine(tasks_dir: Path, tmp_path: Path) -> None:
    constant, cosine = (
        small_config(tasks_dir, "restaurant", meta={"weight_lr": 0.02, "weight_lr_schedule": name})
        for name in ("constant", "cosine")
    )
    iterations = cosine.training.iterations
    rates = [weight_lr(cosine, step, 0) for step in (0, iterations // 2, iterations)]
    assert rates == pytest.approx([0.02, 0.01, 0.0])
    assert weight_lr(constant, iterations, 0) == 0.02
    for name, config in (("constant", constant), ("cosine", cosine)):
        train(config, tmp_path / name)
    weights = [RunFolder(tmp_path / name).read_weights()["weight"] for name in ("constant", "cosine")]
    assert not weights[0].equals(weights[1])


def test_sizes_take_the_first_dialogs_and_no_more_than_there_are(tasks_dir: Path, tmp_path: Path) -> None:
    result = train(small_config(tasks_dir, data={"size": 4}, training={"method": "primary"}), tmp_path / "run")
    assert result["size"] == 4
    with pytest.raises(UserError, match="holds 6 dialogs; 7 were asked for"):
        train(small_config(tasks_dir, data={"size": 7}, training={"method": "primary"}), tmp_path / "more")


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text("old")

    def failing(part: Path) -> None:
        part.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="cannot be written: No space left on device"):
        write_whole(file, failing)
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("related_batch_size", [None, 8])
def test_a_run_records_which_related_task_every_example_is_of(
    tasks_dir: Path, tmp_path: Path, related_batch_size: int | None
) -> None:
    config = small_config(
        tasks_dir,
        "restaurant",
        "hotel",
        training={"method": "learned", "iterations": 4, "related_batch_size": related_batch_size},
    )
    result = train(config, tmp_path / "run")
    assert result["services"] == ["restaurant", "hotel"]
    examples = RunFolder(tmp_path / "run").read_examples()
    nights = examples.filter(examples["kind"] == "ask nights")
    assert set(nights["task"]) == {1}
    assert set(examples["task"]) == {0, 1}
