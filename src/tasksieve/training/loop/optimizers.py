"""The optimisers of a run: Adam, or AdamW where weights decay."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim.adam import adam
from torch.optim.adamw import adamw


def adam_of(module: nn.Module, lr: float, decay: float = 0.0) -> torch.optim.Optimizer:
    """A fresh optimiser of a module's parameters."""
    if decay:
        return torch.optim.AdamW(module.parameters(), lr=lr, weight_decay=decay, fused=True)
    return torch.optim.Adam(module.parameters(), lr=lr, fused=True)


@torch.no_grad()
def adam_step(optimizer: torch.optim.Optimizer) -> None:
    """``optimizer.step()``; from the second step on without what surrounds it, which takes as long as a small step.

    Args:
        optimizer: from :func:`adam_of`.
    """
    (group,) = optimizer.param_groups
    params = [value for value in group["params"] if value.grad is not None]
    states = [optimizer.state[value] for value in params if value in optimizer.state]
    if len(states) < len(params):
        optimizer.step()
        return
    step = adamw if isinstance(optimizer, torch.optim.AdamW) else adam
    step(
        params,
        [value.grad for value in params],
        [state["exp_avg"] for state in states],
        [state["exp_avg_sq"] for state in states],
        [],
        [state["step"] for state in states],
        fused=group["fused"],
        amsgrad=group["amsgrad"],
        beta1=group["betas"][0],
        beta2=group["betas"][1],
        lr=group["lr"],
        weight_decay=group["weight_decay"],
        eps=group["eps"],
        maximize=group["maximize"],
    )
