"""The reference: the K updates as one graph."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tasksieve.metagrad.estimators.estimator import by_slopes, register
from tasksieve.metagrad.problem import AnyUpdate, MetaGradient
from tasksieve.metagrad.steps import Unroll


@register("unrolled")
@dataclass(frozen=True, slots=True)
class Unrolled:
    r"""Exact, by automatic differentiation of the whole simulation (Eqs. 6-14).

    .. math:: \frac{∂ L_P(θ_K)}{∂ w_{k,i}}, \quad θ_k = θ_{k-1} - β \sum_i w_{k,i} ∇ℓ_i(θ_{k-1})

    Cost: K forward, backward and double-backward passes, and one of the primary batch. Memory: K graphs, and K copies
    of θ (of its moments too, with Adam). When: as the reference that others are held against.
    """

    def __call__(self, update: AnyUpdate) -> MetaGradient:
        """The meta-gradient."""
        return by_slopes(_slopes, update)


def _slopes(unroll: Unroll) -> tuple[Tensor, dict[int, Tensor]]:
    moved, state = {name: value.requires_grad_() for name, value in unroll.params.items()}, unroll.state
    leaves: dict[int, Tensor] = {}
    for step in unroll.steps:
        factors = step.factors
        if step.number is not None:
            factors = leaves[step.number] = factors.detach().requires_grad_()
        loss = step.losses(moved) @ factors
        gradients = torch.autograd.grad(loss, list(moved.values()), create_graph=True, allow_unused=True)
        moved, state = unroll.rule.step(moved, dict(zip(moved, gradients, strict=True)), state)
    meta_loss = unroll.meta.losses(moved) @ unroll.meta.factors
    if not leaves:
        return meta_loss.detach(), {}
    found = torch.autograd.grad(meta_loss, list(leaves.values()), allow_unused=True, materialize_grads=True)
    return meta_loss.detach(), dict(zip(leaves, found, strict=True))
