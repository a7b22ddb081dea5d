"""From vectors of tokens to one of the sentence, as an encoder's own configuration says.

The files are those of sentence-transformers: ``modules.json`` names the steps after the transformer. Vectors of
tokens are those of sentences of one length, without padding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from tasksieve.encoding.sentences.folders import refuse_pickles, settings_of
from tasksieve.errors import UserError

Step = Callable[[Tensor], Tensor]

_SETTINGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""What older files call the kinds of pooling, in the order in which several are put one after the other."""
_ACTIVATIONS: Mapping[str, Step] = {
    "Identity": lambda rows: rows,
    "Tanh": torch.tanh,
    "ReLU": torch.relu,
    "GELU": functional.gelu,
    "Sigmoid": torch.sigmoid,
}


def _cls(tokens: Tensor) -> Tensor:
    return tokens[:, 0]


def _max(tokens: Tensor) -> Tensor:
    return tokens.amax(dim=1)


def _mean(tokens: Tensor) -> Tensor:
    return tokens.mean(dim=1)


def _mean_sqrt_len(tokens: Tensor) -> Tensor:
    return tokens.sum(dim=1) / math.sqrt(tokens.shape[1])


def _weighted_mean(tokens: Tensor) -> Tensor:
    weights = torch.arange(1, tokens.shape[1] + 1, device=tokens.device, dtype=tokens.dtype)[:, None]
    weighted: Tensor = (tokens * weights).sum(dim=1) / weights.sum()
    return weighted


def _last(tokens: Tensor) -> Tensor:
    return tokens[:, -1]


KINDS: Mapping[str, Step] = {
    "cls": _cls,
    "max": _max,
    "mean": _mean,
    "mean_sqrt_len_tokens": _mean_sqrt_len,
    "weightedmean": _weighted_mean,
    "lasttoken": _last,
}
"""From vectors of tokens (sentences × tokens × dim) to one a sentence, by name."""


@dataclass(frozen=True, slots=True)
class Pooling:
    """The steps after the transformer.

    Attributes:
        kinds: names in :data:`KINDS`; what several give is put one after the other.
        steps: what is done with the result, in their order.
        dim: length of the vectors in the end.
    """

    kinds: tuple[str, ...]
    steps: tuple[Step, ...]
    dim: int

    def __call__(self, tokens: Float[Tensor, "sentences tokens hidden"]) -> Float[Tensor, "sentences dim"]:
        """One vector for each sentence."""
        rows = torch.cat([KINDS[kind](tokens) for kind in self.kinds], dim=1)
        for step in self.steps:
            rows = step(rows)
        return rows


def pooling_of(folder: Path, modules: list[tuple[str, Path]], hidden: int) -> Pooling:
    """What is done with the vectors of tokens.

    Args:
        folder: of the encoder.
        modules: kind and folder of each step after the transformer; empty if the encoder does not say, which means
            the mean.
        hidden: length of the vectors of tokens.
    Raises: UserError: if a step is of a kind that is not known, or its files are damaged.
    """
    if not modules:
        return Pooling(("mean",), (), hidden)
    if modules[0][0] != "Pooling":
        raise UserError(f"has {modules[0][0]} after its transformer; only Pooling is known there", folder)
    kinds = _kinds(modules[0][1])
    steps: list[Step] = []
    dim = len(kinds) * hidden
    for kind, place in modules[1:]:
        if kind == "Normalize":
            steps.append(lambda rows: functional.normalize(rows, dim=1))
        elif kind == "Dense":
            step, dim = _dense(place, dim)
            steps.append(step)
        else:
            raise UserError(f"has a step {kind}, which is not known; Pooling, Dense and Normalize are", folder)
    return Pooling(kinds, tuple(steps), dim)


def _kinds(folder: Path) -> tuple[str, ...]:
    path = folder / "config.json"
    settings = settings_of(path)
    named = settings.get("pooling_mode") or [kind for key, kind in _SETTINGS.items() if settings.get(key)] or "mean"
    kinds = (named,) if isinstance(named, str) else tuple(map(str, named))
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise UserError(f"pools by {unknown[0]}, which is not known; {', '.join(KINDS)} are", path)
    return kinds


def _dense(folder: Path, size: int) -> tuple[Step, int]:
    """A linear layer with an activation, and how long its results are."""
    path = folder / "config.json"
    settings = settings_of(path)
    activation = str(settings.get("activation_function", "Tanh")).rpartition(".")[2]
    whole = settings.get("module_input_name", "sentence_embedding") == "sentence_embedding"
    if activation not in _ACTIVATIONS or settings.get("use_residual") or not whole:
        raise UserError(f"is a Dense step of a kind that is not known (activation {activation})", path)
    refuse_pickles(folder)
    try:
        weights = load_file(folder / "model.safetensors")
        weight, bias = weights["linear.weight"].float(), weights.get("linear.bias")
    except (OSError, SafetensorError, KeyError) as error:
        raise UserError(f"has no sound model.safetensors with linear.weight ({error})", folder) from None
    if weight.ndim != 2 or weight.shape[1] != size or (bias is not None and bias.shape != weight.shape[:1]):
        raise UserError(f"has weights of shape {tuple(weight.shape)} for vectors of {size} numbers", folder)
    return _Linear(weight, None if bias is None else bias.float(), _ACTIVATIONS[activation]), len(weight)


@dataclass(frozen=True, slots=True, eq=False)
class _Linear:
    weight: Tensor
    bias: Tensor | None
    activation: Step

    def __call__(self, rows: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias.to(rows)
        return self.activation(functional.linear(rows, self.weight.to(rows), bias))
