"""The memory network's passes in compiled code, without a graph: forward, gradient, and the gradient in a direction.

Each keeps what the next one needs. :mod:`tasksieve.models.memory_network.operation` makes torch operations of them.
The formulas are those of ``hops.py`` and ``choice_losses.py`` beside this file, over each example's own memories
instead of all sentences of the batch.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import torch
from torch import Tensor

from tasksieve.encoding import Batch, Choices
from tasksieve.kernels import BatchIndices, NetworkKernels, Parameters, network_kernels


@dataclass(frozen=True, slots=True)
class NetworkTensors:
    """The network's parameters, or anything shaped like them: gradients, directions.

    Attributes:
        embedding: words × d.
        transform: d × d.
        candidates: the candidates' embedding, words × d; None for the body by itself.
    """

    embedding: Tensor
    transform: Tensor
    candidates: Tensor | None = None

    @property
    def parts(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """The tensors in their order."""
        return self.embedding, self.transform, self.candidates

    def plain(self) -> NetworkTensors:
        """The tensors detached from any graph, each contiguous in memory."""
        return NetworkTensors(*(p if p is None else p.detach().contiguous() for p in self.parts))  # type: ignore[arg-type]

    def zeros(self) -> NetworkTensors:
        """Zeros of the same shapes."""
        return NetworkTensors(*(p if p is None else torch.zeros_like(p) for p in self.parts))  # type: ignore[arg-type]

    def pointers(self) -> Parameters:
        """The addresses of the tensors, as the compiled code takes them."""
        return Parameters(*(None if p is None else p.data_ptr() for p in self.parts))


class Layout:
    """A batch as the compiled code sees it.

    Args:
        kernels: for the parameters' width and number type.
        indices: pointers into the batch.
        kept: what they point to.
        candidates: whether losses over candidates are wanted, or the body's states.
    """

    def __init__(
        self, kernels: NetworkKernels, indices: BatchIndices, kept: tuple[object, ...], candidates: bool
    ) -> None:
        self.kernels, self.indices, self.candidates = kernels, indices, candidates
        self._kept = kept

    @classmethod
    def of(
        cls,
        like: NetworkTensors,
        batch: Batch,
        with_response: bool,
        hops: int,
        transforms_state: bool,
    ) -> Layout | None:
        """The layout of a batch for parameters of this kind; None where there is no compiled code for them.

        Args:
            like: tensors of the parameters' shapes and number type; with candidates, losses are wanted.
            batch: examples on the CPU.
            with_response: whether the query is utterance plus response.
            hops: how often the memories are attended to.
            transforms_state: what the transform is applied to.
        """
        kernels = network_kernels(like.embedding) if batch.table.device.type == "cpu" else None
        if kernels is None or len({part.dtype for part in like.parts if part is not None}) > 1:
            return None
        entries, wanted = batch.distinct, like.candidates is not None
        shared = batch.choices if wanted and batch.choices.offered is None else None
        tensors = (
            *(batch.table.words, batch.table.offsets),
            *(entries.sentences, entries.counts, entries.offsets),
            *(batch.utterances.contiguous(), batch.responses.contiguous() if with_response else None),
            *((None, None) if shared is None else (shared.table.words, shared.table.offsets)),
            batch.targets.contiguous(),
            *_ragged(batch.choices if wanted else None),
            *_ragged(batch.entities if wanted else None),
        )
        sizes = hops, len(batch), entries.sentences.shape[0], len(batch.table), int(transforms_state)
        count = 0 if shared is None else len(shared.table)
        pointers = (None if tensor is None else tensor.data_ptr() for tensor in tensors)
        return cls(kernels, BatchIndices(*sizes, count, *pointers), tensors, wanted)

    def forward(self, params: NetworkTensors) -> tuple[Forward, Tensor]:
        """Losses (batch,), or states (batch × d), and what the backward pass needs.

        Raises: IndexError: if losses are wanted and the right response of an example is none of its choices.
        """
        shape = (self.indices.examples,) if self.candidates else (self.indices.examples, params.embedding.shape[1])
        out = params.embedding.new_empty(shape)
        pointers = params.pointers()
        handle = self.kernels.forward(ctypes.byref(self.indices), ctypes.byref(pointers), out.data_ptr())
        if handle is None:
            raise IndexError("the right response of some example is no candidate")
        return Forward(self, handle, params), out


def _ragged(choices: Choices | None) -> tuple[Tensor | None, ...]:
    """The words of choices that each example has its own of, what is offered, and the right ones."""
    if choices is None or choices.offered is None:
        return (None,) * 5
    table, offered = choices.table, choices.offered
    return table.words, table.offsets, offered.words, offered.offsets, choices.right.contiguous()


class Forward:
    """What a forward pass keeps for the backward pass.

    Args:
        layout: of the batch.
        handle: of what the compiled code keeps; freed with this object.
        like: tensors of the parameters' shapes.
    """

    def __init__(self, layout: Layout, handle: int, like: NetworkTensors) -> None:
        self.layout, self.handle, self.like = layout, handle, like

    def __del__(self) -> None:
        self.layout.kernels.free_pass(self.handle)

    def backward(self, cotangents: Tensor, gradients: NetworkTensors) -> Backward:
        """Add the gradient to ``gradients``, for cotangents of what the forward pass gave."""
        cotangents, pointers = cotangents.contiguous(), gradients.pointers()
        handle = self.layout.kernels.backward(self.handle, cotangents.data_ptr(), ctypes.byref(pointers))
        return Backward(self, handle, cotangents.shape)


class Backward:
    """What a backward pass keeps for passes of second order.

    Args:
        forward: the pass before.
        handle: of what the compiled code keeps; freed with this object.
        shape: of what the forward pass gave.
    """

    def __init__(self, forward: Forward, handle: int, shape: torch.Size) -> None:
        self._forward, self._handle, self._shape = forward, handle, shape

    def __del__(self) -> None:
        self._forward.layout.kernels.free_gradient(self._handle)

    def second(self, direction: NetworkTensors, gradients: NetworkTensors) -> Tensor:
        """In a direction: the derivative of what the forward pass gave; that of the gradient is added."""
        return self._run(direction, gradients.pointers())

    def slopes(self, direction: NetworkTensors) -> Tensor:
        """In a direction: the derivative of what the forward pass gave, without that of the gradient."""
        return self._run(direction, None)

    def _run(self, direction: NetworkTensors, targets: Parameters | None) -> Tensor:
        forward, slopes = self._forward, direction.embedding.new_empty(self._shape)
        pointers = ctypes.byref(direction.pointers()), None if targets is None else ctypes.byref(targets)
        forward.layout.kernels.second(forward.handle, self._handle, *pointers, slopes.data_ptr())
        return slopes
