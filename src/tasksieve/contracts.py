"""What several rooms of the house speak about: batches, examples, and the losses of a batch with derivatives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor


@runtime_checkable
class ExampleBatch(Protocol):
    """Examples of one task, as a model reads them."""

    @property
    def targets(self) -> Int[Tensor, " batch"]:
        """The right answers."""
        ...

    @property
    def examples(self) -> Int[Tensor, " batch"]:
        """Numbers of the examples in their task."""
        ...

    def __len__(self) -> int: ...


def given_weights(batches: Sequence[Any]) -> Float[Tensor, " examples"] | None:
    """By what the data say that the losses of batches are multiplied, one batch after the other.

    Args:
        batches: what they say stands in an attribute ``given``, a number an example, or None if all count alike.
    Returns: None if all count alike; so nothing is multiplied where no data say anything.
    """
    found = [getattr(batch, "given", None) for batch in batches]
    if all(given is None for given in found):
        return None
    parts = zip(batches, found, strict=True)
    return torch.cat([torch.ones(len(b), device=b.targets.device) if own is None else own for b, own in parts])


def mean_factors(batches: Sequence[Any], like: Tensor) -> Float[Tensor, " examples"]:
    """What the losses of batches are multiplied by for their mean, as far as the data say that each counts.

    Args:
        batches: one after the other.
        like: a tensor of the device and kind of number wanted.
    """
    size = sum(map(len, batches))
    factors, given = like.new_full((size,), 1 / size), given_weights(batches)
    return factors if given is None else factors * given


def brought(value: Tensor, device: torch.device) -> Tensor:
    """A tensor on its way from the CPU to another device: the program does not wait until it is there.

    What is there already stays as it is.
    """
    if value.device.type != "cpu":
        return value.to(device)
    return (value.pin_memory() if device.type == "cuda" else value).to(device, non_blocking=True)


@runtime_checkable
class Examples(Protocol):
    """A task's examples, to be cut into batches."""

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        ...

    def __len__(self) -> int: ...

    def batch(self, examples: Int[Tensor, " batch"]) -> Any:
        """The :class:`ExampleBatch` of the examples with these numbers, in this order.

        Numbers may be on the CPU, where the tensors live elsewhere.
        """
        ...

    def answerable(self) -> Int[Tensor, " answerable"]:
        """Numbers of the examples that can be learned from."""
        ...


@runtime_checkable
class Ordered(Examples, Protocol):
    """A task that has a cheaper way to all its examples than by their numbers."""

    def in_order(self) -> Iterator[Any]:
        """All examples in their order, as batches of the size that suits them."""
        ...


@runtime_checkable
class Linearization(Protocol):
    """The losses of a batch at some θ, with first and second derivatives."""

    @property
    def losses(self) -> Tensor:
        """Per-example losses, detached."""
        ...

    def gradient(self, factors: Tensor) -> Mapping[str, Tensor | None]:
        """The gradient of the losses times these factors, detached; asked for once, before :meth:`second`."""
        ...

    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Slopes (batch,) of the losses in a direction, and the Hessian-vector product with the factors given.

        It may be asked for again, in other directions. A name missing in the direction or in the product stands
        for zeros.
        """
        ...

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        """The slopes (batch,) of the losses in a direction, without the Hessian-vector product."""
        ...


@runtime_checkable
class InPlace(Protocol):
    """What a linearization may have beside: its results added to tensors that are there already.

    With many more parameters than a batch depends on, most of the time would go into zeros and sums of whole tensors.
    It must have taken all it needs of θ when it is made, as θ may be what is added to.
    """

    def add_gradient(self, factors: Tensor, to: Mapping[str, Tensor]) -> None:
        """Add the gradient of the losses times these factors to ``to``, which has all names of the linearization."""
        ...

    def add_second(self, direction: Mapping[str, Tensor], to: Mapping[str, Tensor]) -> Tensor:
        """Return the slopes, and add the Hessian-vector product to ``to``, which may be the direction itself.

        Both have all names of the linearization.
        """
        ...

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        """The slopes (batch,) of the losses in a direction."""
        ...
