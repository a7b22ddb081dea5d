"""Settings and examples from which weights cannot be learned are refused; simulated steps have the real sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tasksieve.errors import UserError
from tasksieve.integrations import GroupTable
from tests.integrations.ranks import example, learner, trainer
from tests.tiny_language_models import TEMPLATE, chat, chats, llama, with_adapters, word_tokenizer

pytest.importorskip("accelerate")


@pytest.mark.parametrize(
    "wrong", [{"every": 0}, {"every": 0.5}, {"groups": 0}, {"groups": -1}, {"batch_size": 0}, {"unroll_length": True}]
)
def test_a_number_below_one_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=f"{next(iter(wrong))} is .* whole number of 1 or more"):
        learner(**wrong)


@pytest.mark.parametrize(
    "primary",
    [
        [chat("a", "b", weight=0)],
        [chat("a", "b", weights=[0.0])],
        [{"messages": [{"role": "assistant", "content": "a", "weight": 0}]}],
    ],
)
def test_primary_examples_without_weight_are_refused(primary: list[dict[str, Any]]) -> None:
    with pytest.raises(UserError, match="all primary examples have weight 0"):
        learner(primary=primary)
    learner(primary=[*primary, chat("a", "b")])


def test_a_group_without_a_weight_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="training example 3 has the group 2 and groups is 2"):
        trainer(tmp_path, chats(4, groups=3), learn=learner())


def test_a_group_that_was_not_seen_before_is_refused_in_its_batch() -> None:
    with pytest.raises(UserError, match="the group 3 and groups is 2"):
        GroupTable(2)({"groups": torch.tensor([0, 3, -1])})


def test_a_checkpoint_with_other_groups_is_refused(tmp_path: Path) -> None:
    saving: dict[str, Any] = {"save_strategy": "steps", "save_steps": 1}
    trainer(tmp_path, chats(8), learn=learner(), **saving).train()
    made = trainer(tmp_path, chats(8), learn=learner(groups=3))
    with pytest.raises(UserError, match=r"sizes \{'logits': \(2,\)\}, and this one \{'logits': \(3,\)\}"):
        made.train(resume_from_checkpoint=str(tmp_path / "checkpoint-1"))


def test_a_learner_that_is_added_later_is_told_where_to_go(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="callbacks="):
        trainer(tmp_path, chats(2)).add_callback(learner())


def test_columns_are_kept_without_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasksieve.integrations import ChatCollator, WeightedTrainer

    monkeypatch.chdir(tmp_path)
    made = WeightedTrainer(with_adapters(llama()), None, ChatCollator(word_tokenizer(TEMPLATE)))
    assert made.args.remove_unused_columns is False


@pytest.mark.parametrize(
    ("schedule", "after"), [({"lr_scheduler_type": "linear"}, 0), ({"warmup_steps": 1}, 3e-3)], ids=["falls", "rises"]
)
def test_an_update_has_the_step_size_of_the_step_taken(tmp_path: Path, schedule: Any, after: float) -> None:
    """After the last one a falling rate is 0; in the first one a rising rate was 0, and the next one counts."""
    kind = {"lr_scheduler_type": "constant_with_warmup", **schedule}
    data = [example(place % 2) for place in range(8)]
    learn = learner()
    made = trainer(tmp_path, data, learn=learn, size=8, max_steps=1, learning_rate=3e-3, **kind)
    made.train()
    assert learn.weights()[0] < 0.5 < learn.weights()[1]
    assert made.optimizer.param_groups[0]["lr"] == after
