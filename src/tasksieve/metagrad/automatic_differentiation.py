r"""Linearizations by automatic differentiation: reverse over reverse, and forward over reverse.

With factors :math:`c_i` and a direction :math:`v`, an adjoint step needs :math:`\sum_i c_i ∇ℓ_i`, the
Hessian-vector product :math:`\sum_i c_i ∇^2 ℓ_i v` and the slopes :math:`⟨∇ℓ_i, v⟩`. The last two are the derivatives
of :math:`⟨\sum_i c_i ∇ℓ_i, v⟩` by θ and by :math:`c_i`, so that one double-backward pass gives both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.autograd import forward_ad

from tasksieve.metagrad.inner_rule import Gradients, Params


class AutogradLinearization:
    """By automatic differentiation: forward, backward with a graph, and a backward pass through that.

    Args:
        losses: params to per-example losses, twice differentiable.
        params: θ.

    Attributes:
        again: whether :meth:`second` and :meth:`slopes` may be asked for more than once; if not, the graph is freed
            on the way, which takes less memory.
    """

    def __init__(self, losses: Callable[[Params], Tensor], params: Params) -> None:
        self.again = True
        self._params = {name: value.detach().requires_grad_() for name, value in params.items()}
        self._losses = losses(self._params)
        self._factors = self._losses
        self._gradients: dict[str, Tensor] = {}

    @property
    def losses(self) -> Tensor:
        """Per-example losses, detached."""
        return self._losses.detach()

    def gradient(self, factors: Tensor) -> Gradients:
        """By a backward pass that keeps its own graph."""
        self._factors = factors.detach().requires_grad_()
        found = torch.autograd.grad(
            self._losses,
            list(self._params.values()),
            grad_outputs=self._factors,
            create_graph=True,
            allow_unused=True,
        )
        gradients = dict(zip(self._params, found, strict=True))
        self._gradients = {name: value for name, value in gradients.items() if value is not None}
        return {name: None if value is None else value.detach() for name, value in gradients.items()}

    def gradient_alone(self, factors: Tensor) -> Gradients:
        """By a plain backward pass, after which nothing else can be asked for."""
        found = torch.autograd.grad(
            self._losses, list(self._params.values()), grad_outputs=factors.detach(), allow_unused=True
        )
        return dict(zip(self._params, found, strict=True))

    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """By a backward pass through the gradient."""
        names = list(self._gradients)
        slopes, *products = self._through(direction, [self._factors, *(self._params[name] for name in names)])
        return slopes, dict(zip(names, products, strict=True))

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        """By a backward pass through the gradient, to the factors only."""
        return self._through(direction, [self._factors])[0]

    def _through(self, direction: Mapping[str, Tensor], variables: list[Tensor]) -> tuple[Tensor, ...]:
        known = [name for name in self._gradients if name in direction]
        if not known:
            return tuple(torch.zeros_like(variable) for variable in variables)
        return torch.autograd.grad(
            [self._gradients[name] for name in known],
            variables,
            grad_outputs=[direction[name] for name in known],
            retain_graph=self.again,
            allow_unused=True,
            materialize_grads=True,
        )


class ForwardOverReverse:
    """By forward-mode differentiation of a forward and backward pass: nothing but θ is kept.

    Args:
        losses: params to per-example losses; its operations have forward-mode derivatives.
        params: θ.
    """

    def __init__(self, losses: Callable[[Params], Tensor], params: Params) -> None:
        self._of, self._params = losses, params
        self._known: list[str] = []
        self.losses = self._factors = next(iter(params.values())).new_empty(0)

    def gradient(self, factors: Tensor) -> Gradients:
        """By a plain backward pass."""
        theta = {name: value.detach().requires_grad_() for name, value in self._params.items()}
        losses = self._of(theta)
        found = torch.autograd.grad(losses, list(theta.values()), grad_outputs=factors, allow_unused=True)
        gradients = dict(zip(theta, found, strict=True))
        self._known = [name for name, value in gradients.items() if value is not None]
        self.losses, self._factors = losses.detach(), factors.detach()
        return gradients

    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, Params]:
        """By both passes on dual numbers."""
        with forward_ad.dual_level():
            duals = self._duals(direction)
            losses = self._of(duals)
            wanted = [duals[name] for name in self._known]
            found = torch.autograd.grad(losses, wanted, grad_outputs=self._factors)
            products = {name: _tangent(value) for name, value in zip(self._known, found, strict=True)}
            return _tangent(losses).detach(), {name: value.detach() for name, value in products.items()}

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        """By a forward pass on dual numbers."""
        with forward_ad.dual_level(), torch.no_grad():
            return _tangent(self._of(self._duals(direction)))

    def _duals(self, direction: Mapping[str, Tensor]) -> Params:
        theta = {name: value.detach().requires_grad_() for name, value in self._params.items()}
        return {
            name: forward_ad.make_dual(value, direction[name]) if name in direction else value  # type: ignore[no-untyped-call]
            for name, value in theta.items()
        }


def _tangent(dual: Tensor) -> Tensor:
    tangent: Tensor | None = forward_ad.unpack_dual(dual).tangent  # type: ignore[no-untyped-call]
    return torch.zeros_like(dual) if tangent is None else tangent
