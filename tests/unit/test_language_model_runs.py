"""Runs with ``model.kind = "language-model"``: trained, measured, resumed, and answering, on a tiny model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tasksieve.dialogs.formats import FORMATS
from tasksieve.encoding import derived_generator
from tasksieve.encoding.sentences.token_rows import TokenRows, tokens_in
from tasksieve.errors import UserError
from tasksieve.models.language_model.loading import load_pretrained
from tasksieve.models.language_model.model import LanguageModel
from tasksieve.records.config import RunConfig, config_from
from tasksieve.records.run_folder import RunFolder
from tasksieve.serve.responder import Responder
from tasksieve.training.methods import method_named
from tasksieve.training.rivals.features import views_of
from tasksieve.training.runs.conversation import Conversation
from tasksieve.training.runs.dialog_tasks import load_tasks
from tasksieve.training.runs.dialogs import build_model, train
from tasksieve.training.runs.peft_folder import write_adapters
from tasksieve.training.runs.settled import settled
from tasksieve.training.runs.trained_model import TrainedModel, evaluate_run
from tests.tiny_language_models import write_llama
from tests.unit.archives import write_archive
from tests.unit.test_ranked_runs import trips


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers")
    return write_llama(tmp_path_factory.mktemp("llama"), hidden=16)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("archive"), count=6)


def config_of(folder: Path, archive: Path, method: str, **training: Any) -> RunConfig:
    values: dict[str, Any] = {
        "data": {
            "primary": str(archive / "Boats_1.json"),
            "valid": str(archive / "Boats_1.json"),
            "size": 2,
            "predict": "responses",
        },
        "model": {"kind": "language-model", "pretrained": str(folder), "rank": 2, "context": 96},
        "training": {"method": method, "iterations": 4, "evaluate_every": 2, "batch_size": 2, **training},
        "meta": {"warm_up": 1, "batch_size": 2},
    }
    if method != "primary":
        values["data"]["related"] = [str(archive / "Rooms_1.json"), str(archive / "Tables_1.json")]
        values["training"]["related_batch_size"] = 2
    return config_from(values)


@pytest.mark.parametrize("method", ["primary", "multitask", "learned"])
def test_every_way_to_borrow_trains_and_is_measured(method: str, folder: Path, archive: Path, tmp_path: Path) -> None:
    train(config_of(folder, archive, method, iterations=12, snapshot_every=4), tmp_path)
    measured = evaluate_run(tmp_path, archive / "Boats_1.json")
    assert 0 <= measured["accuracy"] <= 100
    if method == "learned":
        run = RunFolder(tmp_path)
        first, last = (run.read_weights(step)["weight"] for step in (0, 12))
        assert ((last > 0) & (last < 1)).all()
        assert (first != last).all()


def test_a_checkpoint_holds_the_adapters_alone(folder: Path, archive: Path, tmp_path: Path) -> None:
    train(config_of(folder, archive, "primary"), tmp_path)
    best = load_file(RunFolder(tmp_path).best_checkpoint)
    assert all(name.startswith("model.adapters.") for name in best)
    assert sum(value.numel() for value in best.values()) < 2000


def test_a_resumed_run_is_the_whole_run(folder: Path, archive: Path, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(progress: Any) -> None:
        if progress.step >= 3:
            raise Stop

    config = config_of(folder, archive, "multitask")
    train(config, tmp_path / "whole")
    with pytest.raises(Stop):
        train(config, tmp_path / "parts", stop)
    train(config, tmp_path / "parts")
    whole, parts = (load_file(RunFolder(tmp_path / name).best_checkpoint) for name in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_the_loss_is_less_the_score_of_the_right_response(folder: Path, archive: Path) -> None:
    config = settled(config_of(folder, archive, "primary"))
    tasks = load_tasks(config, method_named("primary"))
    model = build_model(config, len(tasks.encoding.vocabulary), tasks.encoding.candidates)
    with torch.no_grad():
        for value in model.parameters():
            value += 0.1 * torch.randn(value.shape, generator=derived_generator(0, 1))
    batch = tasks.primary.batch(tasks.primary.answerable()[:5])
    (scores,) = model.scores(batch, batch.choices)
    right = scores.gather(1, batch.targets[:, None])[:, 0]
    if batch.entities is None:
        torch.testing.assert_close(model.losses(batch), -right, atol=1e-4, rtol=1e-4)
    assert torch.isfinite(right).all()


def test_it_answers_what_the_task_may_say(folder: Path, archive: Path, tmp_path: Path) -> None:
    train(config_of(folder, archive, "primary"), tmp_path)
    trained = TrainedModel.load(tmp_path)
    answers = Conversation(trained).say("hello I want something of boats_1", top=2)
    assert answers[0].text
    assert answers[0].probability >= answers[1].probability


def test_tokens_are_those_of_the_text_whatever_words_are_known(folder: Path) -> None:
    rows = TokenRows(str(folder))
    found = tokens_in(rows.embed(["never seen", "", "x" * 500]))
    assert rows._tokenizer.decode(found[0]) == " never seen"
    assert len(found[2]) == rows.dim


def test_tokens_are_no_vectors_to_methods_that_compare_sentences(folder: Path, archive: Path) -> None:
    config = settled(config_of(folder, archive, "multitask"))
    tasks = load_tasks(config, method_named("multitask"))
    assert tasks.primary.tokens
    assert views_of([tasks.primary, *tasks.related]).vectors is None


def test_another_tokenizer_is_refused(folder: Path, archive: Path, tmp_path: Path) -> None:
    train(config_of(folder, archive, "primary"), tmp_path)
    file = RunFolder(tmp_path).encoding
    file.write_text(file.read_text().replace(TokenRows(str(folder)).digest, "0" * 64))
    with pytest.raises(UserError, match="another"):
        TrainedModel.load(tmp_path)


def test_a_model_without_a_name_is_refused() -> None:
    with pytest.raises(UserError, match="pretrained"):
        config_from({"data": {"primary": "a", "valid": "b"}, "model": {"kind": "language-model"}})


@pytest.fixture(scope="module")
def written(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose responses are ranked as people wrote them."""
    out = tmp_path_factory.mktemp("written")
    files = {}
    for name, seed in (("train", 1), ("valid", 2)):
        files[name] = str(out / f"{name}{FORMATS['chat'].suffixes[0]}")
        FORMATS["chat"].write(trips(12, seed), Path(files[name]))
    values = config_of(folder, out, "primary").model_dump(exclude_unset=True)
    values["data"] = {"primary": files["train"], "valid": files["valid"], "predict": "responses"}
    train(config_from(values), out / "run")
    return out / "run"


