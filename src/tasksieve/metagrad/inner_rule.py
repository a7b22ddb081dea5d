"""The simulated update: optimiser rules as pure functions of parameter dicts, and the pullback of one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

Params = dict[str, Tensor]
"""Parameters, or anything shaped like them, by name."""

Gradients = Mapping[str, Tensor | None]
"""Gradients by the parameter's name; None where a loss does not depend on it."""


@dataclass(frozen=True, slots=True)
class Moments:
    """An optimiser's running moments of one parameter, and how many steps they saw.

    Attributes:
        mean: Adam's first moment, or the momentum buffer of SGD.
        square: Adam's second moment; None for SGD.
        steps: updates so far; as a number in double precision where it is, if that is not the CPU, which would wait.
    """

    mean: Tensor
    square: Tensor | None
    steps: int | Tensor


State = Mapping[str, Moments]
"""Moments by parameter name; a parameter without moments starts from zeros."""


@dataclass(frozen=True, slots=True)
class Cotangents:
    """What a pullback carries from step to step: cotangents of the parameters and of their moments.

    Attributes:
        params: λ, by name.
        means, squares: cotangents of the moments; a name that is missing stands for zeros.
    """

    params: Params
    means: Params
    squares: Params


@dataclass(frozen=True, slots=True)
class Tangents:
    """What a pushforward carries from step to step: derivatives of the parameters and of their moments.

    Each may have a dimension more in front than the parameter, for several directions at once.

    Attributes:
        params: θ̇, by name.
        means, squares: tangents of the moments; a name that is missing stands for zeros, in ``params`` too.
    """

    params: Params
    means: Params
    squares: Params


@runtime_checkable
class InnerRule(Protocol):
    """How a simulated step moves the parameters."""

    def step(self, params: Params, gradients: Gradients, state: State) -> tuple[Params, State]:
        """New parameters and state. A parameter whose gradient is None stays as it is, as in ``torch.optim``."""
        ...

    def pullback(self, gradients: Gradients, after: State, cotangents: Cotangents) -> tuple[Params, Cotangents]:
        """The transpose of a step's derivative.

        Args:
            gradients: what the step was given.
            after: the state it returned.
            cotangents: of what it returned.
        Returns: cotangents of the gradients (names without a gradient are left out), and of the parameters and
            moments before the step, not counting what goes through the gradients.
        """
        ...

    def pushforward(self, gradients: Gradients, after: State, of_gradients: Params, tangents: Tangents) -> Tangents:
        """A step's derivative in a direction, or in several.

        Args:
            gradients: what the step was given.
            after: the state it returned.
            of_gradients: tangents of the gradients, of each name that has one.
            tangents: of the parameters and moments before the step.
        Returns: tangents of what the step returned.
        """
        ...

    def preconditioner(self, params: Params, state: State) -> Params:
        """How far a step moves each parameter, against a gradient of 1 that stays the same from step to step.

        Args:
            params: their shapes.
            state: after some steps; a parameter that never had a gradient is left out or 0.
        """
        ...


def moments_of(optimizer: torch.optim.Optimizer, params: Mapping[str, Tensor]) -> State:
    """The moments a real optimiser holds, so that a simulated one starts where the real one stands.

    Args:
        optimizer: a ``torch.optim.Adam``, ``AdamW`` or ``SGD``.
        params: the optimiser's own parameters by name.
    """
    found = {}
    for name, value in params.items():
        state = optimizer.state.get(value) or {}
        if "exp_avg" in state:
            steps = state["step"]
            counted = int(steps) if steps.device.type == "cpu" else steps.double()
            found[name] = Moments(state["exp_avg"], state["exp_avg_sq"], counted)
        elif state.get("momentum_buffer") is not None:
            found[name] = Moments(state["momentum_buffer"], None, 1)
    return found
