"""The memory network's losses with their derivatives, straight from the compiled passes.

This does what automatic differentiation of :meth:`MemoryNetwork.losses` does, without a graph and without calling the
module with other parameters than its own. The methods are those of ``tasksieve.contracts``' ``Linearization`` and
``InPlace``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from tasksieve.models.memory_network.passes import Backward, Layout, NetworkTensors


class NetworkLinearization:
    """Losses of one batch of one head at some parameters.

    Args:
        layout: of the batch, with candidates.
        params: where.
        names: of the parameters, part by part; None for a part that is not to be moved.
        moved: all names that may be moved; those that are no part have no gradient.
    """

    def __init__(
        self, layout: Layout, params: NetworkTensors, names: Sequence[str | None], moved: Iterable[str]
    ) -> None:
        self._names, self._params = tuple(names), params
        self._moved = tuple(moved)
        self._forward, self.losses = layout.forward(params.plain())
        self._backward: Backward | None = None

    def gradient(self, factors: Tensor) -> dict[str, Tensor | None]:
        """The gradient of the losses times these factors."""
        gradients = self._forward.like.zeros()
        self._backward = self._forward.backward(factors.detach(), gradients)
        found = self._named(gradients)
        return {name: found.get(name) for name in self._moved}

    def add_gradient(self, factors: Tensor, to: Mapping[str, Tensor]) -> None:
        """The gradient added to ``to``, contiguous tensors that may be the parameters themselves."""
        self._backward = self._forward.backward(factors.detach(), self._parts(to))

    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Slopes of the losses in a direction, and the Hessian-vector product with the factors given."""
        assert self._backward is not None, "the gradient comes first"
        along = self._parts(direction)
        products = along.zeros()
        return self._backward.second(along, products), self._named(products)

    def add_second(self, direction: Mapping[str, Tensor], to: Mapping[str, Tensor]) -> Tensor:
        """The slopes; the product is added to ``to``, contiguous tensors that may be the direction itself."""
        assert self._backward is not None, "the gradient comes first"
        along = self._parts(direction)
        return self._backward.second(along, along if to is direction else self._parts(to))

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        """The slopes of the losses in a direction, without the Hessian-vector product."""
        assert self._backward is not None, "the gradient comes first"
        return self._backward.slopes(self._parts(direction))

    def _parts(self, direction: Mapping[str, Tensor]) -> NetworkTensors:
        parts: list[Tensor | None] = []
        for name, part in zip(self._names, self._params.parts, strict=True):
            given = None if name is None else direction.get(name)
            parts.append(torch.zeros_like(part) if given is None and part is not None else given)
        return NetworkTensors(*parts).plain()  # type: ignore[arg-type]

    def _named(self, tensors: NetworkTensors) -> dict[str, Tensor]:
        named = zip(self._names, tensors.parts, strict=True)
        return {name: part for name, part in named if name is not None and part is not None}
