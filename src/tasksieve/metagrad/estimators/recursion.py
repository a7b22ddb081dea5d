r"""The adjoint recursion: simulated steps taken forward, and gone back over.

With the real steps :math:`θ_k` simulated forward, :math:`λ_K = ∇L_P(θ_K)` is carried back through them:

.. math:: \frac{∂ L_P}{∂ c_{k,i}} = ⟨μ_k, ∇ℓ_i(θ_{k-1})⟩, \qquad λ_{k-1} = λ_k + H_k μ_k, \qquad
   H_k = \sum_i c_{k,i} ∇^2 ℓ_i(θ_{k-1}),

where :math:`μ_k` is the cotangent of the step's gradient: :math:`-β λ_k` for gradient descent, and the transpose of
the step's derivative for any other rule.

For plain gradient descent, and where the model can add derivatives to tensors that are there, one θ and one λ are
changed in place: with the factors :math:`-β c_i` instead of :math:`c_i`, a step adds its "gradient" to θ, and the way
back over it adds to λ its Hessian-vector product along λ.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeGuard

import torch
from torch import Tensor

from tasksieve.contracts import InPlace, Linearization
from tasksieve.metagrad.automatic_differentiation import AutogradLinearization
from tasksieve.metagrad.estimators.estimator import Slopes, moved_by
from tasksieve.metagrad.inner_rule import Cotangents, Gradients, InnerRule, Params, State
from tasksieve.metagrad.rules import Sgd
from tasksieve.metagrad.steps import Step, Unroll

Linearize = Callable[[Step, Params], Linearization]


def recursion(linearize: Linearize, every: int | None = None) -> Slopes:
    """The slopes by the recursion, with all steps kept, or with checkpoints of θ every so many.

    Args:
        linearize: how a step's losses are differentiated.
        every: steps between checkpoints; None to keep all steps.
    """

    return functools.partial(_slopes, linearize, every)


def _slopes(linearize: Linearize, every: int | None, unroll: Unroll) -> tuple[Tensor, dict[int, Tensor]]:
    steps, params, state = unroll.steps, unroll.params, unroll.state
    size = every or max(1, len(steps))
    segments = [steps[first : first + size] for first in range(0, len(steps), size)]
    starts = []
    for segment in segments[:-1]:
        starts.append((params, state))
        params, state = moved_by(segment, unroll.rule, params, state)
    tape = Tape(linearize, unroll.rule)
    if segments:
        params = tape.forward(segments[-1], params, state)
    losses, adjoint = unroll.meta.gradient(params)
    cotangents = Cotangents(adjoint, {}, {})
    found: dict[int, Tensor] = {}
    cotangents = tape.backward(cotangents, found, first=not starts)
    while starts:
        params, state = starts.pop()
        tape.forward(segments[len(starts)], params, state)
        cotangents = tape.backward(cotangents, found, first=not starts)
    return losses @ unroll.meta.factors, found


def once(step: Step, params: Params) -> Linearization:
    """A step's linearization that is asked for second derivatives once, which lets its graph go on the way."""
    linear = step.linearize(params)
    if isinstance(linear, AutogradLinearization):
        linear.again = False
    return linear


@dataclass(frozen=True, slots=True)
class _InPlace:
    """A step whose gradient was added to θ itself."""

    step: Step
    linear: InPlace
    params: Params


@dataclass(frozen=True, slots=True)
class _Apart:
    """A step that left the θ before it as it was."""

    step: Step
    linear: Linearization
    gradients: Gradients
    after: State


class Tape:
    """The steps of a simulation, or of a part of it.

    Args:
        linearize: how a step's losses are differentiated.
        rule: of the steps.
    """

    def __init__(self, linearize: Linearize, rule: InnerRule) -> None:
        self._linearize, self._rule = linearize, rule
        self._descent = rule.lr if isinstance(rule, Sgd) and not rule.momentum else None
        self._taken: list[_InPlace | _Apart] = []

    def forward(self, steps: Sequence[Step], params: Params, state: State) -> Params:
        """Take the steps; returns where they end. What is given is left as it is."""
        mine = False  # whether nothing else holds this θ
        for step in steps:
            linear = self._linearize(step, params)
            if self._descent is not None and _adds_in_place(linear):
                params, mine = params if mine else _copies(params, params), True
                linear.add_gradient(step.factors * -self._descent, params)
                self._taken.append(_InPlace(step, linear, params))
            else:
                gradients, mine = linear.gradient(step.factors), False
                params, state = self._rule.step(params, gradients, state)
                self._taken.append(_Apart(step, linear, gradients, state))
        return params

    def backward(self, cotangents: Cotangents, found: dict[int, Tensor], first: bool) -> Cotangents:
        """Go back over the steps, freeing each; slopes by batch go to ``found``.

        Before the ``first`` steps of all there is nothing: the last product is left out.
        """
        mine = False
        while self._taken:
            taken = self._taken.pop()
            last = first and not self._taken
            if isinstance(taken, _InPlace):
                along = cotangents.params if mine else _copies(cotangents.params, taken.params)
                cotangents, mine = Cotangents(along, cotangents.means, cotangents.squares), True
                slopes = self._back_in_place(taken, along, last)
            else:
                slopes, cotangents = self._back(taken, cotangents, last)
                mine = False
            if taken.step.number is not None:
                found[taken.step.number] = slopes
        return cotangents

    def _back_in_place(self, taken: _InPlace, along: Params, last: bool) -> Tensor:
        assert self._descent is not None
        slopes = taken.linear.slopes(along) if last else taken.linear.add_second(along, along)
        return slopes * -self._descent

    def _back(self, taken: _Apart, cotangents: Cotangents, last: bool) -> tuple[Tensor, Cotangents]:
        directions, cotangents = self._rule.pullback(taken.gradients, taken.after, cotangents)
        products: Params = {}
        if last:
            slopes = taken.linear.slopes(directions)
        else:
            slopes, products = taken.linear.second(directions)
        params = _sum(cotangents.params, products)
        return slopes, Cotangents(params, cotangents.means, cotangents.squares)


class _Adds(Linearization, InPlace, Protocol):
    """A linearization that can add its results to tensors that are there."""


def _adds_in_place(linear: Linearization) -> TypeGuard[_Adds]:
    return _kind_adds(type(linear))


@functools.cache
def _kind_adds(kind: type) -> bool:
    """Cached, since asking a protocol takes as long as a small step."""
    return issubclass(kind, InPlace)


def _copies(values: Params, like: Params) -> Params:
    """Copies in one piece, to be changed in place; zeros for what is missing."""
    return {
        name: values[name].clone(memory_format=torch.contiguous_format)
        if name in values
        else torch.zeros_like(value, memory_format=torch.contiguous_format)
        for name, value in like.items()
    }


def _sum(first: Params, second: Params) -> Params:
    total = dict(first)
    for name, value in second.items():
        total[name] = total[name] + value if name in total else value
    return total
