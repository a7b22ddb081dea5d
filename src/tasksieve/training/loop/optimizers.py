"""The optimisers of a run: Adam, or AdamW where weights decay; parts of a module may learn at rates of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.adamw import adamw

from tasksieve.models.model import ParameterGroup, Trained

_FACTOR = "lr_factor"
"""What an optimiser's group has beside: its share of the run's step size, whatever that is at an iteration."""
_DECAY = "decoupled_decay"
"""What a group of Adagrad has beside: decoupled decay, times the step size."""


def groups_of(module: Trained) -> Sequence[ParameterGroup]:
    """A module's groups.

    Raises: ValueError: if a parameter that requires a gradient is in no group.
    """
    groups = module.parameter_groups()
    grouped = {id(value) for group in groups for value in group.parameters}
    for name, value in module.named_parameters():
        if value.requires_grad and id(value) not in grouped:
            raise ValueError(f"parameter_groups: '{name}' requires a gradient and is in no group")
    return groups


def adam_of(module: Trained, lr: float, decay: float = 0.0) -> torch.optim.Optimizer:
    """A fresh optimiser of a module's parameters that require a gradient, by groups."""
    groups: list[dict[str, Any]] = [
        {"params": list(group.parameters), "lr": lr * group.lr_factor, _FACTOR: group.lr_factor}
        for group in groups_of(module)
    ]
    if decay:
        return torch.optim.AdamW(groups, lr=lr, weight_decay=decay, fused=True)
    return torch.optim.Adam(groups, lr=lr, fused=True)


def set_lr(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Set the step size of an optimiser from :func:`adam_of`; the ratios of its groups stay."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group[_FACTOR]


def rate_of(optimizer: torch.optim.Optimizer) -> float:
    """The step size that :func:`set_lr` has set last."""
    group = optimizer.param_groups[0]
    return float(group["lr"]) / float(group[_FACTOR])


def lr_factors(optimizer: torch.optim.Optimizer) -> list[tuple[list[Tensor], float]]:
    """The parameters of each group of an optimiser from :func:`adam_of`, with its share of the step size."""
    return [(group["params"], group[_FACTOR]) for group in optimizer.param_groups]


@torch.no_grad()
def adam_step(optimizer: torch.optim.Optimizer, skip: Tensor | None = None) -> None:
    """``optimizer.step()``; from the second step on without what surrounds it, which takes as long as a small step.

    Args:
        optimizer: from :func:`adam_of`.
        skip: whether to leave parameters and moments as they are; decided where they are, without waiting.
    """
    if isinstance(optimizer, torch.optim.Adagrad):
        _adagrad_step(optimizer, skip)
        return
    unsound = None if skip is None else skip.float()
    groups = optimizer.param_groups
    with_gradient = [[value for value in group["params"] if value.grad is not None] for group in groups]
    if any(value not in optimizer.state for params in with_gradient for value in params):
        optimizer.found_inf = unsound  # type: ignore[attr-defined]  # read by torch's Adam
        optimizer.step()
        return
    step = adamw if isinstance(optimizer, torch.optim.AdamW) else adam
    for group, params in zip(groups, with_gradient, strict=True):
        if not params:
            continue
        states = [optimizer.state[value] for value in params]
        step(
            params,
            [value.grad for value in params],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=group["fused"],
            found_inf=unsound,
            amsgrad=group["amsgrad"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=group["maximize"],
        )


def adagrad_of(module: Trained, lr: float, decay: float = 0.0) -> torch.optim.Optimizer:
    """A fresh Adagrad of a module's parameters that require a gradient, by groups.

    Its decay is decoupled, as in AdamW: Adagrad's own, which is part of the gradient, would move what has no other
    one by the whole step size, however small the decay is.
    """
    groups: list[dict[str, Any]] = [
        {"params": list(group.parameters), "lr": lr * group.lr_factor, _FACTOR: group.lr_factor, _DECAY: decay}
        for group in groups_of(module)
    ]
    return torch.optim.Adagrad(groups, lr=lr)


def _adagrad_step(optimizer: torch.optim.Adagrad, skip: Tensor | None) -> None:
    """Decay, and ``optimizer.step()``; where it is to be skipped there is neither decay nor a gradient."""
    for group in optimizer.param_groups:
        share = 1 - group["lr"] * group[_DECAY]
        for value in group["params"]:
            if value.grad is None:
                continue
            if share != 1:
                value.mul_(share if skip is None else torch.where(skip, 1.0, share))
            if skip is not None:
                value.grad = torch.where(skip, 0.0, value.grad)
    optimizer.step()
