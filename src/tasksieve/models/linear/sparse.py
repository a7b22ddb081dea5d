r"""Linear models on images by their pixels that are not 0, in compiled code: the formulas of
:mod:`tasksieve.models.linear.linearization` without the zeros."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tasksieve.images import ImageBatch
from tasksieve.images.image_task import CLASSES
from tasksieve.images.sparse import SparseRows
from tasksieve.kernels import LinearKernels, linear_kernels
from tasksieve.kernels.linear import CLASSES_AT_MOST


def perceptron_logits(
    batch: ImageBatch, indicator: Tensor, centre: Tensor | None, weight: Tensor, bias: Tensor
) -> Tensor | None:
    """The logits of a perceptron over image, label and indicator, differentiable; None where there is no code for it.

    Args:
        batch: images and labels.
        indicator: two columns.
        centre: taken off each image; None for nothing.
        weight: of the pixels, the labels and the indicator, one after the other.
        bias: a scalar.
    Raises: IndexError: if an image or a label does not exist.
    """
    kernels = _kernels(batch.sparse, weight)
    if batch.sparse is None or kernels is None:
        return None
    width, count = batch.sparse.pixels.width, len(batch)
    fit = weight.shape == (width + CLASSES + 2,) and indicator.shape == (count, 2) and bias.shape == ()
    alike = {weight.dtype} == {part.dtype for part in (bias, indicator, centre) if part is not None}
    if not (fit and alike and (centre is None or centre.shape == (width,))):
        return None
    inputs = _Inputs(batch.sparse, batch.targets.long().contiguous(), indicator.contiguous(), centre, kernels)
    found: Tensor = _Logits.apply(weight, bias, inputs)  # type: ignore[no-untyped-call]
    return found


class SparseLinearization:
    """Losses of one batch at some parameters; its methods are those of ``tasksieve.metagrad.Linearization``.

    Args:
        rows: the images.
        targets: their labels.
        names: of weight and bias.
        moved: of the parameters to be moved; one that is missing is held still.
        weight, bias: at these values.
        kernels: for them.
    Raises: IndexError: if a label is none of the classes.
    """

    def __init__(
        self,
        rows: SparseRows,
        targets: Tensor,
        names: tuple[str, str],
        moved: Mapping[str, Tensor],
        weight: Tensor,
        bias: Tensor,
        kernels: LinearKernels,
    ) -> None:
        self._rows, self._targets, self._names, self._kernels = rows, targets.long().contiguous(), names, kernels
        self._all, self._shapes = tuple(moved), (weight.shape, bias.shape)
        self._losses = weight.new_empty(len(rows))
        self._probabilities = weight.new_empty(len(rows), CLASSES_AT_MOST)
        weight, bias = weight.contiguous(), bias.contiguous()
        known = kernels.forward(
            rows.pointer,
            weight.data_ptr(),
            bias.data_ptr(),
            self._targets.data_ptr(),
            self._probabilities.data_ptr(),
            self._losses.data_ptr(),
        )
        if not known:
            raise IndexError("an image of the batch, or its label, does not exist")
        self._factors = self._losses

    @classmethod
    def of(
        cls, own: Mapping[str, Tensor], params: Mapping[str, Tensor], batch: ImageBatch
    ) -> SparseLinearization | None:
        """That of a batch; None where there is no compiled code for it.

        Args:
            own: the model's weight and bias, by their full names, in this order.
            params: those to be moved, by full name.
            batch: images and labels.
        """
        names = tuple(own)
        weight, bias = (params.get(name, own[name]) for name in names)
        kernels = _kernels(batch.sparse, weight)
        if batch.sparse is None or kernels is None or bias.dtype != weight.dtype:
            return None
        if weight.shape != (CLASSES, batch.sparse.pixels.width) or bias.shape != (CLASSES,):
            return None
        return cls(batch.sparse, batch.targets, (names[0], names[1]), params, weight, bias, kernels)

    @property
    def losses(self) -> Tensor:
        """Per-example losses, detached."""
        return self._losses

    def gradient(self, factors: Tensor) -> dict[str, Tensor | None]:
        """The gradient of the losses times these factors."""
        found = self._zeros()
        self.add_gradient(factors, found)
        return {name: found.get(name) for name in self._all}

    def add_gradient(self, factors: Tensor, to: Mapping[str, Tensor]) -> None:
        """The gradient added to ``to``."""
        if factors.shape != self._losses.shape:
            raise ValueError(f"factors have the shape {tuple(factors.shape)}, losses {tuple(self._losses.shape)}")
        self._factors = factors.detach().to(self._losses.dtype).contiguous()
        self._kernels.backward(
            self._rows.pointer,
            self._probabilities.data_ptr(),
            self._targets.data_ptr(),
            self._factors.data_ptr(),
            *self._pointers(to),
        )

    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Slopes of the losses in a direction, and the Hessian-vector product with the factors given."""
        found = self._zeros()
        return self.add_second(direction, found), found

    def add_second(self, direction: Mapping[str, Tensor], to: Mapping[str, Tensor]) -> Tensor:
        """The slopes; the product is added to ``to``, which may be the direction itself."""
        slopes, along = torch.empty_like(self._losses), self._plain(direction)
        self._kernels.second(
            self._rows.pointer,
            self._probabilities.data_ptr(),
            self._targets.data_ptr(),
            self._factors.data_ptr(),
            *self._pointers(along),
            slopes.data_ptr(),
            *self._pointers(to),
        )
        return slopes

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        """The slopes by themselves."""
        return self.add_second(direction, {})

    def _zeros(self) -> dict[str, Tensor]:
        """For those of weight and bias that are moved."""
        shapes = zip(self._names, self._shapes, strict=True)
        return {name: self._losses.new_zeros(shape) for name, shape in shapes if name in self._all}

    def _plain(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weight and bias without a graph, in one piece each."""
        return {name: values[name].detach().contiguous() for name in self._names if name in values}

    def _pointers(self, values: Mapping[str, Tensor]) -> tuple[int | None, int | None]:
        """Where weight and bias are.

        Raises: ValueError: if they are not of the parameters' shapes and number type, and in one piece.
        """
        for name, shape in zip(self._names, self._shapes, strict=True):
            value = values.get(name)
            if value is not None and not (
                value.shape == shape and value.dtype == self._losses.dtype and value.is_contiguous()
            ):
                raise ValueError(f"'{name}' is no {tuple(shape)} of {self._losses.dtype} in one piece")
        weight, bias = (values[name].data_ptr() if name in values else None for name in self._names)
        return weight, bias


def _kernels(rows: SparseRows | None, like: Tensor) -> LinearKernels | None:
    """For these images with parameters of this kind."""
    if rows is None or like.device.type != "cpu" or like.dtype != rows.pixels.levels.dtype:
        return None
    return linear_kernels(like.dtype, CLASSES)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What a perceptron looks at, and the functions for it."""

    rows: SparseRows
    targets: Tensor
    indicator: Tensor
    centre: Tensor | None
    kernels: LinearKernels

    @property
    def pointers(self) -> tuple[int, int, int, int | None]:
        """Where they are."""
        centre = None if self.centre is None else self.centre.data_ptr()
        return self.rows.pointer, self.targets.data_ptr(), self.indicator.data_ptr(), centre


class _Logits(torch.autograd.Function):
    """Linear in the parameters, so that it is its own derivative in a direction."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, bias: Tensor, inputs: _Inputs) -> Tensor:
        ctx.inputs = inputs
        weight, out = weight.contiguous(), weight.new_empty(len(inputs.rows))
        if not inputs.kernels.logits(*inputs.pointers, weight.data_ptr(), bias.data_ptr(), out.data_ptr()):
            raise IndexError("an image of the batch, or its label, does not exist")
        return out

    @staticmethod
    def backward(ctx: Any, cotangents: Tensor) -> tuple[Tensor, Tensor, None]:
        weight, bias = _LogitsGradient.apply(cotangents, ctx.inputs)  # type: ignore[no-untyped-call]
        return weight, bias, None

    @staticmethod
    def jvp(ctx: Any, weight: Tensor, bias: Tensor, _: None) -> Tensor:
        found: Tensor = _Logits.apply(weight, bias, ctx.inputs)  # type: ignore[no-untyped-call]
        return found


class _LogitsGradient(torch.autograd.Function):
    """The transpose of the other one."""

    @staticmethod
    def forward(ctx: Any, cotangents: Tensor, inputs: _Inputs) -> tuple[Tensor, Tensor]:
        ctx.inputs = inputs
        cotangents = cotangents.contiguous()
        width = inputs.rows.pixels.width + CLASSES + inputs.indicator.shape[1]
        weight, bias = cotangents.new_zeros(width), cotangents.new_zeros(())
        inputs.kernels.logits_backward(*inputs.pointers, cotangents.data_ptr(), weight.data_ptr(), bias.data_ptr())
        return weight, bias

    @staticmethod
    def backward(ctx: Any, weight: Tensor, bias: Tensor) -> tuple[Tensor, None]:
        found = _Logits.apply(weight, bias, ctx.inputs)  # type: ignore[no-untyped-call]
        return found, None

    @staticmethod
    def jvp(ctx: Any, cotangents: Tensor, _: None) -> tuple[Tensor, Tensor]:
        found: tuple[Tensor, Tensor] = _LogitsGradient.apply(cotangents, ctx.inputs)  # type: ignore[no-untyped-call]
        return found
