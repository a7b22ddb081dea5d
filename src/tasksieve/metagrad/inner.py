"""The simulated update: optimiser rules as pure, differentiable functions of parameter dicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

Params = dict[str, Tensor]
"""Parameters, or anything shaped like them, by name."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Adam's running moments of one parameter, and how many steps they saw."""

    mean: Tensor
    square: Tensor
    steps: int


State = Mapping[str, Moments]
"""Moments by parameter name; a parameter without moments starts from zeros."""


@runtime_checkable
class InnerRule(Protocol):
    """How a simulated step moves the parameters."""

    def step(self, params: Params, gradients: Mapping[str, Tensor | None], state: State) -> tuple[Params, State]:
        """New parameters and state. A parameter whose gradient is None stays as it is, as in ``torch.optim``."""
        ...


@dataclass(frozen=True, slots=True)
class Sgd:
    r"""Plain gradient descent, :math:`θ' = θ - β g` (Eq. 7).

    Attributes:
        lr: β.
    """

    lr: float

    def step(self, params: Params, gradients: Mapping[str, Tensor | None], state: State) -> tuple[Params, State]:
        """One step; the state stays empty."""
        moved = {}
        for name, value in params.items():
            gradient = gradients[name]
            moved[name] = value if gradient is None else torch.add(value, gradient, alpha=-self.lr)
        return moved, state


@dataclass(frozen=True, slots=True)
class Adam:
    r"""Adam with a term under the root, so that its derivative exists where a gradient is zero.

    .. math:: m ← b_1 m + (1-b_1) g, \quad v ← b_2 v + (1-b_2) g^2, \quad
       θ' = θ - β \frac{m / (1-b_1^t)}{\sqrt{v / (1-b_2^t) + ε_{root}} + ε}

    Attributes:
        lr: β.
        betas: :math:`b_1, b_2`.
        eps: ε.
        eps_root: :math:`ε_{root}`; with 0 the step is exactly that of ``torch.optim.Adam``, but its derivative is
            not finite where v = 0 (as for words a batch does not use).

    Reference: Kingma & Ba, 2015.
    """

    lr: float
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    eps_root: float = 1e-12

    def step(self, params: Params, gradients: Mapping[str, Tensor | None], state: State) -> tuple[Params, State]:
        """One step."""
        moved: Params = {}
        moments = dict(state)
        for name, value in params.items():
            gradient = gradients[name]
            if gradient is None:
                moved[name] = value
                continue
            moments[name] = self._moments(gradient, state.get(name))
            moved[name] = value - self.lr * self._direction(moments[name])
        return moved, moments

    def _moments(self, gradient: Tensor, before: Moments | None) -> Moments:
        first, second = self.betas
        if before is None:
            before = Moments(torch.zeros_like(gradient), torch.zeros_like(gradient), 0)
        return Moments(
            mean=first * before.mean + (1 - first) * gradient,
            square=second * before.square + (1 - second) * gradient.square(),
            steps=before.steps + 1,
        )

    def _direction(self, moments: Moments) -> Tensor:
        first, second = self.betas
        mean = moments.mean / (1 - first**moments.steps)
        square = moments.square / (1 - second**moments.steps)
        return mean / ((square + self.eps_root).sqrt() + self.eps)


def moments_of(optimizer: torch.optim.Optimizer, params: Mapping[str, Tensor]) -> State:
    """The moments a real Adam optimiser holds, so that a simulated one starts where the real one stands.

    Args:
        optimizer: a ``torch.optim.Adam`` or ``AdamW``.
        params: the optimiser's own parameters by name.
    """
    return {
        name: Moments(state["exp_avg"], state["exp_avg_sq"], int(state["step"]))
        for name, value in params.items()
        if (state := optimizer.state.get(value))
    }
