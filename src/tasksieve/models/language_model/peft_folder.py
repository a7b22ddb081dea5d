"""Adapters as a folder that peft reads, and with it every tool that takes LoRA: its names, its shapes, its settings.

What goes down is ``lora_A.weight``, rank × input, and what goes up ``lora_B.weight``, output × rank: here both are
the other way round, for rows are multiplied from the left. The scale is α/r in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from tasksieve.models.language_model.adapters import Adapters
from tasksieve.records.files import write_json, write_whole

CONFIG, TENSORS = "adapter_config.json", "adapter_model.safetensors"
DOWN, UP = "lora_A.weight", "lora_B.weight"
_PREFIX = "base_model.model"


def peft_tensors(adapters: Adapters, params: Sequence[Tensor]) -> dict[str, Tensor]:
    """One set of adapters under peft's names.

    Args:
        adapters: the adapted maps.
        params: of each map what goes down, input × rank, and what goes up, rank × output, in the order of the maps.
    """
    found = {}
    for number, name in enumerate(adapters.names):
        for kind, value in ((DOWN, params[2 * number]), (UP, params[2 * number + 1])):
            found[f"{_PREFIX}.{name}.{kind}"] = value.detach().cpu().t().contiguous()
    return found


def peft_config(adapters: Adapters, base: str, task: str = "CAUSAL_LM") -> dict[str, Any]:
    """What peft is to know of adapters.

    Args:
        adapters: the adapted maps.
        base: the pretrained model as it is asked for.
        task: as peft calls it.
    """
    alpha = adapters.alpha
    return {
        "base_model_name_or_path": base,
        "bias": "none",
        "fan_in_fan_out": adapters.turned,
        "inference_mode": True,
        "init_lora_weights": True,
        "lora_alpha": int(alpha) if alpha == int(alpha) else alpha,
        "lora_dropout": 0.0,
        "peft_type": "LORA",
        "r": adapters.rank,
        "target_modules": sorted({name.rpartition(".")[2] for name in adapters.names}),
        "task_type": task,
    }


def write_peft(
    adapters: Adapters, params: Sequence[Tensor], folder: Path, base: str, task: str = "CAUSAL_LM"
) -> None:
    """Write one set of adapters for ``peft.PeftModel.from_pretrained``.

    Args:
        adapters, params: as :func:`peft_tensors` has them.
        folder: made if it is not there.
        base, task: as :func:`peft_config` has them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = peft_tensors(adapters, params)
    write_whole(folder / TENSORS, partial(save_file, tensors, metadata={"format": "pt"}))
    write_json(folder / CONFIG, peft_config(adapters, base, task))