def test_ranked_runs_have_their_measures(written: Path) -> None:
    assert RunFolder(written).read_record("result")["measure"] == "R_100@1"
    measured = evaluate_run(written, written.parent / f"valid{FORMATS['chat'].suffixes[0]}")
    assert {"R_100@1", "R_20@3"} <= measured["measures"].keys()


def test_peft_loads_the_adapters_of_a_run(written: Path, folder: Path, tmp_path: Path) -> None:
    peft = pytest.importorskip("peft", reason="peft is not installed: pip install 'tasksieve[lm]'")
    assert write_adapters(written, tmp_path) == str(folder)
    ours = TrainedModel.load(written).model
    assert isinstance(ours, LanguageModel)
    assert all(bool(value.any()) for value in ours.adapters)
    theirs = peft.PeftModel.from_pretrained(load_pretrained(str(folder)).model, tmp_path)
    ids = torch.arange(5, 25)[None]
    with torch.no_grad():
        expected = ours._read(lambda model: model(input_ids=ids).logits)
        torch.testing.assert_close(theirs(input_ids=ids).logits, expected, atol=1e-4, rtol=1e-4)


def test_a_generated_response_comes_first(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = TrainedModel.load(written)
    monkeypatch.setattr(LanguageModel, "_generated", lambda self, context: ("sure, a bus", -0.5))
    answers = trained.answer([], "a bus to Rome", top=3)
    assert answers[0].text == "sure, a bus"
    assert 0 < answers[0].probability < 1
    assert len(answers) == 3 or len({answer.text for answer in answers}) == len(answers)
    served = Responder(trained).respond([], "a bus to Rome", (), 3)
    assert served.candidates[0].text == "sure, a bus"


@pytest.mark.parametrize("text", ["it is 4711 dollars", "call Zephyrine at once", ""])
def test_a_generated_value_that_the_conversation_lacks_is_never_said(
    text: str, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = TrainedModel.load(written)
    monkeypatch.setattr(LanguageModel, "_generated", lambda self, context: (text, 0.0))
    said = [answer.text for answer in trained.answer([], "a bus to Rome", top=5)]
    assert said
    assert text not in said


def test_what_is_generated_ends_and_is_scored(written: Path) -> None:
    trained = TrainedModel.load(written)
    batch, _ = trained.waiting([], "a bus to Rome", ())
    model = trained.model
    assert isinstance(model, LanguageModel)
    ((text, score),) = model.generated(batch) or []
    assert len(text) <= model.config.longest_answer * 4
    assert score < 0
    ranked = model.config.model_copy(update={"answers": "ranked"})
    model.config = ranked
    assert model.generated(batch) is None


def test_given_candidates_are_ranked_by_their_tokens(written: Path) -> None:
    responder = Responder(TrainedModel.load(written), ["on which day", "zzzz qqqq"])
    found = responder.rank([], "a bus to Rome", (), 2)
    assert len(found) == 2
    assert found[0].score > found[1].score
