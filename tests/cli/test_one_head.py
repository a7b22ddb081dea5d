"""Weights for a model with one head, which a related task's old policy must not mislead; and what weights mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasksieve.dialogs.response_weights import read_weights
from tasksieve.encoding import Vocabulary
from tasksieve.encoding.drawn import drawn_choices
from tasksieve.experiments.weights import export_weights
from tasksieve.records.config import config_from
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialog_tasks import load_tasks
from tests.commands import Cli
from tests.old_policy import NEW, OLD, desk, learned_run, weight_of

MEMORY_NETWORK = {
    "training": {"iterations": 200, "evaluate_every": 100, "patience": 10},
    "meta": {"warm_up": 50, "weight_lr": 1e-2, "dialogs": "validation"},
    "model": {"kind": "memory-network"},
    "screening": {"trials": 0},
}


def test_an_old_policy_has_a_high_weight_with_a_head_of_its_own_and_a_low_one_with_a_shared_head(
    tmp_path: Path, cli: Cli
) -> None:
    own, shared = (learned_run(tmp_path, heads, **MEMORY_NETWORK) for heads in ("own", "shared"))
    assert weight_of(own, OLD) > 0.5
    assert weight_of(shared, OLD) < 0.1
    for folder, heads in ((own, "own"), (shared, "shared")):
        for ending in (".csv", ".parquet", ".jsonl"):
            export_weights(folder, tmp_path / f"{heads}{ending}")
            assert read_weights(tmp_path / f"{heads}{ending}").heads == heads
    warned = cli("convert", tmp_path / "old.jsonl", "o.jsonl", "--weights", tmp_path / "own.csv")
    assert warned.code == 0
    assert "would learn old policies too" in warned.err
    assert json.loads((tmp_path / "o.jsonl").read_text().splitlines()[0])["weight_heads"] == "own"
    assert cli("convert", "o.jsonl", "o.parquet", "--weights", tmp_path / "own.csv").code == 0
    refused = cli("convert", tmp_path / "old.jsonl", "o", "--weights", tmp_path / "own.csv", "--for", "openai")
    assert (refused.code, "OpenAI has one head, which would learn old policies too" in refused.err) == (2, True)
    quiet = cli("convert", tmp_path / "old.jsonl", "s.jsonl", "--weights", tmp_path / "shared.csv")
    assert "warning" not in quiet.err
    assert "weight_heads" not in (tmp_path / "s.jsonl").read_text()
    taken = cli(
        "convert", tmp_path / "old.jsonl", "s", "--weights", tmp_path / "shared.csv", "--for", "llama-factory"
    )
    assert (taken.code, "60 dialogs in 60 rows" in taken.out) == (0, True)


def test_with_shared_heads_every_task_chooses_among_the_same_responses(tmp_path: Path) -> None:
    data = {
        "primary": desk(tmp_path / "new.jsonl", 3, 1, NEW),
        "valid": desk(tmp_path / "valid.jsonl", 3, 2, NEW),
        "related": [desk(tmp_path / "a.jsonl", 3, 3, OLD), desk(tmp_path / "b.jsonl", 3, 4, "which number")],
        "predict": "responses",
    }
    for pooled in ({}, {"related_batch_size": 8}):
        training = {"heads": "shared", **pooled}
        config = config_from({"data": data, "training": training, "model": {"kind": "memory-network"}})
        tasks = load_tasks(config, method_named("learned"))
        texts = set(tasks.primary.candidates.texts)
        assert {OLD, NEW, "which number"} <= texts
        for task in (tasks.primary, tasks.valid, *tasks.related):
            assert set(task.candidates.texts) == texts
            assert task.choices.offered is None
            assert task.head == "primary"
        alone = load_tasks(config, method_named("primary"))
        assert OLD not in alone.primary.candidates.texts


@pytest.mark.parametrize("beside", [None, ("old one", "old two", "d")])
def test_half_of_what_is_drawn_is_of_other_tasks_where_heads_are_shared(beside: tuple[str, ...] | None) -> None:
    said = [f"{letter}" for letter in "abcdefgh"]
    vocabulary = Vocabulary([*said, "old", "one", "two"])
    drawn = drawn_choices(said, [0] * 4 + [1] * 4, 4, vocabulary, beside=beside)
    assert drawn.offered is not None
    rows = [[number for number in row if number >= 0] for row in drawn.offered.padded().tolist()]
    for place, row in enumerate(rows):
        assert row[0] == place
        own = [number for number in row if number < 8 and number // 4 == place // 4]
        assert len(own) == 4 if beside is None else len(own) >= 2
        assert len(set(row)) == len(row)
    if beside is not None:
        assert any(number >= 8 for row in rows for number in row)
