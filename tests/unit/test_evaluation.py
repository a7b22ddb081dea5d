"""Ranks and accuracies against counting by hand; models at work."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.dialogs import Dialog, Turn
from tasksieve.encoding import Batch, Candidates, Choices, EncodedTask, Reader, Vocabulary
from tasksieve.errors import UserError
from tasksieve.models import DialogModel
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.runs.conversation import Conversation
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.encoding import Encoding
from tasksieve.training.runs.evaluation import UNANSWERABLE, accuracy, ranks, task_ranks
from tasksieve.training.runs.labels import read_labels
from tasksieve.training.runs.measures import summary
from tasksieve.training.runs.predictions import predict
from tasksieve.training.runs.selection import selection_ranks
from tasksieve.training.runs.trained_model import TrainedModel, evaluate_run
from tests.reading import facts
from tests.small import small_config


@given(st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=1, max_size=6), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_ranks_do_not_depend_on_candidate_order(rows: list[list[int]], seed: int) -> None:
    scores = torch.tensor(rows, dtype=torch.float32)
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(-1, 4, (len(rows),), generator=generator)
    order = torch.randperm(4, generator=generator)
    moved = torch.where(targets >= 0, order.argsort()[targets.clamp(min=0)], -1)
    found = ranks(scores, targets)
    assert torch.equal(found, ranks(scores[:, order], moved))
    for row, target, rank in zip(rows, targets.tolist(), found.tolist(), strict=True):
        assert rank == (UNANSWERABLE if target < 0 else sum(score >= row[target] for score in row))


def test_what_is_not_a_number_ranks_last() -> None:
    scores = torch.tensor([[torch.nan, 1.0, -torch.inf], [torch.nan, 1.0, 0.0], [2.0, 1.0, -torch.inf]])
    assert ranks(scores, torch.tensor([0, 1, 0])).tolist() == [3, 2, 1]
    assert selection_ranks(scores, 3).tolist() == [3, 3, 1]
    assert selection_ranks(scores, 2).tolist() == [2, 2, 1]


class Fixed(DialogModel):
    """Answers with these candidates, whatever is asked."""

    def __init__(self, wanted: list[int]) -> None:
        super().__init__()
        self.wanted = torch.tensor(wanted)

    @classmethod
    def build(cls, config: object, words: int, heads: object, generator: object) -> Fixed:
        return cls([])

    def scores(self, batch: Batch, *choices: Choices) -> tuple[torch.Tensor, ...]:
        assert not self.training and not torch.is_grad_enabled()
        return tuple(torch.nn.functional.one_hot(self.wanted, one.most).float() for one in choices)


def test_accuracies_by_turn_dialog_and_kind() -> None:
    dialogs = [
        Dialog((Turn("a", "hello"), Turn("b", "api_call x"), Turn("c", "unheard of"))),
        Dialog((Turn("a", "hello"), Turn("b", "api_call y"))),
    ]
    readings = Reader().read(dialogs)
    vocabulary = Vocabulary.of(readings)
    candidates = Candidates(["api_call x", "api_call y", "hello"], vocabulary)
    task = EncodedTask(readings, vocabulary, candidates)
    encoding = Encoding(vocabulary, {"primary": candidates}, 250, Reader())
    model = Fixed([2, 1, 0, 2, 1])
    found = task_ranks(model, task)
    assert model.training
    assert accuracy(found) == 60.0
    frame = predict(model, encoding, readings, task, {})
    assert frame["rank"].to_list() == [1, 3, None, 1, 1]
    assert frame["predicted"].to_list() == ["hello", "api_call y", "api_call x", "hello", "api_call y"]
    record = summary(frame, task.coverage, "responses")
    assert (record["turns"], record["dialogs"], record["accuracy"], record["per_dialog_accuracy"]) == (
        5,
        2,
        60.0,
        50.0,
    )
    assert record["hits"] == {"1": 60.0, "5": 80.0, "10": 80.0}
    assert record["by_kind"]["api call"] == {"turns": 2, "hits": {"1": 50.0, "5": 100.0, "10": 100.0}}
    assert record["by_kind"]["other"] == {"turns": 1, "hits": {"1": 0.0, "5": 0.0, "10": 0.0}}
    assert record["coverage"] == {"candidate_ceiling": 80.0, "unseen_responses": 1, "unknown_words": 0.0}


@pytest.fixture(scope="module")
def trained(tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "run"
    training = {"method": "primary", "iterations": 120, "evaluate_every": 40, "primary_lr": 0.01}
    train(small_config(tasks_dir, training=training, model={"dim": 20}), folder)
    return folder


def test_a_trained_model_needs_only_its_folder(trained: Path, tasks_dir: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    trained.rename(moved)
    try:
        record = evaluate_run(moved, tasks_dir / "primary")
        assert record["data"].endswith("test.txt")
        valid = evaluate_run(moved, tasks_dir / "primary", "valid")
        assert valid["accuracy"] == pytest.approx(RunFolder(moved).read_record("result")["valid_accuracy"])
        oov = evaluate_run(moved, tasks_dir / "primary", "test-oov")
        assert oov["coverage"]["unknown_words"] > record["coverage"]["unknown_words"]
    finally:
        moved.rename(trained)


def test_a_model_trained_on_another_device_is_loaded_where_it_is_wanted(
    trained: Path, tasks_dir: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(trained, copy)
    text = (copy / "config.toml").read_text()
    assert 'device = "cpu"' in text
    (copy / "config.toml").write_text(text.replace('device = "cpu"', 'device = "cuda:7"'))
    here, there = TrainedModel.load(trained), TrainedModel.load(copy)
    assert here.answer([], "good morning") == there.answer([], "good morning")


def test_an_answer_is_the_best_candidate_of_all(trained: Path) -> None:
    model = TrainedModel.load(trained)
    answers = model.answer([], "good morning", profile=("male", "young"), top=3)
    assert len(answers) == 3
    assert [a.probability for a in answers] == sorted((a.probability for a in answers), reverse=True)
    everything = model.answer([], "good morning", top=10**6)
    assert sum(answer.probability for answer in everything) == pytest.approx(1, abs=1e-4)
    candidates = model.encoding.candidates["primary"]
    assert len(everything) == len(candidates) - len(candidates.gaps)  # nothing is known that could be named


def test_a_conversation_remembers(trained: Path) -> None:
    model = TrainedModel.load(trained)
    conversation = Conversation(model)
    assert conversation.command("/profile female elderly") == "profile: female elderly"
    assert conversation.command("/fact a R_price cheap") == "a record of kb; 1 fact so far"
    first = conversation.say("good morning")
    second = conversation.say("")
    profile = ("female", "elderly")
    assert first == model.answer([*facts("a R_price cheap")], "good morning", profile=profile)
    events = [*facts("a R_price cheap"), Turn("good morning", first[0].text)]
    assert second == model.answer(events, "<SILENCE>", profile=profile)
    assert conversation.command("/reset") == "a new dialog"
    assert conversation.say("good morning") == model.answer([], "good morning")
    assert "unknown command /dance" in conversation.command("/dance now")


def test_folders_that_are_no_trained_runs_are_named(tmp_path: Path, trained: Path) -> None:
    with pytest.raises(UserError, match="is not a run folder"):
        TrainedModel.load(tmp_path)
    (tmp_path / "config.toml").write_bytes((trained / "config.toml").read_bytes())
    with pytest.raises(UserError, match="no such checkpoint; train first"):
        TrainedModel.load(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "best.safetensors").write_bytes(RunFolder(trained).best_checkpoint.read_bytes())
    (tmp_path / "encoding.json").write_text('{"words": ["a"]}')
    with pytest.raises(UserError, match="is not a run's encoding"):
        TrainedModel.load(tmp_path)
    (tmp_path / "encoding.json").write_text('{"words": ["a"], "candidates": {"primary": ["a"]}, "max_memories": 9}')
    with pytest.raises(UserError, match="belongs to another model"):
        TrainedModel.load(tmp_path)


EXAMPLES = pl.DataFrame({"example": [0, 1, 2], "kind": ["greeting", "api call", "greeting"]})


def test_labels_by_example_or_kind(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("example,label\n0,1\n2,0\n")
    assert read_labels(tmp_path / "a.csv", EXAMPLES).to_list() == [True, False, False]
    (tmp_path / "b.jsonl").write_text('{"kind": "greeting", "label": true}\n')
    assert read_labels(tmp_path / "b.jsonl", EXAMPLES).to_list() == [True, False, True]
    pl.DataFrame({"example": [1], "label": [1]}).write_parquet(tmp_path / "c.parquet")
    assert read_labels(tmp_path / "c.parquet", EXAMPLES).to_list() == [False, True, False]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "example,label\n0,1\n1,2\n", "line 3: found the label 2; expected 1 for right or 0 for wrong"),
        ("b.csv", "kind,label\ngreeting,0.5\n", "line 2: found the label 0.5"),
        ("c.jsonl", '{"example": 0, "label": 1}\n{"example": 1, "label": -1}\n', "line 2: found the label -1"),
        ("d.csv", "example,label\n0,1\n1,\n", "line 3: found the label none"),
    ],
)
def test_a_label_that_is_neither_0_nor_1_is_refused_with_its_line(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=told):
        read_labels(tmp_path / name, EXAMPLES)


def test_a_label_of_a_parquet_table_is_refused_with_its_row(tmp_path: Path) -> None:
    pl.DataFrame({"example": [0, 1], "label": [1.0, 0.5]}).write_parquet(tmp_path / "e.parquet")
    with pytest.raises(UserError, match=r"row 2: found the label 0\.5"):
        read_labels(tmp_path / "e.parquet", EXAMPLES)


def test_labels_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    for name, text, message in (
        ("a.txt", "", "ends in '.txt'; expected .parquet, .csv, .jsonl"),
        ("b.csv", "example,right\n0,1\n", "expected 'label' and 'example', 'kind' or 'task'"),
        ("c.csv", "example,label\n7,1\n", "names unknown example 7"),
        ("d.csv", "kind,label\nhat,1\n", "names unknown kind 'hat'"),
        ("e.jsonl", "{", "cannot be read"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(UserError, match=message):
            read_labels(tmp_path / name, EXAMPLES)
    with pytest.raises(UserError, match="cannot be read"):
        read_labels(tmp_path / "absent.csv", EXAMPLES)
