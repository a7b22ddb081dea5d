r"""The loss of a dialog model at the scale of its scores that fits a batch best.

A model that is too sure of itself gains from whatever makes its scores smaller, wrong examples included. With
:math:`s` the scale at which a batch is fitted best, the loss :math:`-\log \mathrm{softmax}(s \, z)_{right}` has no
slope along the size of the scores :math:`z`: what remains is whether they are in the right order, and how clearly.
This is temperature scaling (Guo et al., *On Calibration of Modern Neural Networks*, 2017), anew for each batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tasksieve.encoding import Batch
from tasksieve.models.model import DialogModel, Model, call_at

_SMALLEST, _LARGEST = 1 / 64, 64.0
_HALVINGS = 24
_Total = Callable[[Tensor], Tensor]
_NEVER = -1e4
"""The score of what an example does not choose among: finite, so that all derivatives are."""


class _Scores(nn.Module):
    """A dialog model's scores of the right kind of choices, as a module of its own."""

    def __init__(self, model: DialogModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> Tensor:
        (scores,) = self.model.scores(batch, batch.choices)
        return scores.masked_fill(torch.isneginf(scores), _NEVER)


def _itself(value: Tensor) -> Tensor:
    return value


def calibrated_losses(
    model: Model, params: Mapping[str, Tensor], batch: Batch, total: _Total = _itself
) -> Float[Tensor, " batch"]:
    """The losses of a batch at other parameters, differentiable in these, at the scale of scores that fits it best.

    Args:
        model: a dialog model.
        params: by name; those that are missing are the model's own.
        batch: examples whose right response is among their choices.
        total: sums over all parts of a batch, where this is one.
    Raises: TypeError: if the model is none of dialogs.
    """
    if not isinstance(model, DialogModel):
        raise TypeError(f"found {type(model).__name__}; a calibrated loss needs a dialog model")
    scores = call_at(_Scores(model), {f"model.{name}": value for name, value in params.items()}, batch)
    return cross_entropy(scores * best_scale(scores.detach(), batch.targets, total), batch.targets, reduction="none")


@torch.no_grad()
def best_scale(
    scores: Float[Tensor, "batch choices"], right: Int[Tensor, " batch"], total: _Total = _itself
) -> float | Tensor:
    """The factor of scores at which the mean cross-entropy of the right choices is least, between 1/64 and 64.

    The cross-entropy is convex in the factor; the root of its slope is found by halving, in the factor's logarithm.
    """
    at_right = scores.gather(1, right[:, None])[:, 0]
    if scores.device.type != "cpu":
        return _scale_elsewhere(scores, at_right, total)
    low, high = _SMALLEST, _LARGEST
    for _ in range(_HALVINGS):
        middle = (low * high) ** 0.5
        shares = torch.softmax(scores * middle, dim=1)
        rising = float(total(((shares * scores).sum(dim=1) - at_right).sum())) > 0
        low, high = (low, middle) if rising else (middle, high)
    return float((low * high) ** 0.5)


def _scale_elsewhere(scores: Float[Tensor, "batch choices"], at_right: Tensor, total: _Total) -> Tensor:
    """The same on another device, which halves by itself: nobody waits for it."""
    low, high = scores.new_full((), _SMALLEST), scores.new_full((), _LARGEST)
    for _ in range(_HALVINGS):
        middle = (low * high).sqrt()
        shares = torch.softmax(scores * middle, dim=1)
        rising = total(((shares * scores).sum(dim=1) - at_right).sum()) > 0
        low, high = torch.where(rising, low, middle), torch.where(rising, middle, high)
    return (low * high).sqrt()
