"""Runs with ``model.tune = "adapters"``: what is tuned, trained, kept, resumed and refused, on a tiny encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor

from tasksieve.encoding import EncodedTask
from tasksieve.encoding.sentences import Encoder
from tasksieve.encoding.sentences.last_layer import LastLayer
from tasksieve.encoding.sentences.pretrained import PIECES
from tasksieve.errors import UserError
from tasksieve.models import DialogModel
from tasksieve.records.config import RunConfig, changed, config_from
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialog_tasks import load_tasks
from tasksieve.training.runs.dialogs import build_model, train
from tasksieve.training.runs.settled import settled
from tasksieve.training.runs.trained_model import TrainedModel, evaluate_run
from tests.acting import write_services
from tests.tiny_encoder import HIDDEN, WORDS, write_tiny
from tests.tiny_language_models import write_llama

pytest.importorskip("transformers", reason="the extra `pretrained` is not installed")

TEXTS = ["hello", "a table for two , please", "", "good ? ☃", "need the cheap phones in rome .", "need booking"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return write_services(tmp_path_factory.mktemp("services"))


def config_of(folder: Path, data: dict[str, Any], method: str = "multitask", **model: Any) -> RunConfig:
    values = {
        "data": data,
        "model": {"kind": "matching", "encoder": str(folder), "tune": "adapters", "tune_width": 4, **model},
        "training": {"method": method, "iterations": 6, "evaluate_every": 3, "related_batch_size": 8},
        "meta": {"warm_up": 1, "batch_size": 4},
    }
    return config_from(values)


def learned(path: Path) -> dict[str, Tensor]:
    return load_file(RunFolder(path).best_checkpoint)


def modelled(config: RunConfig) -> tuple[DialogModel, EncodedTask]:
    """A settled run's model at its start, and the primary task."""
    ready = settled(config)
    tasks = load_tasks(ready, method_named(ready.training.method))
    return build_model(ready, len(tasks.encoding.vocabulary), tasks.encoding.candidates).eval(), tasks.primary


@pytest.mark.parametrize("kind", ["matching", "ranking"])
def test_before_any_learning_a_tuned_encoder_is_the_frozen_one(kind: str, folder: Path, data: dict[str, Any]) -> None:
    tuned, task = modelled(config_of(folder, data, kind=kind))
    frozen, other = modelled(config_of(folder, data, kind=kind, tune="none"))
    batch, same = (one.batch(torch.arange(len(one))) for one in (task, other))
    assert batch.table.pieces is not None
    assert same.table.pieces is None
    with torch.no_grad():
        torch.testing.assert_close(tuned.losses(batch), frozen.losses(same), rtol=1e-5, atol=1e-6)
    tuned.train().losses(batch).sum().backward()
    gradient = tuned.get_parameter("adapter.outward").grad
    assert gradient is not None
    assert bool(gradient.any())


@pytest.mark.parametrize("kind", ["matching", "ranking"])
def test_the_gradient_of_the_adapter_is_that_of_small_differences(
    kind: str, folder: Path, data: dict[str, Any]
) -> None:
    model, task = modelled(config_of(folder, data, kind=kind, tune_width=2))
    batch = task.batch(torch.arange(3))
    names = [name for name, _ in model.named_parameters() if name.startswith("adapter.")]
    generator = torch.Generator().manual_seed(0)
    values = [
        torch.randn(model.get_parameter(name).shape, generator=generator, dtype=torch.float64).requires_grad_()
        for name in names
    ]

    def losses(*at: Tensor) -> Tensor:
        return model.losses_at(dict(zip(names, at, strict=True)), batch)

    assert torch.autograd.gradcheck(losses, values)
    assert torch.autograd.gradgradcheck(losses, values)


@pytest.mark.parametrize("method", ["primary", "multitask", "learned"])
def test_a_run_learns_the_adapter_and_is_used_from_its_folder(
    method: str, folder: Path, data: dict[str, Any], tmp_path: Path
) -> None:
    own = data if method != "primary" else {**data, "related": []}
    result = train(config_of(folder, own, method), tmp_path / "run")
    kept = learned(tmp_path / "run")
    assert bool(kept["model.adapter.outward"].any())
    assert sum(value.numel() for name, value in kept.items() if "adapter" in name) == 2 * 4 * HIDDEN + 4
    assert not any("encoder" in name or "transformer" in name for name in kept)
    again = evaluate_run(tmp_path / "run", data["valid"])
    if settled(config_of(folder, own, method)).training.keep == "best":
        assert again["accuracy"] == pytest.approx(result["valid_accuracy"])
    answers = TrainedModel.load(tmp_path / "run").answer((), "I need some buses")
    assert answers[0].text


