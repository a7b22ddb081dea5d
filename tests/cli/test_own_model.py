"""A model of one's own, from a plug-in, goes everywhere the built-in one goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from tasksieve.cli.app import app
from tasksieve.dialogs.record import told
from tasksieve.errors import UserError
from tasksieve.plugins import VARIABLE, add_plugins, load_plugins
from tasksieve.serve.app import create_app
from tasksieve.training.loop.tensor_files import read_tensors
from tasksieve.training.runs.trained_model import TrainedModel

PLUGIN = Path(__file__).resolve().parents[2] / "examples" / "own_model.py"
SETTINGS = (
    "model.kind=gru",
    "model.width=8",
    "model.turns=2",
    "training.iterations=3",
    "training.evaluate_every=3",
    "training.batch_size=4",
    "meta.unroll_length=1",
    "meta.warm_up=0",
    "screening.trials=0",
    "weight_module.dim=4",
)


@pytest.fixture(autouse=True, scope="module")
def plugins() -> Iterator[None]:
    """What the commands add is taken away again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "")
        yield


def command(*arguments: object, talk: str | None = None) -> Any:
    done = CliRunner().invoke(app, ["--plugin", str(PLUGIN), *map(str, arguments)], input=talk)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


@pytest.fixture(scope="module")
def run(plugins: None, tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("own") / "run"
    primary = tasks_dir / "primary"
    data = ("--primary", primary, "--valid", primary, "--related", tasks_dir / "restaurant", "--out", out)
    command("train", *data, *(part for setting in SETTINGS for part in ("--set", setting)))
    return out


def test_it_is_trained_as_configured(run: Path) -> None:
    tensors, _ = read_tensors(run / "checkpoints" / "best.safetensors")
    assert tensors["model.embedding.weight"].shape[1] == 8
    assert 'kind = "gru"' in (run / "config.toml").read_text()
    assert json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])["meta_loss"] > 0


def test_it_is_measured_and_talks(run: Path, tasks_dir: Path) -> None:
    measured = json.loads(command("evaluate", run, "--data", tasks_dir / "primary", "--json"))
    assert measured["turns"] > 0 and 0 <= measured["accuracy"] <= 100
    (line,) = command("chat", run, "--json", talk="hello\n").splitlines()
    assert len(json.loads(line)["answers"]) == 5


def test_it_is_served_and_shows_no_attention(run: Path) -> None:
    facts = [told(f"{name} R_{what}") for name in ("alma", "bois") for what in ("rating 3", "price cheap")]
    events = [{"fact": fact.text} for fact in facts]
    with TestClient(create_app(run), base_url="http://127.0.0.1:8000") as client:
        assert client.get("/api/run").json()["model"] == "gru"
        asked = {"events": [*events, {"user": "hi", "system": "hello"}], "user": "any idea for alma"}
        answer = client.post("/api/respond", json=asked).json()
        given = client.post("/api/rank", json={**asked, "candidates": ["try alma", "try bois", "hello"]}).json()
    said = TrainedModel.load(run)
    assert answer["response"] and [memory["attention"] for memory in answer["memories"]] == [[]] * 4
    assert {one["text"] for one in given["candidates"]} == {"try alma", "try bois", "hello"}
    assert said.model.attention(said.waiting(facts, "hi", ())[0]) is None


def test_a_checkpoint_of_another_kind_is_refused_in_one_sentence(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "checkpoints").mkdir(parents=True)
    for name in ("encoding.json", "checkpoints/best.safetensors"):
        (folder / name).write_bytes((run / name).read_bytes())
    config = (run / "config.toml").read_text().replace('kind = "gru"', 'kind = "memory-network"')
    (folder / "config.toml").write_text(config.replace("width = 8\n", "").replace("turns = 2\n", ""))
    with pytest.raises(
        UserError, match=r"another model: MemoryNetwork needs 'body\.embedding' as .*, the file lacks"
    ):
        TrainedModel.load(folder)


def test_without_the_plug_in_the_kind_is_unknown(run: Path, tmp_path: Path) -> None:
    text = (run / "config.toml").read_text().replace('kind = "gru"', 'kind = "other-gru"')
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(UserError, match=r"model\.kind: found 'other-gru'; known: .*gru; give a plug-in"):
        TrainedModel.load(tmp_path)


def test_plug_ins_that_are_none_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    with pytest.raises(UserError, match=r"absent\.py: is no Python file"):
        add_plugins([tmp_path / "absent.py"])
    broken = tmp_path / "broken.py"
    broken.write_text("import nothing_of_this_name\n")
    add_plugins([broken])
    with pytest.raises(UserError, match=r"broken\.py: cannot be imported as a plug-in: ModuleNotFoundError"):
        load_plugins()
