"""Running means of what is logged."""

from __future__ import annotations

import torch
from torch import Tensor


class Means:
    """Running means of named values, since last asked. Tensors stay where they are until then."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float | Tensor, float | Tensor]] = {}

    def add(self, name: str, value: float | Tensor, counts: Tensor | None = None) -> None:
        """Count a value in.

        Args:
            name: of the mean.
            value: a number.
            counts: whether it counts at all, where that is known to a device only.
        """
        total, count = self._sums.get(name, (0.0, 0))
        if counts is None:
            self._sums[name] = total + value, count + 1
        else:
            self._sums[name] = total + torch.where(counts, value, 0.0), count + counts.long()

    def take(self) -> dict[str, float]:
        """The means of what counted, and start anew."""
        sums = {name: (float(total), float(count)) for name, (total, count) in self._sums.items()}
        self._sums.clear()
        return {name: total / count for name, (total, count) in sums.items() if count}
