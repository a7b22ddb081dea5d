r"""Forward mode: the derivative of θ by the weight module's parameters is carried along with θ.

For each element :math:`η_p`, with :math:`\dot θ = ∂θ_k/∂η_p` and :math:`\dot c_{k,i} = ∂c_{k,i}/∂η_p`, a step's
gradient moves by

.. math:: \dot g = \sum_i c_{k,i} ∇^2 ℓ_i \dot θ + \sum_i \dot c_{k,i} ∇ℓ_i ,

which the rule's pushforward turns into the next :math:`\dot θ`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd import forward_ad

from tasksieve.metagrad.estimators.estimator import register
from tasksieve.metagrad.inner_rule import Gradients, Params, Tangents
from tasksieve.metagrad.problem import AnyUpdate, MetaGradient
from tasksieve.metagrad.steps import Step, Unroll, Weights, unroll_of


@register("forward", few_weight_params=True)
@dataclass(frozen=True, slots=True)
class Forward:
    r"""Exact, with memory that does not grow with K: for a weight module of few parameters.

    .. math:: \frac{∂ L_P(θ_K)}{∂ η_p} = ⟨∇L_P(θ_K), \dot θ_{K,p}⟩

    Cost: K forward and backward passes and, for each of the P elements of η, K double-backward passes and a forward
    pass through the weight module. Memory: P + 1 copies of θ (three times as many with Adam), and one short graph.
    When: one weight for each group of examples, or a weight module of a few dozen parameters, over a long horizon.

    Attributes:
        limit: the largest P; a larger weight module is refused, as its copies of θ would fill the memory.

    Raises: ValueError: if the weight module has more elements than ``limit``.
    Reference: Franceschi, Donini, Frasconi & Pontil, 2017.
    """

    limit: int = 1024

    def __call__(self, update: AnyUpdate) -> MetaGradient:
        """The meta-gradient."""
        elements = sum(value.numel() for value in update.weight_params.values())
        if elements > self.limit:
            raise ValueError(
                f"forward mode keeps a copy of θ for each element of η, here {elements}, and at most {self.limit}; "
                "take another estimator, or raise the limit"
            )
        weights, columns = weights_and_columns(update)
        unroll = unroll_of(update, weights)
        params, tangents = _simulate(unroll, columns)
        losses, adjoint = unroll.meta.gradient(params)
        found = torch.zeros(elements, dtype=losses.dtype, device=losses.device)
        for name in adjoint.keys() & tangents.keys():
            found = found + tangents[name].flatten(1) @ adjoint[name].flatten()
        eta = update.weight_params
        parts = torch.split(found, [value.numel() for value in eta.values()])
        gradients = {name: part.view_as(value) for part, (name, value) in zip(parts, eta.items(), strict=True)}
        return MetaGradient(gradients, losses @ unroll.meta.factors, tuple(weights))


def weights_and_columns(update: AnyUpdate) -> tuple[list[Tensor], list[Tensor]]:
    """Each batch's weights (batch,), and their derivatives by all elements of η in turn (elements, batch).

    By forward mode where all operations of the weight module have it, else by two backward passes.
    """
    if not update.simulation.related_batches:
        return [], []
    weights_at = Weights(update)
    eta = {name: value.detach() for name, value in update.weight_params.items()}
    with torch.no_grad():
        weights = weights_at.joined(eta)
    try:
        columns = _columns_forward(weights_at.joined, eta, weights)
    except (NotImplementedError, RuntimeError):
        columns = _columns_by_backward(weights_at.joined, eta, weights)
    return weights_at.split(weights), weights_at.split(columns)


def _columns_forward(weights_at: Callable[[Params], Tensor], eta: Params, weights: Tensor) -> Tensor:
    columns = []
    for direction in _basis(eta):
        with forward_ad.dual_level():
            duals = {name: forward_ad.make_dual(value, direction[name]) for name, value in eta.items()}  # type: ignore[no-untyped-call]
            tangent: Tensor | None = forward_ad.unpack_dual(weights_at(duals)).tangent  # type: ignore[no-untyped-call]
        columns.append(torch.zeros_like(weights) if tangent is None else tangent)
    return torch.stack(columns)


def _columns_by_backward(weights_at: Callable[[Params], Tensor], eta: Params, weights: Tensor) -> Tensor:
    """The row u ↦ uᵀJ is linear in u; its derivative by u in a direction is the column."""
    leaves = {name: value.requires_grad_() for name, value in eta.items()}
    seed = torch.zeros_like(weights).requires_grad_()
    outputs = weights_at(leaves)
    if not outputs.requires_grad:
        return weights.new_zeros(sum(value.numel() for value in eta.values()), len(weights))
    found = torch.autograd.grad(
        outputs, list(leaves.values()), grad_outputs=seed, create_graph=True, materialize_grads=True
    )
    rows = [row for row in found if row.requires_grad]
    columns: list[Tensor] = []
    for direction in _basis(eta):
        along = [direction[name] for name, row in zip(leaves, found, strict=True) if row.requires_grad]
        columns += torch.autograd.grad(rows, seed, grad_outputs=along, retain_graph=True)
    return torch.stack(columns)


def _basis(eta: Params) -> Iterator[Params]:
    """For each element in turn, the direction that changes it alone."""
    for name, value in eta.items():
        for place in range(value.numel()):
            direction = {other: one.new_zeros(one.shape) for other, one in eta.items()}
            direction[name].view(-1)[place] = 1
            yield direction


def _simulate(unroll: Unroll, columns: Sequence[Tensor]) -> tuple[Params, Params]:
    """Where θ ends, and its tangents (elements, ...) by name; a name that is missing does not move.

    Args:
        unroll: the steps.
        columns: derivatives of each related batch's weights (elements, batch).
    """
    params, state, tangents = unroll.params, unroll.state, Tangents({}, {}, {})
    for step in unroll.steps:
        of_factors = None if step.number is None else columns[step.number] * step.scale
        gradients, of_gradients = _gradient_tangents(step, params, tangents.params, of_factors)
        params, state = unroll.rule.step(params, gradients, state)
        tangents = unroll.rule.pushforward(gradients, state, of_gradients, tangents)
    return params, tangents.params


def _gradient_tangents(
    step: Step, params: Params, tangents: Params, of_factors: Tensor | None
) -> tuple[Gradients, Params]:
    """A step's gradient, and its derivatives (elements, ...): one pass back through the gradient's graph for each."""
    theta = {name: value.detach().requires_grad_() for name, value in params.items()}
    losses = step.losses(theta)
    found = torch.autograd.grad(losses @ step.factors, list(theta.values()), create_graph=True, allow_unused=True)
    known = {name: value for name, value in zip(theta, found, strict=True) if value is not None}
    moving = [name for name, value in known.items() if value.requires_grad and name in tangents]
    outputs = [known[name] for name in moving] + ([] if of_factors is None else [losses])
    gradients = {name: known[name].detach() if name in known else None for name in theta}
    seeds = [tangents[name] for name in moving] + ([] if of_factors is None else [of_factors])
    if not outputs or not known:
        some = next(iter(tangents.values()), None)
        return gradients, {} if some is None else {
            name: value.new_zeros(len(some), *value.shape) for name, value in known.items()
        }
    inputs = [theta[name] for name in known]
    columns = [
        torch.autograd.grad(outputs, inputs, grad_outputs=list(seed), retain_graph=True, materialize_grads=True)
        for seed in zip(*seeds, strict=True)
    ]
    return gradients, {name: torch.stack(parts) for name, *parts in zip(known, *columns, strict=True)}
