r"""Inner products of contexts with the choices that each is offered, without a copy of the choices' vectors.

With :math:`c_i` the vector of a context and :math:`r_{n(i, j)}` that of its j-th choice, a constant, the products are
:math:`s_{ij} = c_i \cdot r_{n(i, j)}`. Their transpose adds up the choices' vectors,
:math:`\sum_j g_{ij} r_{n(i, j)}`; both are linear, so each is the derivative of the other and any order of derivative
is exact.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.kernels import batch_kernels


def inner_products(
    states: Float[Tensor, "batch dim"], rows: Float[Tensor, "choices dim"], numbers: Int[Tensor, "batch most"]
) -> Float[Tensor, "batch most"]:
    """The inner product of each state with each of its choices; differentiable by the states, to any order.

    Args:
        states: a vector an example.
        rows: a constant vector a choice.
        numbers: of the choices of each example, all of them in ``rows``.
    """
    if states.device.type != "cpu" or rows.dtype != states.dtype:
        return (rows[numbers].to(states.dtype) @ states[:, :, None])[:, :, 0]
    found: Tensor = _Products.apply(states, (rows, numbers))  # type: ignore[no-untyped-call]
    return found


def _products(states: Tensor, rows: Tensor, numbers: Tensor) -> Tensor:
    """By compiled code, or by what torch finds the gradient of :func:`_sums` with."""
    (batch, most), dim = numbers.shape, states.shape[1]
    kernels = batch_kernels() if rows.dtype == torch.float32 and rows.is_contiguous() else None
    if kernels is not None:
        states, numbers, found = states.contiguous(), numbers.contiguous(), states.new_empty(batch, most)
        pointers = [tensor.data_ptr() for tensor in (states, rows, numbers, found)]
        kernels.inner_products(batch, most, dim, *pointers)
        return found
    starts = torch.arange(batch) * most
    owners = torch.arange(batch).repeat_interleave(most)
    places = numbers.flatten(), starts, owners
    products: Tensor = _backward_of_sums(states.contiguous(), rows, *places, 0)
    return products.view(batch, most)


_backward_of_sums: Any = torch.ops.aten._embedding_bag_per_sample_weights_backward


def _sums(weights: Tensor, rows: Tensor, numbers: Tensor) -> Tensor:
    batch, most = numbers.shape
    starts = torch.arange(batch) * most
    return torch.embedding_bag(rows, numbers.flatten(), starts, per_sample_weights=weights.flatten())[0]


class _Products(torch.autograd.Function):
    """Rows and numbers come as one, so that nobody fills in zeros for what the rows change by."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, constant: tuple[Tensor, Tensor]) -> Tensor:
        ctx.constant = constant
        return _products(states, *constant)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Sums.apply(gradient, ctx.constant), None  # type: ignore[no-untyped-call]

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: None) -> Tensor:
        return _products(tangent, *ctx.constant)


class _Sums(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: Tensor, constant: tuple[Tensor, Tensor]) -> Tensor:
        ctx.constant = constant
        return _sums(weights, *constant)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Products.apply(gradient, ctx.constant), None  # type: ignore[no-untyped-call]

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: None) -> Tensor:
        return _sums(tangent, *ctx.constant)
