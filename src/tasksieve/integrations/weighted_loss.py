r"""The weighted loss of a language model, token by token.

.. math:: L = \frac{\sum_t w_t \, \mathrm{nll}_t}{\sum_t w_t}

over all tokens of the accumulated batch, of all processes. A token of weight 0 is left out: it is in neither sum,
even where its loss is not finite. With all weights 1 this is the plain mean over labelled tokens.

A *unit* is what a learned weight belongs to: an example, or a turn of one. A batch holds as tensors

- ``labels`` (batch, length): the token that is right at each place, -100 where none is to be learned;
- ``token_weights`` (batch, length), optional: the weight of each label as the data give it;
- ``units`` (batch, length), optional: number in the batch of the unit that the label belongs to, -1 for none; without
  it each row is a unit;
- ``groups`` (units,): each unit's group, -1 for one whose weight is not learned and stays 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

IGNORED = -100
"""The label of a place where nothing is to be learned, as in ``torch.nn.functional.cross_entropy``."""


class Targets(NamedTuple):
    """What is to be predicted at each place of the logits, all of shape (batch, length).

    Attributes:
        labels: the right tokens; :data:`IGNORED` where there is none, or its weight is 0.
        weights: of the labels, 0 where there is none.
        units: numbers of the units that the labels belong to; 0 where there is none, which counts for nothing.
    """

    labels: Tensor
    weights: Tensor
    units: Tensor


def targets_of(batch: Mapping[str, Tensor], *, shift: bool = True) -> Targets:
    """The targets of a batch.

    Args:
        batch: with ``labels`` and, optionally, ``token_weights`` and ``units``.
        shift: whether logits at a place predict the label at the next one, as in decoders; False for
            encoder-decoders, whose inputs are shifted instead.
    """
    labels = batch["labels"]
    weights = batch.get("token_weights")
    units = batch.get("units")
    weights = torch.ones(labels.shape, device=labels.device) if weights is None else weights
    if units is None:
        units = torch.arange(len(labels), device=labels.device)[:, None].expand(labels.shape)
    if shift:
        labels, weights, units = _next(labels, IGNORED), _next(weights, 0), _next(units, -1)
    learned = (labels != IGNORED) & (weights != 0) & (units >= 0)
    return Targets(labels.where(learned, IGNORED), weights.where(learned, 0), units.where(learned, 0))


def _next(values: Tensor, last: int) -> Tensor:
    return functional.pad(values, (0, 1), value=last)[:, 1:]


def token_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """The negative log-likelihood of each label in nats, 0 where it is :data:`IGNORED`.

    Args:
        logits: (batch, length, vocabulary); what is less precise than float32 is converted.
        labels: (batch, length), already shifted.
    Returns: (batch, length).
    """
    if logits.element_size() < torch.float32.itemsize:
        logits = logits.float()
    flat = functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), labels.reshape(-1), ignore_index=IGNORED, reduction="none"
    )
    return flat.view(labels.shape)


def weighted_nll(logits: Tensor, targets: Targets, total: Tensor | float | None = None) -> Tensor:
    """The weighted loss of a batch, a scalar.

    Args:
        logits: (batch, length, vocabulary).
        targets: of the batch.
        total: the sum of weights over the whole accumulated batch; None for that of this batch alone.
    """
    losses = token_losses(logits, targets.labels)
    weights = targets.weights.to(losses)
    whole = weights.sum() if total is None else torch.as_tensor(total, device=losses.device, dtype=losses.dtype)
    return (losses * weights).sum() / whole.clamp(min=torch.finfo(losses.dtype).tiny)


def unit_losses(logits: Tensor, targets: Targets, count: int) -> Tensor:
    """The sum of each unit's token losses times their given weights, shape (count,)."""
    losses = token_losses(logits, targets.labels)
    return _by_unit(losses * targets.weights.to(losses), targets.units, count)


def unit_totals(targets: Targets, count: int) -> Tensor:
    """The sum of each unit's given weights, shape (count,): its number of labelled tokens where all are 1."""
    return _by_unit(targets.weights, targets.units, count)


def unit_count(batch: Mapping[str, Tensor]) -> int:
    """How many units a batch has."""
    return len(batch["groups"]) if "groups" in batch else len(batch["labels"])


def reweighted(targets: Targets, unit_weights: Tensor) -> Targets:
    """The targets with each label's weight multiplied by that of its unit, shape (units,).

    A label whose weight becomes 0 is left out.
    """
    weights = targets.weights * unit_weights.to(targets.weights)[targets.units]
    return Targets(targets.labels.where(weights != 0, IGNORED), weights, targets.units)


def _by_unit(values: Tensor, units: Tensor, count: int) -> Tensor:
    return values.new_zeros(count).index_add(0, units.reshape(-1), values.reshape(-1))
