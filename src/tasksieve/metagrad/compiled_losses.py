r"""Derivatives of a batch's losses in passes that ``torch.compile`` fuses.

A compiled function cannot be differentiated twice from outside. So the whole of what an adjoint step needs, gradient
and Hessian-vector product and slopes, is written as one function, differentiated inside and compiled as it stands.
Nothing but θ is kept between the way forward and the way back.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.func import grad, vjp

from tasksieve.contracts import Linearization
from tasksieve.metagrad.automatic_differentiation import AutogradLinearization
from tasksieve.metagrad.inner_rule import Gradients, Params
from tasksieve.metagrad.random_draws import LateLinearization, cuda_devices, preserved

Losses = Callable[[Params, Any], Tensor]
BACKEND = "inductor"
"""Of ``torch.compile``; on a CPU it needs a C++ compiler."""

_APART = {"isolate_recompiles": True} if "isolate_recompiles" in inspect.signature(torch.compile).parameters else {}
"""Torch counts what is compiled of a function against a limit; newer ones do so for each object apart."""


class CompiledLosses:
    """What :class:`~tasksieve.metagrad.BilevelProblem` takes as ``linearize``: compiled at the first batch, and once
    more when other shapes come.

    Cost of a simulated step: two forward and backward passes and one double one, but compiled; with memory for the
    intermediate values of one step. Compiling takes a minute or two.

    Args:
        losses: (params, batch) to per-example losses, twice differentiable; as in the problem itself.
        backend: of ``torch.compile``; None for :data:`BACKEND`.

    What cannot be compiled is differentiated by autograd, with one warning.
    """

    def __init__(self, losses: Losses, backend: str | Callable[..., Any] | None = None) -> None:
        self._losses = losses
        options: dict[str, Any] = {"backend": backend or BACKEND, "fullgraph": True, **_APART}
        self._gradient = torch.compile(self._plain_gradient, **options)
        self._second = torch.compile(self._plain_second, **options)
        self._refused = False
        self._used: frozenset[str] | None = None

    def __call__(self, params: Params, batch: Any) -> Linearization:
        """The losses of a batch, to be differentiated."""
        if self._refused:
            return self._by_autograd(params, batch)
        return _Compiled(self, params, batch)

    def gradient(self, params: Params, batch: Any, factors: Tensor) -> tuple[Tensor, Gradients]:
        """The losses, and the gradient of their sum times the factors; None for what they do not depend on."""
        if self._used is None:
            self._used = self._dependencies(params, batch)
        losses, gradients = self._try(self._gradient, self._plain_gradient, params, batch, factors)
        return losses.detach(), {name: gradients[name].detach() if name in self._used else None for name in params}

    def second(
        self, params: Params, batch: Any, factors: Tensor, direction: Mapping[str, Tensor]
    ) -> tuple[Tensor, Params]:
        """Slopes, and the Hessian-vector product."""
        whole = {name: direction[name] if name in direction else torch.zeros_like(v) for name, v in params.items()}
        product, slopes = self._try(self._second, self._plain_second, params, batch, factors, whole)
        return slopes, product

    def _dependencies(self, params: Params, batch: Any) -> frozenset[str]:
        """Names of what the losses depend on: derivatives taken inside a function are zeros for the others."""
        with preserved(cuda_devices(params)):
            plain = self._by_autograd(params, batch)
        gradients = plain.gradient(torch.ones_like(plain.losses))
        return frozenset(name for name, value in gradients.items() if value is not None)

    def _by_autograd(self, params: Params, batch: Any) -> AutogradLinearization:
        return AutogradLinearization(lambda theta: self._losses(theta, batch), params)

    def _try(self, compiled: Callable[..., Any], plain: Callable[..., Any], *arguments: Any) -> Any:
        if not self._refused:
            try:
                return compiled(*arguments)
            except RuntimeError as error:
                reason = " ".join(str(error).strip().split("\n\n")[0].split())
                warnings.warn(f"the losses were not compiled: {reason}", RuntimeWarning, stacklevel=2)
                self._refused = True
        return plain(*arguments)

    def _plain_gradient(self, params: Params, batch: Any, factors: Tensor) -> tuple[Tensor, Params]:
        losses, pull = vjp(lambda theta: self._losses(theta, batch), params)  # type: ignore[misc]
        return losses, pull(factors)[0]

    def _plain_second(self, params: Params, batch: Any, factors: Tensor, direction: Params) -> tuple[Params, Tensor]:
        def along(theta: Params, by: Tensor) -> Tensor:
            gradients = self._plain_gradient(theta, batch, by)[1]
            return sum((gradients[name] * direction[name]).sum() for name in direction)  # type: ignore[return-value]

        found: tuple[Params, Tensor] = grad(along, argnums=(0, 1))(params, factors)
        return found


class _Compiled(LateLinearization):
    """One batch around one θ."""

    def __init__(self, owner: CompiledLosses, params: Params, batch: Any) -> None:
        self._owner, self._batch = owner, batch
        self._params = {name: value.detach() for name, value in params.items()}
        self._losses = self._factors = next(iter(params.values())).new_empty(0)

    @property
    def losses(self) -> Tensor:
        return self._losses

    def gradient(self, factors: Tensor) -> Gradients:
        self._factors = factors.detach()
        self._losses, gradients = self._owner.gradient(self._params, self._batch, self._factors)
        return gradients

    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, Params]:
        return self._owner.second(self._params, self._batch, self._factors, direction)

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        return self.second(direction)[0]
