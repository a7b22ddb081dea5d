"""The random numbers of a batch, as of dropout: those of its first pass are drawn again in every other pass.

Estimators pass over a batch more than once: to take a step back, at both sides of a difference, from a checkpoint. A
derivative is that of one function only if all passes see the same masks. So the state of torch's generators before
the first pass is kept and set again for each further pass, as activation checkpointing does; what follows finds the
generators where one pass over each batch leaves them. Other generators than torch's own are not looked at.

A batch in whose first pass nothing is drawn costs two looks at the CPU's generator, some microseconds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol, TypeGuard, TypeVar

import torch
from torch import Tensor

from tasksieve.contracts import InPlace, Linearization
from tasksieve.metagrad.automatic_differentiation import AutogradLinearization

Result = TypeVar("Result")


class AddsInPlace(Linearization, InPlace, Protocol):
    """A linearization that can add its results to tensors that are there."""


def adds_in_place(linear: Linearization) -> TypeGuard[AddsInPlace]:
    """Whether a linearization can add its results to tensors that are there."""
    return _kind_adds(type(linear))


@functools.cache
def _kind_adds(kind: type) -> bool:
    """Cached, since asking a protocol takes as long as a small step."""
    return issubclass(kind, InPlace)


class RandomState:
    """Where torch's generators stand: the CPU's, and those of the CUDA devices that some tensors live on.

    Args:
        tensors: by name; their devices count.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._devices = cuda_devices(tensors)
        self._states = self._now()

    def restore(self) -> None:
        """Let the generators stand there again."""
        torch.default_generator.set_state(self._states[0])
        for device, state in zip(self._devices, self._states[1:], strict=True):
            torch.cuda.set_rng_state(state, device)

    def passed(self) -> bool:
        """Whether anything was drawn since."""
        return not all(map(torch.equal, self._states, self._now()))

    def _now(self) -> tuple[Tensor, ...]:
        states = (torch.cuda.get_rng_state(device) for device in self._devices)
        return torch.default_generator.get_state(), *states


def cuda_devices(tensors: Mapping[str, Tensor]) -> tuple[torch.device, ...]:
    """The CUDA devices that these live on, each once."""
    return tuple(dict.fromkeys(value.device for value in tensors.values() if value.is_cuda))


@contextmanager
def preserved(tensors: Mapping[str, Tensor]) -> Iterator[None]:
    """What is drawn within is not missed: the generators stand afterwards where they stood before.

    Args:
        tensors: by name; the generators of their devices count, and the CPU's.
    """
    before = RandomState(tensors)
    try:
        yield
    finally:
        before.restore()


class RandomDraws:
    """The random numbers of all passes over one batch.

    Args:
        tensors: by name; what the passes are made of, whose devices count.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = tensors
        self._start: RandomState | None = None
        self._none = False

    def replayed(self, work: Callable[[], Result], *, whole: bool = True) -> Result:
        """Do some work, with the random numbers of the first pass if that is behind.

        Args:
            work: a pass, or a part of one.
            whole: whether a pass is complete with it: if nothing was drawn, nothing will be.
        Returns: what ``work`` returns.
        """
        if self._none:
            return work()
        if self._start is not None:
            with preserved(self._tensors):
                self._start.restore()
                return work()
        before = RandomState(self._tensors)
        try:
            found = work()
        except BaseException:
            before.restore()
            raise
        if before.passed():
            self._start = before
        else:
            self._none = whole
        return found

    def linearized(self, linearize: Callable[[], Linearization]) -> Linearization:
        """A linearization all of whose passes draw the same."""
        linear = self.replayed(linearize, whole=False)
        if self._none or isinstance(linear, AutogradLinearization):  # which has passed over the batch already
            return linear
        return _ReplayedInPlace(linear, self) if adds_in_place(linear) else _Replayed(linear, self)


class _Replayed:
    """A linearization that may pass over its batch whenever it is asked."""

    def __init__(self, linear: Linearization, draws: RandomDraws) -> None:
        self._linear, self._draws = linear, draws

    @property
    def losses(self) -> Tensor:
        return self._linear.losses

    def gradient(self, factors: Tensor) -> Mapping[str, Tensor | None]:
        return self._draws.replayed(lambda: self._linear.gradient(factors))

    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        return self._draws.replayed(lambda: self._linear.second(direction))

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        return self._draws.replayed(lambda: self._linear.slopes(direction))


class _ReplayedInPlace(_Replayed):
    """One that adds to tensors that are there."""

    def __init__(self, linear: AddsInPlace, draws: RandomDraws) -> None:
        super().__init__(linear, draws)
        self._adding = linear

    def add_gradient(self, factors: Tensor, to: Mapping[str, Tensor]) -> None:
        self._draws.replayed(lambda: self._adding.add_gradient(factors, to))

    def add_second(self, direction: Mapping[str, Tensor], to: Mapping[str, Tensor]) -> Tensor:
        return self._draws.replayed(lambda: self._adding.add_second(direction, to))
