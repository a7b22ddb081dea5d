"""What a process remembers of what it read: it must change no result, and notice a file that changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tasksieve.dialogs.formats import format_named
from tasksieve.records.config import RunConfig
from tasksieve.training.methods import method_named
from tasksieve.training.runs import memo
from tasksieve.training.runs.dialog_tasks import DialogTasks, load_tasks
from tasksieve.training.runs.dialogs import train
from tests.small import OPTIONS, small_config
from tests.unit.archives import service_dialogs, write_archive


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield
    memo.forget()


def _config(folder: Path, **training: Any) -> RunConfig:
    data = {
        "primary": str(folder / "Boats_1.json"),
        "valid": str(folder / "Boats_1.json"),
        "related": [str(folder / "Rooms_1.json"), str(folder / "Tables_1.json")],
        "size": 5,
        "predict": "actions",
    }
    return small_config(folder, data=data, training={**OPTIONS["training"], **training})


def _same(one: DialogTasks, other: DialogTasks) -> bool:
    tasks = zip((one.primary, one.valid, *one.related), (other.primary, other.valid, *other.related), strict=True)
    return one.encoding.vocabulary.words == other.encoding.vocabulary.words and all(
        a.examples == b.examples and a.candidates.texts == b.candidates.texts and torch.equal(a.memories, b.memories)
        for a, b in tasks
    )


def test_what_is_remembered_is_what_would_be_read_again(tmp_path: Path) -> None:
    config = _config(write_archive(tmp_path))
    fresh = {name: load_tasks(config, method_named(name)) for name in ("multitask", "joint")}
    memo.remember(8)
    for name in ("multitask", "joint", "multitask"):
        assert _same(load_tasks(config, method_named(name)), fresh[name])
    once = load_tasks(config, method_named("multitask"))
    assert load_tasks(config, method_named("learned")) is once
    assert load_tasks(config, method_named("joint")) is not once


def test_runs_reach_the_same_with_and_without_a_memory(tmp_path: Path) -> None:
    folder = write_archive(tmp_path / "archive")
    results = []
    for remembered in (0, 8, 8):
        memo.remember(remembered, tasks=min(1, remembered))
        for method in ("multitask", "learned"):
            out = tmp_path / f"{len(results)}"
            train(_config(folder, method=method, seed=1), out)
            results.append((out / "metrics.jsonl").read_bytes())
    assert results[0::2] == [results[0]] * 3
    assert results[1::2] == [results[1]] * 3


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    folder = write_archive(tmp_path)
    config = _config(folder)
    memo.remember(8)
    before = load_tasks(config, method_named("multitask"))
    path = folder / "Rooms_1.json"
    format_named("sgd").write(service_dialogs("Rooms_1", 12), path)
    os.utime(path, ns=(1, 1))
    after = load_tasks(config, method_named("multitask"))
    assert len(after.related[0]) < len(before.related[0])
    assert len(after.related[1]) == len(before.related[1])


def test_no_more_is_kept_than_there_is_room_for() -> None:
    kept = memo.Memo(room=2)
    for key in (1, 2, 1, 3, 1, 2):
        kept.of(key, lambda: object())
    assert kept.made == 4
    kept.keep(0)
    kept.of(1, lambda: object())
    kept.of(1, lambda: object())
    assert kept.made == 6
