"""What every model's own linearization can do: the methods of ``tasksieve.metagrad``'s protocols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class BatchLinearization(Protocol):
    """The losses of one batch at some parameters, with first and second derivatives."""

    @property
    def losses(self) -> Tensor:
        """Per-example losses, detached."""
        ...

    def gradient(self, factors: Tensor) -> Mapping[str, Tensor | None]:
        """The gradient of the losses times these factors; it comes first."""
        ...

    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Slopes of the losses in a direction, and the Hessian-vector product with the factors given."""
        ...

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        """The slopes by themselves."""
        ...

    def add_gradient(self, factors: Tensor, to: Mapping[str, Tensor]) -> None:
        """The gradient added to ``to``, which may be the parameters themselves."""
        ...

    def add_second(self, direction: Mapping[str, Tensor], to: Mapping[str, Tensor]) -> Tensor:
        """The slopes; the Hessian-vector product is added to ``to``, which may be the direction itself."""
        ...
