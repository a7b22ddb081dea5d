"""The weight module of examples/own_weight_module.py learns weights, alone and beside a model of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from tasksieve.cli.app import app
from tasksieve.plugins import VARIABLE
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.tensor_files import read_tensors

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SETTINGS = (
    "training.iterations=6",
    "training.evaluate_every=3",
    "training.snapshot_every=3",
    "training.batch_size=8",
    "meta.unroll_length=1",
    "meta.warm_up=0",
    "screening.trials=0",
    "weight_module.kind=overlap",
    "weight_module.hidden=5",
)


@pytest.mark.parametrize("model", ["model.dim=6", "model.kind=gru"])
def test_it_learns_weights(model: str, tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    primary, out = tasks_dir / "primary", tmp_path / "run"
    plugins = [f"--plugin={EXAMPLES / name}" for name in ("own_weight_module.py", "own_model.py")]
    data = ["--primary", primary, "--valid", primary, "--related", tasks_dir / "restaurant", "--out", out]
    settings = [f"--set={setting}" for setting in (*SETTINGS, model)]
    done = CliRunner().invoke(app, [*plugins, "train", "--method=learned", *map(str, data), *settings])
    assert done.exit_code == 0, (done.output, done.exception)
    tensors, _ = read_tensors(out / "checkpoints" / "last.safetensors", "state")
    assert tensors["weight_module.layers.0.weight"].shape == (5, 4)
    assert json.loads((out / "metrics.jsonl").read_text().splitlines()[-1])["meta_loss"] > 0
    before, after = (RunFolder(out).read_weights(step)["weight"] for step in (0, 6))
    assert not before.equals(after) and after.is_between(0, 1, closed="none").all()
    assert isinstance(after, pl.Series) and after.n_unique() > 10
