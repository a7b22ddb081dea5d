"""Archives of related dialogs on the disk: the same examples, batches and runs as in memory, to the bit."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from tasksieve.dialogs.dialog import Dialog, Turn
from tasksieve.dialogs.plain import dialog_of, plain_dialog
from tasksieve.dialogs.record import Note, Record
from tasksieve.encoding import EncodedTask
from tasksieve.encoding.archived_task import ArchivedTask
from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig, config_from
from tasksieve.training.methods import method_named
from tasksieve.training.runs import archive_tasks, dialog_tasks
from tasksieve.training.runs.archives import is_large
from tasksieve.training.runs.dialogs import examples_frame, train
from tasksieve.training.runs.read_files import read_files
from tasksieve.training.runs.settled import settled
from tasksieve.training.runs.task_readings import read_tasks
from tasksieve.variables import LARGE_FILES
from tests.desks import data_of_desks, write_desks

APART = {"times.jsonl", "environment.json", "result.json", ".lock"}
"""Records that differ when the same run is made twice."""


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_desks(tmp_path_factory.mktemp("desks"), own=4, each=5)


def config_for(desks: Path, method: str = "learned", **model: Any) -> RunConfig:
    values = {
        "data": data_of_desks(desks),
        "model": {"sentences": "bag-of-words", **model},
        "training": {"method": method, "iterations": 12, "evaluate_every": 6, "snapshot_every": 6},
        "meta": {"warm_up": 4},
    }
    return settled(config_from(values))


def digests(folder: Path) -> dict[str, str]:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and file.name not in APART]
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.parametrize("method", ["learned", "multitask", "joint"])
def test_an_archive_gives_the_examples_and_batches_of_memory(desks: Path, on_the_disk: Path, method: str) -> None:
    config, chosen = config_for(desks, method), method_named(method)
    whole, stored = dialog_tasks.load_tasks(config, chosen), archive_tasks.load_tasks(config, chosen)
    assert stored.encoding.vocabulary.words == whole.encoding.vocabulary.words
    assert {head: c.texts for head, c in stored.encoding.candidates.items()} == {
        head: c.texts for head, c in whole.encoding.candidates.items()
    }
    assert stored.encoding.wordings.plain() == whole.encoding.wordings.plain()
    (there,), (here,) = stored.related, whole.related
    assert isinstance(there, ArchivedTask)
    assert list(there.examples) == list(here.examples)
    assert there.coverage == here.coverage
    assert there.examples[1:3] == list(here.examples[1:3])
    for name in ("memories", "spoken", "start", "end", "targets"):
        assert torch.equal(getattr(there, name), getattr(here, name)), name
    assert torch.equal(there.table.words, here.table.words) and torch.equal(there.table.offsets, here.table.offsets)
    assert_alike(there, here)
    assert examples_frame(stored, None).equals(examples_frame(whole, None))


def assert_alike(one: EncodedTask, other: EncodedTask) -> None:
    numbers = torch.randperm(len(one), generator=torch.Generator().manual_seed(0))[:20]
    first, second = one.batch(numbers), other.batch(numbers)
    assert torch.equal(first.memories, second.memories)
    assert torch.equal(first.table.words, second.table.words)
    assert first.choices.offered is not None and second.choices.offered is not None
    assert torch.equal(first.choices.offered.words, second.choices.offered.words)
    assert torch.equal(one.choices.chosen(), other.choices.chosen())


@pytest.mark.parametrize("method", ["learned", "multitask"])
def test_a_run_from_an_archive_is_that_from_memory(
    desks: Path, on_the_disk: Path, tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(config_for(desks, method), tmp_path / "disk")
    assert len(list(on_the_disk.glob("*/archive.json"))) == 1
    monkeypatch.setenv(LARGE_FILES, "1000")
    train(config_for(desks, method), tmp_path / "memory")
    assert digests(tmp_path / "disk") == digests(tmp_path / "memory")


def test_an_archive_is_made_once_and_anew_when_a_file_changes(
    desks: Path, on_the_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, method = config_for(desks), method_named("learned")
    archive_tasks.load_tasks(config, method)
    (folder,) = [path.parent for path in on_the_disk.glob("*/archive.json")]
    monkeypatch.setattr("tasksieve.training.runs.archives._make", None)
    archive_tasks.load_tasks(config, method)
    (folder / "memories.bin").write_bytes(b"")
    with pytest.raises(UserError, match=r"memories\.bin: is damaged: found 0 bytes"):
        archive_tasks.load_tasks(config, method)
    (folder / "archive.json").write_text(json.dumps({"arrays": {}}))
    with pytest.raises(UserError, match="no archive of this version"):
        archive_tasks.load_tasks(config, method)


def test_only_large_archives_of_actions_stay_on_the_disk(desks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LARGE_FILES, raising=False)
    assert not is_large(config_for(desks))
    monkeypatch.setenv(LARGE_FILES, "0")
    assert is_large(config_for(desks))
    assert not is_large(config_for(desks, kind="memory-network"))
    monkeypatch.setenv(LARGE_FILES, "much")
    with pytest.raises(UserError, match=f"{LARGE_FILES}: found much; expected megabytes"):
        is_large(config_for(desks))


def test_a_related_file_without_actions_is_refused(desks: Path, on_the_disk: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(
            '{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}\n'
        )
    config = config_for(desks)
    related = (str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl"))
    config = config.model_copy(update={"data": config.data.model_copy(update={"related": related})})
    with pytest.raises(UserError, match="says of no turn what the system does"):
        archive_tasks.load_tasks(config, method_named("learned"))
    assert not list(on_the_disk.glob("*/archive.json")) and not list(on_the_disk.glob("*.part"))


def test_dialogs_are_kept_whole() -> None:
    record = Record.of("Hotel", {"name": "Inn", "stay": {"days": [1, 2]}})
    dialog = Dialog((Note("n"), record, Turn("hi", "ho", 0.5, candidates=("ho", "no"))), ("young",), 7)
    again = dialog_of(json.loads(json.dumps(plain_dialog(dialog))))
    assert again == dialog and again.turns[0].learned == 0.5


def test_vectors_are_embedded_once_and_kept(desks: Path, on_the_disk: Path) -> None:
    from dataclasses import replace

    from tasksieve.training.runs.archives import archive_of

    config = config_for(desks)
    read = read_files(config.data.model_copy(update={"related": ()}))
    reader = replace(read_tasks(config, read, "actions")[0][0], names=None, slots=None)
    archive, asked = archive_of(config, reader, texts=True), list[str]()

    def embed(texts: Any) -> torch.Tensor:
        asked.extend(texts)
        return torch.tensor([[float(len(text)), 1.0] for text in texts]).reshape(-1, 2)

    vectors = archive.vectors(embed, "digest", 2)
    first = len(asked)
    assert torch.equal(archive.vectors(embed, "digest", 2), vectors) and len(asked) == first
    texts = pl.concat(archive._tables("texts"))["text"].to_list()
    assert vectors[:, 0].tolist() == [float(len(text)) if text.strip() else 0.0 for text in texts]
    assert len(texts) == archive.tensor("offsets").shape[0] - 1
