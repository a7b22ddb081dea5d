"""What a pre-flight has to say: which operation lacks a second derivative, and what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tasksieve.metagrad.differences import second_derivatives_agree
from tasksieve.metagrad.graph import (
    Node,
    custom_nodes,
    is_custom,
    name_of,
    node_called,
    operation_in,
    place_of,
    recorded,
    without_derivative,
)
from tasksieve.metagrad.inner_rule import Params
from tasksieve.metagrad.steps import Step

FALLBACK = "finite-difference"
"""The estimator that needs no second derivative."""

_ADVICE = {
    r"(?i)scaled_?dot_?product|flash|efficient_?attention": "compute attention within "
    "torch.nn.attention.sdpa_kernel(SDPBackend.MATH)",
    r"(?i)cudnn": "run the recurrent layers within torch.backends.cudnn.flags(enabled=False)",
    r"(?i)embedding_?bag": "replace EmbeddingBag by an Embedding and a sum or mean over it",
    r"(?i)torch\.compile|CompiledFunction": "leave the model uncompiled in the simulated updates",
}


@dataclass(frozen=True, slots=True)
class Preflight:
    """What the pre-flight found.

    Attributes:
        ok: whether estimators that take second derivatives can be trusted.
        operation: which operation cannot be differentiated twice, as far as it could be found out.
        place: ``file:line`` where it is called, as far as it could be found out.
        message: what is wrong, as a sentence; empty if nothing is.
        advice: what to do about it; empty if nothing is wrong.
        fallback: the estimator to use instead; None if none can help.
        warnings: what does not stop a run but should be known: low precision, losses that are random.
        apart: ``losses`` or ``weights``, if these do not depend on their parameters, so that nothing can be learned.
        error: by how much Hessian-vector product (or slopes) and differences differ, relative; None if not compared.
    """

    ok: bool = True
    operation: str | None = None
    place: str | None = None
    message: str = ""
    advice: str = ""
    fallback: str | None = FALLBACK
    warnings: tuple[str, ...] = ()
    error: float | None = None
    apart: str | None = None


def walked(step: Step, params: Params) -> Preflight | None:
    """What the graph of the gradient says before it is gone through; operations are named best here."""
    with recorded():
        _, gradients = _with_graph(step, params)
        node = without_derivative(list(gradients.values()))
        return None if node is None else _blamed(node)


def _with_graph(step: Step, params: Params) -> tuple[Tensor, Params]:
    """Losses and gradient, both with their graphs."""
    theta = {name: value.detach().requires_grad_() for name, value in params.items()}
    losses = step.losses(theta)
    found = torch.autograd.grad(losses @ step.factors, list(theta.values()), create_graph=True, allow_unused=True)
    return losses, {name: value for name, value in zip(theta, found, strict=True) if value is not None}


def suspect(step: Step, params: Params, *, silent: bool = False) -> Preflight | None:
    """What is to blame for second derivatives that are there, but not right.

    The problem's own linearization is, if automatic differentiation of the losses gives others.

    Args:
        step, params: of the losses.
        silent: name no custom function but one that left no trace in the gradient's graph.
    """
    if step.own is not None and not second_derivatives_agree(step, params):
        return _named("problem.linearize")
    with recorded():
        losses, gradients = _with_graph(step, params)
        untraced, traced = custom_nodes(losses, list(gradients.values()))
        node = next(iter(untraced if silent else [*untraced, *traced]), None)
        return None if node is None else _blamed(node)


def wrong(step: Step, params: Params, error: float) -> Preflight:
    """That second derivatives are there, but not right: by so much, and through what."""
    found = suspect(step, params) or _named(None)
    where = "the second derivative" if found.operation is None else f"the second derivative of {_at(found)}"
    message = f"{where} is silently wrong: it differs from finite differences by {100 * error:.0f} %"
    return replace(found, message=message, error=error)


def _blamed(node: Node) -> Preflight:
    found = _named(name_of(node), place_of(node))
    mend = "write its backward pass in differentiable operations, without @once_differentiable"
    own = is_custom(node) and "CompiledFunction" not in str(found.operation)
    return replace(found, advice=f"{found.advice}, or {mend}") if own else found


def _named(operation: str | None, place: str | None = None) -> Preflight:
    advice = [f"Use the estimator '{FALLBACK}'"]
    advice += [text for pattern, text in _ADVICE.items() if operation and re.search(pattern, operation)]
    found = Preflight(ok=False, operation=operation, place=place, advice=", or ".join(advice))
    return replace(found, message=f"{_at(found)} cannot be differentiated twice")


def refused(message: str, step: Step, params: Params) -> Preflight:
    """What an error in the double backward pass says, and which line of the forward pass it speaks of."""
    found = walked(step, params)
    if found is not None:
        return found
    operation = operation_in(message)
    if operation is None:
        return replace(_named(None), message=f"the second derivative fails: {message.splitlines()[0]}")
    with recorded():
        node = node_called(step.losses({n: v.detach().requires_grad_() for n, v in params.items()}), operation)
        return _named(operation) if node is None else _named(name_of(node), place_of(node))


def _at(found: Preflight) -> str:
    return f"{found.operation}" if found.place is None else f"{found.operation} (called at {found.place})"
