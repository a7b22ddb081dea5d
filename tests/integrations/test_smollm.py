"""The same with the weights of a real model, where its package is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tasksieve.dialogs import Dialog, Turn
from tasksieve.dialogs.formats import FORMATS
from tasksieve.integrations import AdapterWeights, ChatCollator, GroupTable, targets_of, weighted_nll
from tasksieve.integrations.passes import learned_params, logits_of
from tasksieve.records.config import config_from
from tasksieve.training.runs.conversation import Conversation
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.trained_model import TrainedModel
from tests.real_language_model import MISSING, packaged
from tests.tiny_language_models import chat, with_adapters

pytestmark = pytest.mark.skipif(packaged() is None, reason=MISSING)
ANSWERS = (
    ("Which bus is cheap?", "The bus at nine costs 12 dollars."),
    ("Book a table for two.", "Your table is booked."),
    ("Is there a train?", "Purple ideas sleep."),
)
CHATS = [chat(asked, said, group=number) for number, (asked, said) in enumerate(ANSWERS)]


@pytest.fixture(scope="module")
def model_and_tokenizer() -> tuple[Any, Any]:
    pytest.importorskip("peft")
    transformers = pytest.importorskip("transformers")
    file = packaged()
    assert file is not None
    where = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    tokenizer = transformers.AutoTokenizer.from_pretrained(**where)
    model = transformers.AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    return with_adapters(model, rank=8, spread=0.01, seed=0), tokenizer


def loss_and_gradients(model: Any, batch: Any) -> tuple[torch.Tensor, list[torch.Tensor]]:
    loss = weighted_nll(logits_of(model, batch), targets_of(batch))
    return loss.detach(), list(torch.autograd.grad(loss, list(learned_params(model).values())))


def test_weight_one_is_the_plain_loss_of_the_answers_alone(model_and_tokenizer: tuple[Any, Any]) -> None:
    model, tokenizer = model_and_tokenizer
    batch = ChatCollator(tokenizer)(CHATS)
    said = tokenizer.decode([int(label) for label in batch["labels"][1] if label != -100])
    assert said.removesuffix("<|im_end|>") == ANSWERS[1][1]
    with torch.no_grad():
        plain = model(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=batch["labels"]
        ).loss
        ours = weighted_nll(logits_of(model, batch), targets_of(batch))
    torch.testing.assert_close(ours, plain, rtol=1e-5, atol=0)


def test_weight_zero_is_leaving_out(model_and_tokenizer: tuple[Any, Any]) -> None:
    model, tokenizer = model_and_tokenizer
    collate = ChatCollator(tokenizer)
    alone, gradients = loss_and_gradients(model, collate(CHATS[:2]))
    beside, others = loss_and_gradients(model, collate([*CHATS[:2], {**CHATS[2], "weight": 0.0}]))
    everything, _ = loss_and_gradients(model, collate(CHATS))
    torch.testing.assert_close(beside, alone, rtol=1e-5, atol=0)
    size = max(float(value.abs().max()) for value in gradients)
    torch.testing.assert_close(others, gradients, rtol=1e-3, atol=1e-5 * size)
    assert abs(everything - alone) > 0.1


def test_an_update_raises_the_weight_of_what_the_primary_answer_says(model_and_tokenizer: tuple[Any, Any]) -> None:
    model, tokenizer = model_and_tokenizer
    table = GroupTable(3)
    sieve = AdapterWeights(model, table, lr=1e-2, held=False)
    found = sieve.update([ChatCollator(tokenizer)(CHATS)], ChatCollator(tokenizer)(CHATS[:1]))
    assert found.error is not None
    assert found.error.relative < 0.05
    first, second, third = torch.sigmoid(table.logits.detach()).tolist()
    assert first > 0.5
    assert third < 0.5
    assert second != 0.5


def test_a_run_answers_a_turn(tmp_path: Path) -> None:
    turns = [Turn("I need a bus to Rome, please.", "On which day?"), Turn("On Monday.", "It leaves at nine.")]
    files = {name: str(tmp_path / f"{name}{FORMATS['chat'].suffixes[0]}") for name in ("primary", "valid")}
    for file in files.values():
        FORMATS["chat"].write([Dialog(tuple(turns)), Dialog(tuple(turns[:1]))], Path(file))
    values = {
        "data": {**files, "predict": "responses"},
        "model": {"kind": "language-model", "pretrained": str(packaged()), "context": 64, "longest_answer": 8},
        "training": {"method": "primary", "iterations": 1, "evaluate_every": 1, "batch_size": 1},
    }
    train(config_from(values), tmp_path / "run")
    answers = Conversation(TrainedModel.load(tmp_path / "run")).say("I need a bus to Rome, please.", top=3)
    assert all(answer.text for answer in answers)
    assert {"On which day?", "It leaves at nine."} & {answer.text for answer in answers}
