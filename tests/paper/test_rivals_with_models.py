"""Every rival with the models of people's dialogs, whose related tasks are drawn together; and by the command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tasksieve.cli import app
from tasksieve.dialogs import Dialog, Turn
from tasksieve.dialogs.act import Act
from tasksieve.dialogs.formats import FORMATS
from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig, config_from
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.methods import method_named, names_for, rivals
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.images import IMAGES, ImageConfig
from tests.small import OPTIONS
from tests.unit.test_ranked_runs import trips

KINDS = {"matching": "actions", "ranking": "responses"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dialogs about buses, with what the system did."""
    made = tmp_path_factory.mktemp("trips")
    for name, count, seed in (("train", 6, 1), ("valid", 4, 2), ("test", 4, 3), ("other", 6, 4), ("more", 5, 5)):
        dialogs = []
        for dialog in trips(count, seed):
            acts = iter([(Act("request", "day"),), (Act("inform", "fare"), Act("offer"))])
            told = [replace(one, acts=next(acts)) if isinstance(one, Turn) else one for one in dialog.events]
            dialogs.append(Dialog(tuple(told)))
        FORMATS["chat"].write(dialogs, made / f"{name}{FORMATS['chat'].suffixes[0]}")
    return made


def config_of(folder: Path, kind: str, method: str) -> RunConfig:
    suffix = FORMATS["chat"].suffixes[0]
    data = {
        "primary": str(folder / f"train{suffix}"),
        "valid": str(folder / f"valid{suffix}"),
        "related": [str(folder / f"{name}{suffix}") for name in ("other", "more")],
        "predict": KINDS[kind],
    }
    training = {"method": method, "iterations": 4, "evaluate_every": 2, "related_batch_size": 6}
    return config_from(
        {
            "data": data,
            "model": {"sentences": "bag-of-words"},
            "training": training,
            "meta": {"warm_up": 0},
            "rivals": OPTIONS["rivals"],
        }
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", rivals())
def test_every_rival_trains_the_models_of_peoples_dialogs(
    folder: Path, tmp_path: Path, kind: str, method: str
) -> None:
    result = train(config_of(folder, kind, method), tmp_path / "run")
    assert result["method"] == method
    run = RunFolder(tmp_path / "run")
    assert run.read_config().model.kind == kind
    if method not in ("maml", "reptile"):
        weights = run.read_weights()["weight"]
        assert weights.is_between(0, 1).all()
        assert weights.sum() > 0


def test_rivals_stands_for_all_of_them(folder: Path, tmp_path: Path) -> None:
    assert names_for(["rivals", "primary", "less"]) == (*rivals(), "primary")
    assert names_for(["both"], {"both": ("primary", "multitask")}) == ("primary", "multitask")
    suffix = FORMATS["chat"].suffixes[0]
    words = [
        "compare", "--primary", str(folder / f"train{suffix}"), "--valid", str(folder / f"valid{suffix}"),
        "--test", str(folder / f"test{suffix}"), "--related", str(folder / f"other{suffix}"),
        "--predict", "actions", "--methods", "rivals", "--seeds", "1", "--workers", "1", "--no-audit",
        "--out", str(tmp_path / "out"), "--json",
    ]  # fmt: skip
    settings = [
        "training.iterations=1",
        "model.sentences=bag-of-words",
        "rivals.iterations=1",
        "rivals.checkpoints=1",
    ]
    ended = CliRunner().invoke(app, [*words, *(f"--set={one}" for one in settings)])
    assert ended.exit_code == 0, ended.output
    assert {path.name.rsplit("-", 2)[0] for path in (tmp_path / "out" / "runs").iterdir()} == set(rivals())
    assert all(f'"method": "{name}"' in ended.output for name in rivals())


@pytest.mark.parametrize("name", ["maml", "reptile"])
def test_an_initialisation_needs_related_tasks_and_has_no_meaning_on_images(name: str) -> None:
    with pytest.raises(UserError, match=f"method '{name}' borrows; give at least one --related file"):
        method_named(name).require(related=False, labels=False)
    with pytest.raises(UserError, match=f"method '{name}' has no meaning on images"):
        IMAGES.method(ImageConfig.model_validate({"training": {"method": name}}))
