"""Devices: runs go where their configuration says, and `auto` takes a GPU where there is one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tasksieve.errors import UserError
from tasksieve.images import embedded_digits
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.devices import chosen_device
from tasksieve.training.loop.run import run
from tasksieve.training.loop.tensor_files import read_tensors
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.images import IMAGES, ImageConfig, ImageTasks, build_weight_module
from tests.small import small_config

KINDS = ("perceptron", "label-scores")


def image_config(method: str, device: str, kind: str = "perceptron") -> ImageConfig:
    defaults = ImageConfig()
    training = {"method": method, "iterations": 30, "evaluate_every": 10, "snapshot_every": 30, "device": device}
    return defaults.model_copy(
        update={
            "training": defaults.training.model_copy(update=training),
            "weight_module": defaults.weight_module.model_copy(update={"kind": kind}),
        }
    )


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device("auto") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert chosen_device("auto") == "cuda"


def test_a_device_that_is_not_there_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(
        UserError, match="found 'cuda', but this machine has no GPU that torch can use; use auto or cpu"
    ):
        chosen_device("cuda")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert chosen_device("cuda:1") == "cuda:1"
    with pytest.raises(UserError, match="this machine has 2 GPUs"):
        chosen_device("cuda:2")
    with pytest.raises(UserError, match="found 'abacus'; expected auto, cpu, cuda or cuda:N"):
        chosen_device("abacus")


def test_what_auto_chose_is_recorded(tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    config = small_config(tasks_dir, "restaurant", training={"device": "auto"})
    train(config, tmp_path / "dialogs")
    run(image_config("ones", "auto"), tmp_path / "images", IMAGES)
    assert RunFolder(tmp_path / "dialogs").read_config_of(type(config)).training.device == "cpu"
    assert RunFolder(tmp_path / "images").read_config_of(ImageConfig).training.device == "cpu"


@pytest.mark.parametrize("kind", KINDS)
def test_images_models_and_indicators_go_to_the_device(kind: str) -> None:
    """The device without memory refuses every computation with what was left on the CPU."""
    config = image_config("learned", "meta", kind)
    tasks = ImageTasks(embedded_digits(), config)
    for task in (tasks.primary, tasks.valid, *tasks.related):
        assert task.device.type == "meta"
    (related,) = tasks.related
    batch = related.batch(torch.arange(3, device="meta"))
    module = build_weight_module(config, tasks.primary.digits.pixels)
    assert module(batch).device.type == "meta"
    assert batch.pixels.device.type == "meta"
    assert related.digits.pixels is tasks.primary.digits.pixels


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["ones", "learned", "oracle"])
def test_a_run_on_images_on_a_gpu_is_that_on_the_cpu(tmp_path: Path, method: str, kind: str) -> None:
    models = []
    for device in ("cpu", "cuda"):
        run(image_config(method, device, kind), tmp_path / device, IMAGES)
        models.append(read_tensors(RunFolder(tmp_path / device).best_checkpoint)[0])
    for name, value in models[0].items():
        torch.testing.assert_close(models[1][name], value, rtol=2e-2, atol=2e-3)


def test_a_run_computes_on_its_device(tmp_path: Path) -> None:
    """Without memory no loss can be looked at, so a run on that device ends; nothing before is on the CPU."""
    with pytest.raises((NotImplementedError, RuntimeError), match=r"meta|Meta"):
        run(image_config("learned", "meta"), tmp_path / "run", IMAGES)
