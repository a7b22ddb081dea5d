"""Weights of responses with what they mean, and the mark of those that are not for a model with one head."""

from __future__ import annotations

from collections.abc import Mapping

MARK = "weight_heads"
"""The key, or column, beside the messages of a dialog whose weights were learned with a head for each task."""


class LearnedWeights(dict[tuple[int, int], float]):
    """Weights by number of dialog and number of turn in it, both from 0.

    Args:
        weights: these.
        heads: ``own`` or ``shared``, by which they were learned (:mod:`tasksieve.records.weight_meaning`); None where
            the table does not say.
    """

    def __init__(self, weights: Mapping[tuple[int, int], float], heads: str | None = None) -> None:
        super().__init__(weights)
        self.heads = heads


def mark_of(weights: object) -> dict[str, str]:
    """What is written beside the messages of a dialog with such weights; nothing where one head may learn by them."""
    own = isinstance(weights, LearnedWeights) and weights.heads == "own"
    return {MARK: "own"} if own else {}
