"""Archives on the disk whose responses are ranked: the same examples, choices and runs as in memory, to the bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tasksieve.dialogs import Dialog, Turn
from tasksieve.dialogs.formats import FORMATS
from tasksieve.encoding import bag_of
from tasksieve.encoding.archived_task import ArchivedTask
from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig, config_from
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.methods import method_named
from tasksieve.training.runs import archive_tasks, dialog_tasks
from tasksieve.training.runs.archives import is_large
from tasksieve.training.runs.dialogs import build_model, examples_frame, train
from tasksieve.training.runs.settled import settled
from tasksieve.training.runs.trained_model import TrainedModel
from tasksieve.variables import LARGE_FILES
from tests.tiny_encoder import write_tiny
from tests.unit.test_archives import digests
from tests.unit.test_ranked_runs import trips

TWINS = (
    ("Well , fine", "fine well", "fine well"),
    ("so be it", "Be it so ."),
    ("it is 5 dollars", "It is 5 dollars!", "it is 5 dollars"),
)
"""Responses of the same words, some said as often as their twins."""
KINDS = ("bag-of-words", "both")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dialogs of which no response is said twice, and a service of twins; one service has more than 64 responses."""
    folder, known = tmp_path_factory.mktemp("trips"), FORMATS["chat"]
    parts = {"train": trips(12, 1), "valid": trips(8, 2), "a-many": trips(40, 4), "b-few": trips(9, 5)}
    parts["c-twins"] = [Dialog((Turn("hello", one), Turn("and", one))) for those in TWINS for one in those]
    parts["d-again"] = parts["c-twins"][::-1][:3]
    for name, dialogs in parts.items():
        known.write(dialogs, folder / f"{name}.jsonl")
    write_tiny(folder / "encoder")
    return folder


def config_of(folder: Path, method: str = "learned", sentences: str = "bag-of-words", **model: Any) -> RunConfig:
    values = {
        "data": {
            "primary": str(folder / "train.jsonl"),
            "valid": str(folder / "valid.jsonl"),
            "related": [str(folder / f"{name}.jsonl") for name in ("a-many", "b-few", "c-twins", "d-again")],
            "predict": "responses",
        },
        "model": {
            "sentences": sentences,
            **({"encoder": str(folder / "encoder")} if sentences == "both" else {}),
            **model,
        },
        "training": {"method": method, "iterations": 12, "evaluate_every": 6, "snapshot_every": 6},
        "meta": {"warm_up": 4},
    }
    return settled(config_from(values))


@pytest.mark.parametrize("sentences", KINDS)
@pytest.mark.parametrize("method", ["learned", "joint"])
def test_an_archive_gives_the_examples_and_choices_of_memory(
    folder: Path, on_the_disk: Path, method: str, sentences: str
) -> None:
    config, chosen = config_of(folder, method, sentences), method_named(method)
    whole, stored = dialog_tasks.load_tasks(config, chosen), archive_tasks.load_tasks(config, chosen)
    assert stored.measure == whole.measure == "R_100@1"
    assert stored.encoding.vocabulary.words == whole.encoding.vocabulary.words
    assert stored.encoding.candidates["primary"].texts == whole.encoding.candidates["primary"].texts
    (there,), (here,) = stored.related, whole.related
    assert isinstance(there, ArchivedTask)
    assert list(there.examples) == list(here.examples)
    assert there.coverage == here.coverage and there.head == here.head
    for name in ("memories", "spoken", "start", "end", "targets"):
        assert torch.equal(getattr(there, name), getattr(here, name)), name
    for one, other in ((there.table, here.table), (there.choices.table, here.choices.table)):
        assert torch.equal(one.words, other.words) and torch.equal(one.offsets, other.offsets)
        assert (one.vectors is None) == (other.vectors is None) == (sentences == "bag-of-words")
        if one.vectors is not None and other.vectors is not None:
            assert torch.equal(one.vectors, other.vectors)
    assert there.choices.offered is not None and here.choices.offered is not None
    assert torch.equal(there.choices.offered.words, here.choices.offered.words)
    assert torch.equal(there.choices.offered.offsets, here.choices.offered.offsets)
    assert here.choices.offered.longest == 64
    some = torch.arange(0, len(here), 7)
    assert torch.equal(there.choices.chosen(some), here.choices.chosen()[some])
    assert examples_frame(stored, None).equals(examples_frame(whole, None))


