"""Linearizations of several batches as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from tasksieve.contracts import InPlace, Linearization


@runtime_checkable
class QuickLinearization(Linearization, InPlace, Protocol):
    """A model's own linearization of one batch, which can also add its results to what is there."""


class SeveralLinearizations:
    """The linearizations of several batches as one, their losses one batch after the other.

    There are several if an update takes a batch of each related task.

    Args:
        parts: at least one.
        names: of all parameters that may be moved; those that no part depends on have no gradient.
    """

    def __init__(self, parts: Sequence[QuickLinearization], names: Iterable[str]) -> None:
        self._parts, self._names = parts, tuple(names)
        self.losses = torch.cat([part.losses for part in parts])
        self._sizes = [len(part.losses) for part in parts]

    def gradient(self, factors: Tensor) -> dict[str, Tensor | None]:
        """The sum of the parts' gradients."""
        split = zip(self._parts, torch.split(factors, self._sizes), strict=True)
        total = _sum([part.gradient(share) for part, share in split])
        return {name: total.get(name) for name in self._names}

    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The parts' slopes one after the other, and the sum of their products."""
        results = [part.second(direction) for part in self._parts]
        return torch.cat([slopes for slopes, _ in results]), _sum([products for _, products in results])

    def add_gradient(self, factors: Tensor, to: Mapping[str, Tensor]) -> None:
        """Add the sum of the parts' gradients to ``to``."""
        for part, share in zip(self._parts, torch.split(factors, self._sizes), strict=True):
            part.add_gradient(share, to)

    def add_second(self, direction: Mapping[str, Tensor], to: Mapping[str, Tensor]) -> Tensor:
        """The parts' slopes; the sum of their products is added to ``to``, which may be the direction itself."""
        if to is direction:  # no part may see what another has added
            direction = {name: value.clone() for name, value in direction.items()}
        return torch.cat([part.add_second(direction, to) for part in self._parts])

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        """The parts' slopes, one after the other."""
        return torch.cat([part.slopes(direction) for part in self._parts])


def together(parts: Sequence[QuickLinearization], names: Iterable[str]) -> Linearization:
    """Several batches' linearizations as one; a single one stays as it is.

    Args:
        parts: at least one.
        names: of all parameters that may be moved.
    """
    return parts[0] if len(parts) == 1 else SeveralLinearizations(parts, names)


def _sum(parts: Sequence[Mapping[str, Tensor | None]]) -> dict[str, Tensor]:
    """The parts' tensors by name, added up; with very many parts, without a new tensor for each."""
    total: dict[str, Tensor] = {}
    sums: set[str] = set()
    for part in parts:
        for name, value in part.items():
            if value is None:
                continue
            if name in sums:
                total[name].add_(value)
            elif name in total:
                total[name] = total[name] + value
                sums.add(name)
            else:
                total[name] = value
    return total
