r"""The hops of the memory network as one operation, with its first and second derivative worked out by hand.

Over the distinct sentences E of a batch (U × d), with :math:`N` the log counts (how often a sentence is a memory of
each example) and :math:`u_0` the queries (B × d), each hop does

.. math:: P = \mathrm{softmax}(u E^\top + N), \qquad o = P E, \qquad u' = o + u H .

*First derivative.* With :math:`g` the cotangent of :math:`u'` and :math:`r = \mathrm{rowsum}(g ∘ o)`, which equals
:math:`\mathrm{rowsum}(P ∘ g E^\top)`,

.. math:: G = P ∘ (g E^\top - r), \quad \bar u = g H^\top + G E, \quad
   \bar E \mathrel{+}= P^\top g + G^\top u, \quad \bar H \mathrel{+}= u^\top g .

*Second derivative.* The map from :math:`(E, H, u_0, g)` to :math:`(\bar E, \bar H, \bar u_0)` has, for cotangents
:math:`(\dot E, \dot H, \dot u_0)`, the product :math:`⟨g, \dot u_h⟩`, where :math:`\dot u_h` is the derivative of the
hops in the direction of those cotangents (Pearlmutter, 1994). Its gradient is found by differentiating both passes
above in that direction: first :math:`\dot u` forward, then the dotted cotangents backward, from zero.

The same hops written with torch operations are :func:`composed_hops`; tests compare the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable


def hops(
    sentences: Float[Tensor, "sentences dim"],
    transform: Float[Tensor, "dim dim"],
    queries: Float[Tensor, "batch dim"],
    log_counts: Float[Tensor, "batch sentences"],
    count: int,
) -> Float[Tensor, "batch dim"]:
    """Attend ``count`` times; differentiable twice, with a handful of matrix products for each derivative.

    Args:
        sentences: E.
        transform: H.
        queries: u before the first hop.
        log_counts: N, a constant; -inf where a sentence is no memory of an example.
        count: number of hops.
    Returns: u after the last hop.
    """
    state: Tensor = _Hops.apply(sentences, transform, queries, log_counts, count)  # type: ignore[no-untyped-call]
    return state


def composed_hops(
    sentences: Float[Tensor, "sentences dim"],
    transform: Float[Tensor, "dim dim"],
    queries: Float[Tensor, "batch dim"],
    log_counts: Float[Tensor, "batch sentences"],
    count: int,
    transforms_state: bool = True,
) -> Float[Tensor, "batch dim"]:
    """The same with torch operations; ``transforms_state=False`` applies H to what was attended to instead."""
    state = queries
    for _ in range(count):
        attended = torch.softmax(torch.addmm(log_counts, state, sentences.T), dim=1) @ sentences
        state = next_state(state, attended, transform, transforms_state)
    return state


def next_state(
    state: Float[Tensor, "batch dim"],
    attended: Float[Tensor, "batch dim"],
    transform: Float[Tensor, "dim dim"],
    transforms_state: bool,
) -> Float[Tensor, "batch dim"]:
    """The end of a hop: o + u H, or u + o H."""
    if transforms_state:
        return torch.addmm(attended, state, transform)
    return torch.addmm(state, attended, transform)


@dataclass(slots=True)
class _Trace:
    """What a pass leaves for the next one, one entry a hop: u, P, o; then, last hop first, g, gEᵀ - r, G."""

    states: list[Tensor] = field(default_factory=list)
    attention: list[Tensor] = field(default_factory=list)
    attended: list[Tensor] = field(default_factory=list)
    cotangents: list[Tensor] = field(default_factory=list)
    centred: list[Tensor] = field(default_factory=list)
    score_cotangents: list[Tensor] = field(default_factory=list)


class _Hops(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, sentences: Tensor, transform: Tensor, queries: Tensor, log_counts: Tensor, count: int
    ) -> Tensor:
        trace, state = _Trace(), queries
        for _ in range(count):
            attention = torch.softmax(torch.addmm(log_counts, state, sentences.T), dim=1)
            attended = attention @ sentences
            trace.states.append(state)
            trace.attention.append(attention)
            trace.attended.append(attended)
            state = torch.addmm(attended, state, transform)
        ctx.save_for_backward(sentences, transform, queries)
        ctx.trace = trace
        return state

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        first = _HopsGradient.apply(*ctx.saved_tensors, gradient, ctx.trace)  # type: ignore[no-untyped-call]
        return (*first, None, None)


class _HopsGradient(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, sentences: Tensor, transform: Tensor, queries: Tensor, gradient: Tensor, forward: _Trace
    ) -> tuple[Tensor, Tensor, Tensor]:
        trace = _Trace(forward.states, forward.attention, forward.attended)
        of_sentences, of_transform = torch.zeros_like(sentences), torch.zeros_like(transform)
        cotangent = gradient
        for state, attention, attended in _backward(trace.states, trace.attention, trace.attended):
            centred = cotangent @ sentences.T
            centred.sub_((cotangent * attended).sum(dim=1, keepdim=True))
            of_scores = attention * centred
            of_sentences.addmm_(attention.T, cotangent).addmm_(of_scores.T, state)
            of_transform.addmm_(state.T, cotangent)
            trace.cotangents.append(cotangent)
            trace.centred.append(centred)
            trace.score_cotangents.append(of_scores)
            cotangent = torch.addmm(cotangent @ transform.T, of_scores, sentences)
        ctx.save_for_backward(sentences, transform)
        ctx.trace = trace
        return of_sentences, of_transform, cotangent

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_sentences: Tensor, d_transform: Tensor, d_queries: Tensor) -> tuple[Tensor | None, ...]:
        sentences, transform = ctx.saved_tensors
        return (*_second_derivative(ctx.trace, sentences, transform, d_sentences, d_transform, d_queries), None)


def _second_derivative(
    trace: _Trace, sentences: Tensor, transform: Tensor, d_sentences: Tensor, d_transform: Tensor, d_queries: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Cotangents of E, H, u_0 and g, for a direction; names led by ``d_`` are dotted."""
    d_states, d_attention, d_attended, d_state = [], [], [], d_queries
    for state, attention in zip(trace.states, trace.attention, strict=True):
        d_scores = torch.addmm(d_state @ sentences.T, state, d_sentences.T)
        d_p = attention * d_scores
        d_p = torch.addcmul(d_p, attention, d_p.sum(dim=1, keepdim=True), value=-1)
        d_o = torch.addmm(d_p @ sentences, attention, d_sentences)
        d_states.append(d_state)
        d_attention.append(d_p)
        d_attended.append(d_o)
        d_state = torch.addmm(torch.addmm(d_o, d_state, transform), state, d_transform)
    of_sentences, of_transform = torch.zeros_like(sentences), torch.zeros_like(transform)
    d_cotangent = torch.zeros_like(d_queries)
    count = len(trace.states)
    for place, (cotangent, centred, of_scores) in enumerate(
        zip(trace.cotangents, trace.centred, trace.score_cotangents, strict=True)
    ):
        hop = count - 1 - place
        state, attention, attended = trace.states[hop], trace.attention[hop], trace.attended[hop]
        d_centred = torch.addmm(d_cotangent @ sentences.T, cotangent, d_sentences.T)
        d_centred.sub_((d_cotangent * attended + cotangent * d_attended[hop]).sum(dim=1, keepdim=True))
        d_of_scores = torch.addcmul(d_attention[hop] * centred, attention, d_centred)
        of_sentences.addmm_(d_attention[hop].T, cotangent).addmm_(attention.T, d_cotangent)
        of_sentences.addmm_(d_of_scores.T, state).addmm_(of_scores.T, d_states[hop])
        of_transform.addmm_(d_states[hop].T, cotangent).addmm_(state.T, d_cotangent)
        d_cotangent = torch.addmm(d_cotangent @ transform.T, cotangent, d_transform.T)
        d_cotangent.addmm_(d_of_scores, sentences).addmm_(of_scores, d_sentences)
    return of_sentences, of_transform, d_cotangent, d_state


def _backward(*lists: list[Tensor]) -> Any:
    """The entries of several lists together, last first."""
    return zip(*(reversed(entries) for entries in lists), strict=True)
