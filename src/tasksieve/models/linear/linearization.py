r"""The losses of logistic regression with their derivatives, in closed form.

With scores :math:`z = W x + b`, probabilities :math:`p = \mathrm{softmax}(z)` and errors :math:`e = p - 1_y`, the
loss of an example is :math:`-\log p_y`. For factors :math:`c_i` the gradients are

.. math:: \sum_i c_i e_i x_i^\top, \qquad \sum_i c_i e_i,

and in a direction :math:`(\dot W, \dot b)`, with :math:`\dot z = \dot W x + \dot b`, the slope of a loss is
:math:`⟨e, \dot z⟩`, and the Hessian-vector product is the gradient with :math:`p ∘ (\dot z - ⟨p, \dot z⟩)` in place
of e. Everything is held with a row a class, as products with few rows and many columns are the quicker ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.images import ImageBatch


def class_scores(
    weight: Float[Tensor, "classes pixels"], bias: Float[Tensor, " classes"], images: Float[Tensor, "batch pixels"]
) -> Float[Tensor, "classes batch"]:
    """Scores of the classes, a row a class."""
    return torch.addmm(bias[:, None], weight, images.T)


class LogisticLinearization:
    """Losses of one batch at some parameters; the methods are those of ``tasksieve.contracts.Linearization``.

    Args:
        own: the model's parameters ``weight`` and ``bias``.
        params: those to be moved, by name; one that is missing is held still.
        batch: images and labels.
    """

    @torch.no_grad()
    def __init__(self, own: Mapping[str, Tensor], params: Mapping[str, Tensor], batch: ImageBatch) -> None:
        self._names, self._images, self._targets = tuple(params), batch.pixels, batch.targets[None]
        weight, bias = (params.get(name, own[name]) for name in ("weight", "bias"))
        self._scores = class_scores(weight, bias, batch.pixels)
        minus_ones = self._scores.new_full(self._targets.shape, -1.0)
        self._errors = torch.softmax(self._scores, dim=0).scatter_add_(0, self._targets, minus_ones)
        self._factors = minus_ones

    @cached_property
    def losses(self) -> Tensor:
        """Per-example losses, detached."""
        return (self._scores.logsumexp(dim=0) - self._scores.gather(0, self._targets))[0]

    @torch.no_grad()
    def gradient(self, factors: Tensor) -> dict[str, Tensor | None]:
        """The gradient of the losses times these factors."""
        self._factors = factors
        found = self._pulled(self._errors * factors)
        return {name: found.get(name) for name in self._names}

    @torch.no_grad()
    def add_gradient(self, factors: Tensor, to: Mapping[str, Tensor]) -> None:
        """The gradient added to ``to``."""
        self._factors = factors
        self._add(self._errors * factors, to)

    @torch.no_grad()
    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Slopes of the losses in a direction, and the Hessian-vector product with the factors given."""
        moved = self._moved(direction)
        found = self._pulled(self._spread(moved))
        return self._slopes(moved), {name: found[name] for name in self._names if name in found}

    @torch.no_grad()
    def add_second(self, direction: Mapping[str, Tensor], to: Mapping[str, Tensor]) -> Tensor:
        """The slopes; the product is added to ``to``, which may be the direction itself."""
        moved = self._moved(direction)
        self._add(self._spread(moved), to)
        return self._slopes(moved)

    @torch.no_grad()
    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        """The slopes of the losses in a direction, without the Hessian-vector product."""
        return self._slopes(self._moved(direction))

    def _slopes(self, moved: Tensor) -> Tensor:
        return (self._errors * moved).sum(dim=0)

    def _spread(self, moved: Tensor) -> Tensor:
        """What a direction does to the gradient by the scores."""
        probabilities = torch.softmax(self._scores, dim=0)
        spread = probabilities * moved
        return spread.addcmul(probabilities, spread.sum(dim=0), value=-1).mul_(self._factors)

    def _moved(self, direction: Mapping[str, Tensor]) -> Tensor:
        """What a direction does to the scores; a name that is missing stands for zeros."""
        weight, bias = direction.get("weight"), direction.get("bias")
        if weight is not None and bias is not None:
            return class_scores(weight, bias, self._images)
        if weight is not None:
            return weight @ self._images.T
        return torch.zeros_like(self._errors) if bias is None else bias[:, None].expand_as(self._errors)

    def _pulled(self, of_scores: Tensor) -> dict[str, Tensor]:
        return {"weight": of_scores @ self._images, "bias": of_scores.sum(dim=1)}

    def _add(self, of_scores: Tensor, to: Mapping[str, Tensor]) -> None:
        if "weight" in to:
            to["weight"].addmm_(of_scores, self._images)
        if "bias" in to:
            to["bias"].add_(of_scores.sum(dim=1))
