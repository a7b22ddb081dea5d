"""Several matching models as one, whose members are those of all: one pass and one step for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tasksieve.models.matching.model import Matching

_ACROSS = ("heard", "chosen", "of_context", "of_choice", "bias", "primary")
"""Parameters whose last dimension has the members one after the other; of all others it is the first."""


def stacked(models: Sequence[Matching]) -> Matching:
    """One model whose members are those of all models, in their order.

    Args:
        models: alike but for their parameters; at least one.
    Raises: ValueError: if they have parameters that members share, which would be shared by all of them.
    """
    first = models[0]
    if shared := "linear" if first.linear.numel() else "adapter" if first.adapter is not None else "":
        raise ValueError(f"'{shared}' is shared by all members; models with it are trained one after the other")
    config = first.config.model_copy(update={"members": sum(model.members for model in models)})
    choices = torch.nonzero(first.place >= 0).flatten()
    dim = len(first.of_choice)
    whole = Matching(config, len(first.place), choices.cpu(), dim, torch.Generator()).to(first.bias.device)
    whole.place = first.place.clone()
    with torch.no_grad():
        for name, value in whole.named_parameters():
            parts: list[Tensor] = [model.get_parameter(name) for model in models]
            if name != "linear":
                value.copy_(torch.cat(parts, dim=-1 if name in _ACROSS else 0))
    return whole.train(first.training)


def apart(whole: Matching, models: Sequence[Matching]) -> None:
    """Give each model the parameters of its part of the members."""
    with torch.no_grad():
        for name, value in whole.named_parameters():
            if name != "linear":
                for place, model in enumerate(models):
                    model.get_parameter(name).copy_(part_of(name, value, place, len(models)))


def part_of(name: str, value: Tensor, place: int, parts: int) -> Tensor:
    """What of a parameter, or of its gradient, belongs to one of several models."""
    return value.chunk(parts, dim=-1 if name in _ACROSS else 0)[place]


def norms(whole: Matching, parts: int) -> Tensor:
    """The norm of each model's gradient."""
    squares = [
        torch.stack([part_of(name, value.grad, place, parts).square().sum() for place in range(parts)])
        for name, value in whole.named_parameters()
        if value.grad is not None and value.numel()
    ]
    return torch.stack(squares).sum(dim=0).sqrt()


def scale(whole: Matching, factors: Tensor) -> None:
    """Multiply each model's gradient by a factor of its own."""
    for name, value in whole.named_parameters():
        if value.grad is not None and value.numel():
            each = torch.repeat_interleave(factors, value.shape[-1 if name in _ACROSS else 0] // len(factors))
            value.grad.mul_(each if name in _ACROSS else each.view(-1, *[1] * (value.dim() - 1)))
