"""Runs on a GPU: the same as on the CPU, up to rounding; skipped where there is none."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from tasksieve.records.config import RunConfig, config_from
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.tensor_files import read_tensors
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialogs import build_parts, train
from tasksieve.training.runs.settled import settled
from tests.acting import write_services
from tests.small import small_config

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")

METHODS = ("primary", "multitask", "learned", "reweight", "gradient-cosine", "joint")


def acting(folder: Path, method: str, device: str) -> RunConfig:
    """A short run on actions, in bags of words and without dropout, whose draws differ from device to device."""
    return config_from(
        {
            "data": write_services(folder),
            "model": {"kind": "matching", "sentences": "bag-of-words", "dropout": 0.0, "word_dropout": 0.0},
            "training": {
                "method": method,
                "device": device,
                "iterations": 20,
                "evaluate_every": 10,
                "snapshot_every": 10,
            },
            "meta": {"warm_up": 0},
        }
    )


def trained(config: RunConfig, path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """A run's result and its model."""
    result = train(config, path)
    return result, read_tensors(RunFolder(path).best_checkpoint)[0]


@pytest.mark.parametrize("method", METHODS)
def test_a_run_on_actions_is_that_on_the_cpu(tmp_path: Path, method: str) -> None:
    _, here = trained(acting(tmp_path, method, "cpu"), tmp_path / "cpu")
    result, there = trained(acting(tmp_path, method, "cuda"), tmp_path / "gpu")
    assert result["iterations"] == 20
    for name, value in here.items():
        torch.testing.assert_close(there[name], value, rtol=2e-2, atol=2e-3)


@pytest.mark.parametrize("method", ["multitask", "learned"])
def test_a_run_on_responses_is_that_on_the_cpu(tasks_dir: Path, tmp_path: Path, method: str) -> None:
    runs = []
    for device in ("cpu", "cuda"):
        training = {"method": method, "device": device}
        config = small_config(tasks_dir, "restaurant", "hotel", training=training)
        runs.append(trained(config, tmp_path / device)[1])
    for name, value in runs[0].items():
        torch.testing.assert_close(runs[1][name], value, rtol=2e-2, atol=1e-2)


def test_a_run_goes_on_from_a_checkpoint_on_the_gpu(tmp_path: Path) -> None:
    config = acting(tmp_path, "learned", "cuda")
    whole, model = trained(config, tmp_path / "whole")
    again, same = trained(config, tmp_path / "whole")
    assert again == whole
    assert all(torch.equal(same[name], value) for name, value in model.items())


@pytest.mark.parametrize("method", ["multitask", "learned"])
def test_iterations_wait_for_the_gpu_for_weights_to_draw_by_alone(tmp_path: Path, method: str) -> None:
    """With the estimator that such runs have; test_waits.py, which needs no GPU, looks at more models and methods."""
    config = settled(acting(tmp_path, method, "cuda"))
    chosen = method_named(method)
    parts = build_parts(config, chosen)
    trainer = Trainer(config, chosen, parts.tasks, parts.state, parts.weighter)
    for step in range(3):
        trainer.iterate(step)
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as waits:
            warnings.simplefilter("always")
            for step in range(3, 6):
                trainer.iterate(step)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    told = [str(one.message) for one in waits if "synchroniz" in str(one.message)]
    assert len(told) == (3 if method == "learned" else 0), told
