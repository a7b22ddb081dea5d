"""The memory network's compiled passes as one operation of torch, differentiable twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tasksieve.models.memory_network.passes import Backward, Forward, Layout, NetworkTensors


def compiled_network(layouts: Sequence[Layout], params: NetworkTensors) -> tuple[Tensor, ...]:
    """For each batch the body's states after the last hop (batch × d), or the right candidates' losses (batch,).

    Args:
        layouts: of the batches; they say which of the two.
        params: with candidates for losses, without for states.
    Raises: IndexError: if losses are wanted and the right response of an example is none of its choices.
    """
    out: tuple[Tensor, ...] = _Network.apply(*params.parts, layouts)  # type: ignore[no-untyped-call]
    return out


class _Network(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[Tensor, ...]:
        *parts, layouts = arguments
        ctx.save_for_backward(*parts)
        params = NetworkTensors(*parts).plain()
        passed: list[tuple[Forward, Tensor]] = [layout.forward(params) for layout in layouts]
        ctx.passed = [forward for forward, _ in passed]
        return tuple(out for _, out in passed)

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> tuple[Tensor | None, ...]:
        found = _NetworkGradient.apply(*ctx.saved_tensors, ctx.passed, *cotangents)  # type: ignore[no-untyped-call]
        return (*found, None)


class _NetworkGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[Tensor | None, ...]:
        passed: list[Forward] = arguments[3]
        gradients = passed[0].like.zeros()
        pairs = zip(passed, arguments[4:], strict=True)
        ctx.passed = [forward.backward(cotangents.detach(), gradients) for forward, cotangents in pairs]
        parts: tuple[Tensor | None, ...] = gradients.parts
        return parts

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *direction: Any) -> tuple[Tensor | None, ...]:
        passed: list[Backward] = ctx.passed
        along = NetworkTensors(*direction).plain()
        gradients = along.zeros()
        slopes = [backward.second(along, gradients) for backward in passed]
        return (*gradients.parts, None, *slopes)
