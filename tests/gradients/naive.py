"""The truth: the whole unroll as one graph, written out plainly, with no code of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

B1, B2, EPS = 0.9, 0.999, 1e-8

Params = dict[str, torch.Tensor]


@dataclass(frozen=True)
class NaiveRule:
    """A step in the terms of its formula.

    Attributes:
        kind: ``sgd`` or ``adam``.
        lr: β.
        momentum: of gradient descent.
        eps_root: under Adam's root.
        decay: decoupled weight decay.
    """

    kind: str
    lr: float
    momentum: float = 0.0
    eps_root: float = 0.0
    decay: float = 0.0


def naive_meta_gradient(
    case: Any, steps: int, rule: NaiveRule, *, joint: bool = False, moments: Any = None
) -> dict[str, torch.Tensor]:
    """Backpropagate through everything at once; ``moments`` holds (m, v, t) by name, for momentum (m, None, t)."""
    eta = {name: value.detach().clone().requires_grad_() for name, value in case.weight_params.items()}
    theta = {name: value.detach().clone().requires_grad_() for name, value in case.params.items()}
    state = dict(moments or {})
    batches = case.related_batches(steps)
    weights = case.plain.example_weights(eta, batches) if steps else []
    for number in range(steps):
        if joint:
            losses = case.plain.primary_losses(theta, case.joint_batches(steps)[number])
            theta = _moved(theta, _total(losses, case.reduction), rule, state)
        losses = case.plain.related_losses(theta, batches[number])
        theta = _moved(theta, _total(weights[number] * losses, case.reduction), rule, state)
    meta_loss = _total(case.plain.primary_losses(theta, case.primary_batch), case.reduction)
    if not meta_loss.requires_grad:
        return {name: torch.zeros_like(value) for name, value in eta.items()}
    found = torch.autograd.grad(meta_loss, list(eta.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(eta, found, strict=True))


def _total(losses: torch.Tensor, reduction: str) -> torch.Tensor:
    return losses.sum() / len(losses) if reduction == "mean" else losses.sum()


def _moved(theta: Params, total: torch.Tensor, rule: NaiveRule, state: dict[str, Any]) -> Params:
    if not total.requires_grad:
        return theta
    gradients = torch.autograd.grad(total, list(theta.values()), create_graph=True, allow_unused=True)
    moved = {}
    for (name, value), gradient in zip(theta.items(), gradients, strict=True):
        if gradient is None:
            moved[name] = value
        elif rule.kind == "sgd":
            m, _, t = state.get(name, (0.0, None, 0))
            m = rule.momentum * m + gradient
            state[name] = (m, None, t + 1)
            moved[name] = value - rule.lr * m
        else:
            m, v, t = state.get(name, (0.0, 0.0, 0))
            m, v, t = B1 * m + (1 - B1) * gradient, B2 * v + (1 - B2) * gradient**2, t + 1
            state[name] = (m, v, t)
            denominator = torch.sqrt(v / (1 - B2**t) + rule.eps_root) + EPS
            moved[name] = value - rule.lr * rule.decay * value - rule.lr * (m / (1 - B1**t)) / denominator
    return moved
