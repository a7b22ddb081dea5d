"""Adapters of runs are those of peft: the same numbers, the same gradients, and files that it loads."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tasksieve.integrations.passes import logits_of
from tasksieve.models.language_model.adapters import Adapters
from tasksieve.models.language_model.peft_folder import DOWN, UP, write_peft
from tests.tiny_language_models import llama, t5, with_adapters

pytest.importorskip("transformers")
pytest.importorskip("peft", reason="peft is not installed: pip install 'tasksieve[lm]'")

RANK, ALPHA = 3, 6.0
MODELS: dict[str, tuple[Callable[[], Any], tuple[str, ...], str]] = {
    "llama": (llama, ("q_proj", "k_proj", "v_proj", "o_proj"), "CAUSAL_LM"),
    "t5": (t5, ("q", "k", "v", "o"), "SEQ_2_SEQ_LM"),
}
BATCH = {
    "input_ids": torch.tensor([[5, 7, 9, 6, 11], [8, 12, 3, 4, 10]]),
    "labels": torch.tensor([[7, 9, 6, 11, 1], [12, 3, 4, 10, 1]]),
}


def of_peft(model: Any, adapters: Adapters, kind: str) -> list[Tensor]:
    """The parameters of a peft model, or their gradients, as ours are: turned, and in the order of our maps."""
    theirs = {name.replace(".default.", "."): value for name, value in model.named_parameters()}
    found = [theirs[f"base_model.model.{name}.{part}"] for name in adapters.names for part in (DOWN, UP)]
    return [(value.grad if kind == "gradient" else value.detach()).T.clone() for value in found]


def loss_of(model: Any) -> tuple[Tensor, Tensor]:
    logits = logits_of(model, BATCH)
    return logits, torch.nn.functional.cross_entropy(logits.flatten(0, 1), BATCH["labels"].flatten())


@pytest.mark.parametrize("name", MODELS)
def test_the_same_tensors_have_the_same_logits_and_the_same_gradients(name: str) -> None:
    make, on, _ = MODELS[name]
    model = make()
    plain = logits_of(model, BATCH)
    ours = copy.deepcopy(model).eval()
    adapters = Adapters(ours, RANK, ALPHA)
    theirs = with_adapters(model, rank=RANK, on=on).eval()
    params = [value.requires_grad_() for value in of_peft(theirs, adapters, "value")]
    adapters.use(params)
    logits, loss = loss_of(ours)
    expected, their_loss = loss_of(theirs)
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)
    assert float((expected - plain).detach().abs().max()) > 1e-2
    their_loss.backward()
    for ours_one, theirs_one in zip(
        torch.autograd.grad(loss, params), of_peft(theirs, adapters, "gradient"), strict=True
    ):
        torch.testing.assert_close(ours_one, theirs_one, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_peft_loads_what_is_written(name: str, tmp_path: Path) -> None:
    import peft

    make, on, task = MODELS[name]
    model = make()
    ours = copy.deepcopy(model)
    adapters = Adapters(ours, RANK, ALPHA)
    params = adapters.fresh(1, torch.Generator().manual_seed(0), torch.device("cpu"))
    params = [
        value[0] + 0.3 * torch.randn(value[0].shape, generator=torch.Generator().manual_seed(1)) for value in params
    ]
    write_peft(adapters, params, tmp_path, "nowhere/tiny", task)
    adapters.use(params)
    theirs = peft.PeftModel.from_pretrained(model, tmp_path)
    torch.testing.assert_close(logits_of(theirs, BATCH), logits_of(ours, BATCH), atol=1e-5, rtol=1e-5)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["target_modules"]) == (RANK, 6, sorted(on))


@pytest.mark.parametrize("name", MODELS)
def test_adapters_begin_as_those_of_peft(name: str) -> None:
    make, on, _ = MODELS[name]
    model = make()
    adapters = Adapters(copy.deepcopy(model), RANK, ALPHA)
    theirs = of_peft(with_adapters(model, rank=RANK, on=on, spread=0), adapters, "value")
    ours = [value[0] for value in adapters.fresh(1, torch.Generator().manual_seed(0), torch.device("cpu"))]
    for number, pair in enumerate(zip(ours, theirs, strict=True)):
        assert pair[0].shape == pair[1].shape
        for one in pair:
            most = float(one.abs().max())
            assert most == 0 if number % 2 else 0.8 < most * math.sqrt(len(one)) <= 1