@pytest.mark.parametrize("words", [25_000, 60])
def test_words_are_as_rare_on_the_disk_as_in_memory(folder: Path, on_the_disk: Path, words: int) -> None:
    config, method = config_of(folder, max_words=words), method_named("learned")
    whole, stored = dialog_tasks.load_tasks(config, method), archive_tasks.load_tasks(config, method)
    one, other = (build_model(config, len(t.encoding.vocabulary), t.encoding.candidates) for t in (whole, stored))
    assert torch.equal(one.get_buffer("weights"), other.get_buffer("weights"))
    counted = stored.encoding.candidates["related"].table
    said = {example.system for example in stored.related[0].examples}
    assert len(counted) == len({bag_of(text) for text in said}) < len(said)


@pytest.mark.parametrize("sentences", KINDS)
@pytest.mark.parametrize("method", ["learned", "multitask"])
def test_a_run_from_an_archive_is_that_from_memory(
    folder: Path, on_the_disk: Path, tmp_path: Path, method: str, sentences: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(folder, method, sentences)
    train(config, tmp_path / "disk")
    assert len(list(on_the_disk.glob("*/archive.json"))) == 1
    monkeypatch.setenv(LARGE_FILES, "1000")
    train(config, tmp_path / "memory")
    assert digests(tmp_path / "disk") == digests(tmp_path / "memory")
    run = RunFolder(tmp_path / "disk")
    assert run.weight_steps() == ([0, 6, 12] if method == "learned" else [])
    assert method != "learned" or run.read_weights(12).height == run.read_examples().height


def test_a_killed_run_goes_on_from_the_disk(folder: Path, on_the_disk: Path, tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def killed(report: Any) -> None:
        if report.step >= 8 and not report.ended:
            raise Killed

    config = config_of(folder, "learned", "both")
    train(config, tmp_path / "whole")
    with pytest.raises(Killed):
        train(config, tmp_path / "parts", killed)
    train(config, tmp_path / "parts")
    whole, parts = (digests(tmp_path / name) for name in ("whole", "parts"))
    tables = [name for name in whole if name.endswith((".safetensors", ".parquet"))]
    assert len(tables) > 3 and all(whole[name] == parts[name] for name in tables)


def test_a_run_is_used_without_the_responses_of_its_archive(folder: Path, on_the_disk: Path, tmp_path: Path) -> None:
    train(config_of(folder, "multitask"), tmp_path / "run")
    assert list(json.loads((tmp_path / "run" / "encoding.json").read_text())["candidates"]) == ["primary"]
    trained = TrainedModel.load(tmp_path / "run")
    assert trained.answer((), "a bus to Rome")[0].text


def test_only_responses_that_are_ranked_stay_on_the_disk(
    folder: Path, on_the_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(folder)
    assert is_large(config)
    shared = config.training.model_copy(update={"heads": "shared"})
    assert not is_large(config.model_copy(update={"training": shared}))
    assert not is_large(config_of(folder, kind="memory-network"))
    for name in ("train", "valid"):
        dialogs = [Dialog((Turn("hello", "hi"), Turn("bye", "goodbye")))] * 12
        FORMATS["chat"].write(dialogs, tmp_path / f"{name}.jsonl")
    own = {name: str(tmp_path / f"{file}.jsonl") for name, file in (("primary", "train"), ("valid", "valid"))}
    repeated = config.model_copy(update={"data": config.data.model_copy(update=own)})
    tasks = archive_tasks.load_tasks(repeated, method_named("learned"))
    assert tasks.measure != "R_100@1" and not isinstance(tasks.related[0], ArchivedTask)


def test_a_damaged_array_of_responses_is_told(folder: Path, on_the_disk: Path) -> None:
    config, method = config_of(folder), method_named("learned")
    archive_tasks.load_tasks(config, method)
    (path,) = on_the_disk.glob("*/offered.bin")
    path.write_bytes(b"")
    with pytest.raises(UserError, match=r"offered\.bin: is damaged: found 0 bytes"):
        archive_tasks.load_tasks(config, method)
