"""The truth: the whole unroll as one graph, written out plainly, with no code of the engine."""

from __future__ import annotations

from typing import Any

import torch

from tests.gradients.problems import Case

B1, B2, EPS = 0.9, 0.999, 1e-8


def naive_meta_gradient(
    case: Case, steps: int, *, rule: str, lr: float, eps_root: float = 0.0, moments: Any = None
) -> dict[str, torch.Tensor]:
    """Backpropagate through everything at once; ``moments`` holds (m, v, t) by name for Adam."""
    eta = {name: value.detach().clone().requires_grad_() for name, value in case.weight_params.items()}
    theta = {name: value.detach().clone().requires_grad_() for name, value in case.params.items()}
    state = dict(moments or {})
    for number in range(steps):
        batch = case.related_batches(steps)[number]
        weights = case.problem.example_weights(eta, case.related_batches(steps))[number]
        total = (weights * case.problem.related_losses(theta, batch)).sum()
        if case.problem.reduction == "mean":
            total = total / len(weights)
        gradients = torch.autograd.grad(total, list(theta.values()), create_graph=True, allow_unused=True)
        moved = {}
        for (name, value), gradient in zip(theta.items(), gradients, strict=True):
            if gradient is None:
                moved[name] = value
            elif rule == "sgd":
                moved[name] = value - lr * gradient
            else:
                m, v, t = state.get(name, (0.0, 0.0, 0))
                m, v, t = B1 * m + (1 - B1) * gradient, B2 * v + (1 - B2) * gradient**2, t + 1
                state[name] = (m, v, t)
                denominator = torch.sqrt(v / (1 - B2**t) + eps_root) + EPS
                moved[name] = value - lr * (m / (1 - B1**t)) / denominator
        theta = moved
    losses = case.problem.primary_losses(theta, case.primary_batch)
    meta_loss = losses.mean() if case.problem.reduction == "mean" else losses.sum()
    found = torch.autograd.grad(meta_loss, list(eta.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(eta, found, strict=True))
