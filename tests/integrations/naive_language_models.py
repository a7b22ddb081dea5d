"""The truth: simulated steps of adapters as one graph, written out plainly, with nothing of the package."""

from __future__ import annotations

from typing import Any

import torch
from torch.func import functional_call
from torch.nn import functional

Params = dict[str, torch.Tensor]


def naive_meta_gradient(
    model: Any, module: Any, related: list[Any], primary: Any, *, lr: float, adam: Any = None
) -> tuple[Params, torch.Tensor]:
    """By backpropagation through everything at once.

    Args:
        model: with attention of plain operations, in double precision.
        module: a batch to a logit a unit.
        related, primary: batches.
        lr: of the steps.
        adam: moments (m, v, t) by name; None for gradient descent.
    Returns: the meta-gradient and the meta-loss.
    """
    eta = {name: value.detach().clone().requires_grad_() for name, value in module.named_parameters()}
    theta = {
        name: value.detach().clone().requires_grad_()
        for name, value in model.named_parameters()
        if value.requires_grad
    }
    state = dict(adam or {})
    for batch in related:
        logits = functional_call(module, eta, (batch,))
        weights = torch.where(batch["groups"] < 0, torch.ones_like(logits), 1 / (1 + torch.exp(-logits)))
        losses, counts = per_unit(model, theta, batch)
        loss = (weights * losses).sum() / (weights * counts).sum()
        gradients = torch.autograd.grad(loss, list(theta.values()), create_graph=True)
        theta = {
            name: _moved(name, value, gradient, lr, state, adam is not None)
            for (name, value), gradient in zip(theta.items(), gradients, strict=True)
        }
    losses, counts = per_unit(model, theta, primary)
    meta_loss = losses.sum() / counts.sum()
    found = torch.autograd.grad(meta_loss, list(eta.values()))
    return dict(zip(eta, found, strict=True)), meta_loss.detach()


def per_unit(model: Any, theta: Params, batch: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Summed losses and numbers of labels, by loops over rows and places."""
    labels, units = batch["labels"], batch["units"]
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "position_ids") if name in batch}
    if model.config.is_encoder_decoder:
        logits = functional_call(model, theta, (), {**inputs, "labels": labels}).logits
        ahead = 0
    else:
        logits = functional_call(model, theta, (), {**inputs, "use_cache": False}).logits
        ahead = 1
    losses: list[Any] = [0.0] * len(batch["groups"])
    counts = torch.zeros(len(batch["groups"]), dtype=logits.dtype)
    for row in range(len(labels)):
        for place in range(ahead, labels.shape[1]):
            if labels[row, place] >= 0 and batch["token_weights"][row, place] > 0:
                unit, weight = int(units[row, place]), float(batch["token_weights"][row, place])
                chances = functional.log_softmax(logits[row, place - ahead], dim=-1)
                losses[unit] = losses[unit] - weight * chances[labels[row, place]]
                counts[unit] += weight
    return torch.stack([torch.as_tensor(loss, dtype=logits.dtype) for loss in losses]), counts


def _moved(
    name: str, value: torch.Tensor, gradient: torch.Tensor, lr: float, state: dict[str, Any], adam: bool
) -> torch.Tensor:
    if not adam:
        return value - lr * gradient
    mean, square, steps = state[name]
    mean, square, steps = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2, steps + 1
    state[name] = mean, square, steps
    root = torch.sqrt(square / (1 - 0.999**steps) + 1e-12) + 1e-8
    return value - lr * mean / (1 - 0.9**steps) / root
