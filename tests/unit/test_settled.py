"""What a run leaves to its data: what is predicted, by which model, from which sentences."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasksieve.errors import UserError
from tasksieve.models.matching.model import Matching
from tasksieve.records.config import RunConfig, changed, config_from
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.runs import encoders
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.settled import settled
from tasksieve.training.runs.trained_model import TrainedModel, evaluate_run
from tests.acting import write_services
from tests.reliability.victims import left
from tests.small import small_config
from tests.tiny_encoder import write_tiny

MISSING = "minilm: is not installed"
SHORT = {"iterations": 6, "evaluate_every": 3, "snapshot_every": 3, "batch_size": 8, "related_batch_size": 6}


class Stopped(BaseException):
    """Stands for the power going out."""


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The section ``data`` of a run on annotated dialogs of which no response repeats."""
    return write_services(tmp_path_factory.mktemp("services"))


@pytest.fixture
def without_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasksieve.training.runs.settled.missing_encoder", lambda name: MISSING)


@pytest.fixture
def with_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The folder of a tiny encoder, which caches beside it."""
    monkeypatch.setenv("TASKSIEVE_CACHE", str(tmp_path / "cache"))
    yield str(write_tiny(tmp_path / "encoder"))
    encoders.forget_encoders()


def acting(services: dict[str, Any], method: str = "learned", **sections: dict[str, Any]) -> RunConfig:
    sections["training"] = {"method": method, **SHORT, **sections.get("training", {})}
    sections["meta"] = {"warm_up": 0, **sections.get("meta", {})}
    return config_from({"data": {**services, **sections.pop("data", {})}, **sections})


def test_template_dialogs_are_left_to_the_memory_network_as_before(tasks_dir: Path) -> None:
    config = config_from(
        {"data": {"primary": str(tasks_dir / "primary"), "valid": str(tasks_dir / "primary"), "related": ()}}
    )
    found = settled(config)
    assert (found.data.predict, found.model.kind, found.weight_module.kind) == (
        "responses",
        "memory-network",
        "memory-network",
    )
    assert found.model.sentences == "bag-of-words"
    for section in ("training", "meta", "screening"):
        assert getattr(found, section) == getattr(config, section)
    named = {"model": {"kind": "memory-network"}, "weight_module": {"kind": "memory-network"}}
    whole = config_from({"data": {**config.data.model_dump(), "predict": "responses"}, **named})
    assert found == whole


@pytest.mark.usefixtures("without_encoder")
def test_dialogs_with_actions_are_matched_with_defaults_of_their_own(
    services: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="tasksieve"):
        found = settled(config_from({"data": services}))
    assert (found.data.predict, found.model.kind, found.weight_module.kind) == ("actions", "matching", "groups")
    assert found.model.sentences == "bag-of-words"
    assert found.training.lr_schedule == "linear"
    assert found.training.related_batch_size is not None
    assert found.screening.trials == 0
    told = [record.getMessage() for record in caplog.records]
    assert f"sentences are bags of words: {MISSING}" in told
    assert any(line.startswith("predicting actions: the turns say what the system does") for line in told)
    assert told[-1].endswith("; model matching")


@pytest.mark.usefixtures("without_encoder")
def test_what_was_set_wins(services: dict[str, Any]) -> None:
    given = {"training": {"iterations": 7, "lr_schedule": "constant"}, "screening": {"trials": 8}}
    found = settled(config_from({"data": services, **given}))
    assert (found.training.iterations, found.training.lr_schedule, found.screening.trials) == (7, "constant", 8)
    assert found.training.related_batch_size is not None
    own = config_from({"data": services, "model": {"kind": "memory-network"}})
    assert settled(own).model.kind == settled(own).weight_module.kind == "memory-network"
    assert settled(own).training == own.training
    responses = config_from({"data": {**services, "predict": "responses"}, "weight_module": {"dim": 3}})
    assert settled(responses).data.predict == "responses"
    assert settled(responses).model.kind == "ranking", "no response is known, so that they are ranked"
    assert settled(responses).weight_module.kind == "memory-network"


@pytest.mark.usefixtures("without_encoder")
def test_what_is_settled_stays(services: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    found = settled(config_from({"data": services, "meta": {"unroll_length": 3}}))
    assert found.meta.unroll_length == 3
    monkeypatch.setattr("tasksieve.training.runs.settled.read_files", None)
    assert settled(found) is found
    again = changed(found, {"training.seed": 4})
    assert settled(again) is again


@pytest.mark.usefixtures("without_encoder")
def test_a_run_goes_on_and_is_finished_at_once_however_it_was_configured(
    services: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = acting(services)
    result = train(config, tmp_path / "straight")
    assert (result["predict"], result["measure"], result["method"]) == ("actions", "accuracy of actions", "learned")
    assert train(config, tmp_path / "straight") == result
    assert RunFolder(tmp_path / "straight").read_config() == settled(config)

    iterate = Trainer.iterate

    def until_five(self: Trainer, step: int) -> None:
        if step == 5:
            raise Stopped
        iterate(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "iterate", until_five)
        with pytest.raises(Stopped):
            train(config, tmp_path / "stopped")
    train(settled(config), tmp_path / "stopped")
    assert left(tmp_path / "stopped") == left(tmp_path / "straight")


@pytest.mark.usefixtures("without_encoder")
def test_a_model_that_was_trained_answers_without_its_data(services: dict[str, Any], tmp_path: Path) -> None:
    config = acting(services, "multitask", model={"width": 5, "kind": "matching"})
    result = train(config, tmp_path / "run")
    trained = TrainedModel.load(tmp_path / "run")
    assert isinstance(trained.model, Matching)
    assert set(trained.encoding.candidates) == {"primary", "related"}
    measured = evaluate_run(tmp_path / "run", services["valid"])
    assert measured["accuracy"] == pytest.approx(result["valid_accuracy"])
    borrowed = set(trained.encoding.candidates["primary"].texts)
    assert "request_nights" not in borrowed, "buses have no nights"
    assert "request_city" in borrowed


def test_without_a_related_task_of_several_batches_are_of_each_task(tmp_path: Path, tasks_dir: Path) -> None:
    """Which is what a batch size of related tasks means there."""
    for size in (None, 5):
        config = small_config(tasks_dir, "restaurant", training={"method": "multitask", "related_batch_size": size})
        assert train(config, tmp_path / str(size))["iterations"] == 12


@pytest.mark.parametrize("method", ["multitask", "learned", "joint", "primary"])
@pytest.mark.usefixtures("without_encoder")
def test_the_memory_network_learns_from_pooled_tasks_too(
    services: dict[str, Any], tmp_path: Path, method: str
) -> None:
    config = acting(
        services,
        method,
        model={"dim": 5},
        weight_module={"dim": 4},
        screening={"trials": 0},
        training={"batch_size": 4},
    )
    assert train(config, tmp_path)["iterations"] == 6
    if method == "learned":
        folder = RunFolder(tmp_path)
        examples = folder.read_examples()
        assert sorted(set(examples["task"])) == [0, 1]
        assert set(examples.filter(examples["task"] == 1)["dialog"]) == set(range(5)), "dialogs are numbered by task"
        assert len(folder.read_weights(6)) == len(examples)


def test_sentences_are_words_and_vectors_where_there_is_an_encoder(
    services: dict[str, Any], tmp_path: Path, with_encoder: str
) -> None:
    config = acting(services, model={"encoder": with_encoder})
    assert settled(config).model.sentences == "both"
    train(config, tmp_path / "run")
    kept = json.loads((tmp_path / "run" / "encoding.json").read_text())["encoder"]
    assert kept["name"] == with_encoder
    assert len(kept["digest"]) == 64
    trained = TrainedModel.load(tmp_path / "run")
    assert trained.encoding.encoder is not None
    assert trained.encoding.encoder.digest == kept["digest"]
    assert trained.model.of_context.shape[0] == 2 * trained.encoding.encoder.dim
    assert evaluate_run(tmp_path / "run", services["valid"])["accuracy"] >= 0


def test_another_encoder_than_the_run_had_is_refused(
    services: dict[str, Any], tmp_path: Path, with_encoder: str
) -> None:
    train(acting(services, "primary", model={"encoder": with_encoder}), tmp_path / "run")
    encoders.forget_encoders()
    write_tiny(Path(with_encoder), seed=1)
    with pytest.raises(UserError, match=r"needs the encoder '.*' as it was; the one here is another, so train again"):
        TrainedModel.load(tmp_path / "run")
    encoders.forget_encoders()
    shutil.rmtree(with_encoder)
    with pytest.raises(UserError, match="encoder"):
        TrainedModel.load(tmp_path / "run")


def test_an_encoder_that_is_not_there_is_refused_where_vectors_are_asked_for(
    services: dict[str, Any], tmp_path: Path
) -> None:
    absent = str(tmp_path / "absent")
    assert absent in encoders.missing_encoder(absent)
    assert settled(acting(services, model={"encoder": absent})).model.sentences == "bag-of-words"
    with pytest.raises(UserError, match="absent"):
        train(acting(services, model={"encoder": absent, "kind": "matching", "sentences": "both"}), tmp_path / "run")


def test_ranked_responses_have_vectors_like_candidates(tmp_path: Path, with_encoder: str) -> None:
    """The right response among distractors, by a model that reads vectors."""
    data = write_services(tmp_path)
    config = acting(
        {**data, "predict": "responses"}, "multitask", model={"encoder": with_encoder}, training={"evaluate_every": 2}
    )
    result = train(config, tmp_path / "run")
    assert result["measure"] == "R_100@1"
    measured = evaluate_run(tmp_path / "run", data["valid"])
    assert measured["measures"]["R_100@1"] == pytest.approx(result["valid_accuracy"])
