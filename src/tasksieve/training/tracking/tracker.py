"""What a program that shows runs is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class Tracker(Protocol):
    """One run in one program. It may be told of a point that an earlier process told of; none may stand twice."""

    def settings(self, values: Mapping[str, Any]) -> None:
        """The run's configuration, nested by section."""
        ...

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """A validation, with finite values only."""
        ...

    def weights(self, step: int, values: NDArray[np.float64]) -> None:
        """A snapshot of the weights of all related examples, with finite values only."""
        ...

    def close(self, *, finished: bool) -> None:
        """The run has ended, or was stopped and may go on later."""
        ...
