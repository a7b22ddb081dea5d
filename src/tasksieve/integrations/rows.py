"""Tokens with labels and weights, and batches of them: padded, or packed one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tasksieve.integrations.weighted_loss import IGNORED

OUTSIDE = -1
"""The unit of a token that belongs to none."""


@dataclass(frozen=True, slots=True)
class Row:
    """A sequence of tokens with what is to be learned of it.

    Attributes:
        tokens: what the model reads.
        labels: as many for a decoder; those of the answer for an encoder-decoder. -100: not to be learned.
        weights: of each label.
        units: of each label, the number of its unit in the batch, or -1.
    """

    tokens: Sequence[int]
    labels: Sequence[int]
    weights: Sequence[float]
    units: Sequence[int]

    def last(self, length: int) -> Row:
        """The last tokens of a decoder's row."""
        parts = (self.tokens, self.labels, self.weights, self.units)
        return Row(*(part[-length:] for part in parts))  # type: ignore[arg-type]


def padded(rows: Sequence[Row], padding: int) -> dict[str, Tensor]:
    """Rows filled up on the right; ``attention_mask`` says where something is.

    Args:
        rows: at least one.
        padding: the token to fill up with.
    """
    batch = {
        "input_ids": _filled([row.tokens for row in rows], padding, torch.long),
        "attention_mask": _filled([[1] * len(row.tokens) for row in rows], 0, torch.long),
    }
    return batch | _targets(rows)


def packed(rows: Sequence[Row], padding: int, length: int) -> dict[str, Tensor]:
    """Decoder rows laid one after the other, with ``position_ids`` that start anew for each.

    There is no ``attention_mask``: transformers keeps sequences apart by their positions, whatever the attention.
    What would follow from one sequence to the next is not learned: the first label of each is left out.

    Args:
        rows: at least one, none longer than ``length``.
        padding: the token to fill up with.
        length: of a packed sequence, at most.
    """
    bins: list[list[Row]] = []
    for row in rows:
        if not bins or sum(len(one.tokens) for one in bins[-1]) + len(row.tokens) > length:
            bins.append([])
        bins[-1].append(row)
    longest = max(sum(len(row.tokens) for row in content) for content in bins)
    joined = [_joined(content) for content in bins]
    positions = [
        [p for row in content for p in range(len(row.tokens))]
        + list(range(longest - sum(len(row.tokens) for row in content)))
        for content in bins
    ]
    batch = {
        "input_ids": _filled([row.tokens for row in joined], padding, torch.long),
        "position_ids": torch.tensor(positions),
    }
    return batch | _targets(joined)


def _joined(rows: Sequence[Row]) -> Row:
    return Row(
        [token for row in rows for token in row.tokens],
        [label for row in rows for label in (IGNORED, *row.labels[1:])],
        [weight for row in rows for weight in row.weights],
        [unit for row in rows for unit in row.units],
    )


def _targets(rows: Sequence[Row]) -> dict[str, Tensor]:
    return {
        "labels": _filled([row.labels for row in rows], IGNORED, torch.long),
        "token_weights": _filled([row.weights for row in rows], 0.0, torch.float32),
        "units": _filled([row.units for row in rows], OUTSIDE, torch.long),
    }


def _filled(values: Sequence[Sequence[float]], filling: float, kind: torch.dtype) -> Tensor:
    longest = max(map(len, values))
    return torch.tensor([[*row, *[filling] * (longest - len(row))] for row in values], dtype=kind)