def test_a_resumed_run_is_the_whole_run(folder: Path, data: dict[str, Any], tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(progress: Any) -> None:
        if progress.step >= 3:
            raise Stop

    config = config_of(folder, data, "learned")
    train(config, tmp_path / "whole")
    with pytest.raises(Stop):
        train(config, tmp_path / "parts", stop)
    train(config, tmp_path / "parts")
    whole, parts = learned(tmp_path / "whole"), learned(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_an_archive_on_the_disk_trains_the_same(
    folder: Path, data: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKSIEVE_CACHE", str(tmp_path / "cache"))
    for name, limit in (("memory", "1000"), ("disk", "0")):
        monkeypatch.setenv("TASKSIEVE_LARGE_MB", limit)
        train(config_of(folder, data), tmp_path / name)
    assert list((tmp_path / "cache" / "archives").glob("*/vectors-pieces-*.bin"))
    memory, disk = learned(tmp_path / "memory"), learned(tmp_path / "disk")
    assert all(torch.equal(memory[name], disk[name]) for name in memory)


_LAYERS: dict[Path, tuple[Encoder, LastLayer]] = {}


def layer_of(folder: Path) -> tuple[Encoder, LastLayer]:
    if folder not in _LAYERS:
        encoder = Encoder.load(str(folder))
        _LAYERS[folder] = encoder, LastLayer(encoder)
    return _LAYERS[folder]


@settings(max_examples=25, deadline=None)
@given(some=st.lists(st.text("abz ,.☃é\n", max_size=30) | st.sampled_from(WORDS), max_size=12))
def test_nothing_added_gives_the_encoders_own_vectors_in_any_company(folder: Path, some: list[str]) -> None:
    encoder, layer = layer_of(folder)
    pieces = encoder.pieces(some)
    inside = layer.read(pieces, torch.float32)
    rows = layer.vectors(inside, torch.zeros_like(inside.before))
    assert sorted(inside.texts.tolist()) == list(range(len(some)))
    torch.testing.assert_close(rows, encoder.embed([some[number] for number in inside.texts.tolist()]))
    small = LastLayer(encoder, room=1)
    for number, text in enumerate(some):
        alone = small.read(encoder.pieces([text]), torch.float32)
        place = inside.texts.tolist().index(number)
        first = sum(inside.lengths[:place])
        assert torch.equal(alone.before, inside.before[first : first + inside.lengths[place]])


def test_what_has_no_pieces_keeps_its_vector(folder: Path) -> None:
    encoder, layer = layer_of(folder)
    pieces = encoder.pieces(TEXTS)
    pieces[1] = 0
    inside = layer.read(pieces, torch.float32)
    assert sorted(inside.texts.tolist()) == [0, 2, 3, 4, 5]
    assert layer.vectors(layer.read(pieces[1:2], torch.float32), torch.zeros(0, HIDDEN)).shape == (0, HIDDEN)


def test_a_text_of_many_pieces_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    encoder, _ = layer_of(folder)
    monkeypatch.setattr("tasksieve.encoding.sentences.pretrained.PIECES", 6)
    rows = encoder.pieces(["a table", "a table for two, a table for two"])
    assert rows.shape == (2, 6)
    assert int((rows[0] > 0).sum()) == 4
    assert not bool(rows[1].any())
    assert PIECES == 96


def test_words_alone_have_no_encoder_to_tune(folder: Path, data: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"model.tune: found 'adapters'; there is no encoder to tune .* take both"):
        config_of(folder, data, sentences="bag-of-words")
    with pytest.raises(UserError, match=r"unknown key 'model\.tune'"):
        config_from({"data": data, "model": {"kind": "memory-network", "tune": "adapters"}})


def test_an_encoder_that_is_missing_is_missed(data: dict[str, Any]) -> None:
    config = config_from({"data": data, "model": {"encoder": "./nowhere", "tune": "adapters"}})
    with pytest.raises(UserError, match=r"model.tune: .*is no folder"):
        settled(config)


def test_dialogs_that_suit_a_model_of_words_have_nothing_to_tune(tasks_dir: Path) -> None:
    where = str(tasks_dir / "restaurant")
    config = config_from({"data": {"primary": where, "valid": where}, "model": {"tune": "adapters"}})
    with pytest.raises(UserError, match=r"model\.tune: the model memory-network, which suits these dialogs"):
        settled(config)


def test_an_encoder_of_another_kind_is_refused(tmp_path: Path, data: dict[str, Any]) -> None:
    other = write_llama(tmp_path / "llama", hidden=16)
    with pytest.raises(UserError, match=r"the last layer of the encoder .* leave model.tune out"):
        modelled(config_of(other, data))


def test_trials_that_are_one_model_share_no_adapter(folder: Path, data: dict[str, Any], tmp_path: Path) -> None:
    config = changed(
        config_of(folder, data, "learned", linear=False),
        {
            "screening.trials": 8,
            "screening.iterations": 2,
            "screening.groups": 4,
            "screening.together": True,
            "weight_module.kind": "matching",
        },
    )
    with pytest.raises(UserError, match=r"screening\.together"):
        train(config, tmp_path / "run")
