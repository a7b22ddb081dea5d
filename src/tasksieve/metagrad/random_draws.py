"""The random numbers of a batch, as of dropout: those of its first pass are drawn again in every other pass.

Estimators pass over a batch more than once: to take a step back, at both sides of a difference, from a checkpoint. A
derivative is that of one function only if all passes see the same masks. So the state of torch's generators before
the first pass is kept and set again for each further pass, as activation checkpointing does; what follows finds the
generators where one pass over each batch leaves them. Other generators than torch's own are not looked at.

A model that draws nothing pays for looks at the CPU's generator, some microseconds a step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor

from tasksieve.contracts import Linearization

Result = TypeVar("Result")


def cuda_devices(tensors: Mapping[str, Tensor]) -> tuple[torch.device, ...]:
    """The CUDA devices that these live on, each once."""
    return tuple(dict.fromkeys(value.device for value in tensors.values() if value.is_cuda))


class RandomState:
    """Where torch's generators stand: the CPU's and those of some CUDA devices.

    Args:
        devices: as :func:`cuda_devices` finds them.
    """

    def __init__(self, devices: Sequence[torch.device]) -> None:
        self._devices, self._states = devices, _states(devices)

    def restore(self) -> None:
        """Let the generators stand there again."""
        torch.default_generator.set_state(self._states[0])
        for device, state in zip(self._devices, self._states[1:], strict=True):
            torch.cuda.set_rng_state(state, device)

    def passed(self) -> bool:
        """Whether they stand elsewhere now."""
        return not all(map(torch.equal, self._states, _states(self._devices)))


def _states(devices: Sequence[torch.device]) -> list[Tensor]:
    return [torch.default_generator.get_state(), *(torch.cuda.get_rng_state(device) for device in devices)]


@contextmanager
def preserved(devices: Sequence[torch.device]) -> Iterator[RandomState]:
    """What is drawn within is not missed: the generators stand afterwards where they stood before.

    Args:
        devices: whose generators count beside the CPU's.
    """
    before = RandomState(devices)
    try:
        yield before
    finally:
        before.restore()


class LateLinearization(ABC):
    """Base of linearizations that pass over their batch when they are asked, and not when they are made.

    Others must draw what they draw when they are made.
    """

    @property
    @abstractmethod
    def losses(self) -> Tensor:
        """Per-example losses, detached; known after the first gradient."""

    @abstractmethod
    def gradient(self, factors: Tensor) -> Mapping[str, Tensor | None]:
        """The gradient of the losses times these factors, by a pass over the batch."""

    @abstractmethod
    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Slopes of the losses and the Hessian-vector product, by another pass."""

    @abstractmethod
    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        """The slopes by themselves, by another pass."""


class RandomDraws:
    """The random numbers of all passes over one batch.

    Args:
        devices: whose generators count beside the CPU's.
    """

    def __init__(self, devices: Sequence[torch.device]) -> None:
        self._devices = devices
        self._start: RandomState | None = None
        self._complete = False

    def replayed(self, work: Callable[[], Result]) -> Result:
        """Do some work, a pass or a part of one, with the random numbers of the first pass if that is behind."""
        if self._start is not None:
            before = RandomState(self._devices)
            try:
                self._start.restore()
                return work()
            finally:
                before.restore()
        self._start = RandomState(self._devices)
        try:
            return work()
        except BaseException:
            self._start.restore()
            self._start = None
            raise

    def linearized(self, linearize: Callable[[], Linearization]) -> Linearization:
        """A linearization all of whose passes draw the same."""
        linear = self.replayed(linearize)
        return _Replayed(linear, self) if isinstance(linear, LateLinearization) else linear

    def completed(self, work: Callable[[], Result]) -> Result:
        """Take the gradient of a late linearization, which is where the first pass draws."""
        if self._complete or self._start is None:
            return self.replayed(work)
        self._complete = True
        before = RandomState(self._devices)
        self._start.restore()
        found = work()
        if not self._start.passed():
            before.restore()
        return found


class _Replayed:
    """A late linearization whose passes draw what the first one drew."""

    def __init__(self, linear: Linearization, draws: RandomDraws) -> None:
        self._linear, self._draws = linear, draws

    @property
    def losses(self) -> Tensor:
        return self._linear.losses

    def gradient(self, factors: Tensor) -> Mapping[str, Tensor | None]:
        return self._draws.completed(lambda: self._linear.gradient(factors))

    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        return self._draws.replayed(lambda: self._linear.second(direction))

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        return self._draws.replayed(lambda: self._linear.slopes(direction))
