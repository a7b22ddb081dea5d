"""Fitting a classifier: how strong the penalty is and how much a primary turn counts is chosen on validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tasksieve.training.runs.simple.classifier import Array, Classifier, Features
from tasksieve.training.runs.simple.contexts import Context
from tasksieve.training.runs.simple.texts import Vectors

MOST_RELATED = 10_000
"""Related turns that are learned from; of more, so many are drawn."""
TRIED = 2_000
"""Of them, those that settings are chosen with."""
MOST_LABELS = 60
"""Labels of related turns alone that are learned, the commonest ones."""
STRENGTHS = (1.0, 10.0, 100.0)
FACTORS = (1.0, 3.0, 10.0)
"""How much a primary turn counts."""
ITERATIONS, TRIAL_ITERATIONS = 60, 30

Examples = tuple[Sequence[Context], Array]
"""Contexts with the numbers of their labels."""
Judge = Callable[[Array], float]
"""How good logits of the validation turns are."""


def fit_classifier(
    primary: Examples, related: Examples, valid: Sequence[Context], judge: Judge, known: int, vectors: Vectors | None
) -> tuple[Features, Classifier, dict[str, float]]:
    """Fit with the settings that are best on validation turns; of equal ones the first.

    Args:
        primary: what is learned from of the primary task.
        related: of related tasks, perhaps nothing; as many as are wanted.
        valid: the validation turns.
        judge: of logits for these.
        known: how many labels there are.
        vectors: gives sentence vectors; None for TF-IDF.
    Returns: the features, the classifier, and the settings chosen.
    """
    contexts = [*primary[0], *related[0]]
    labels = np.concatenate([primary[1], related[1]])
    features = Features.of(contexts, vectors)
    rows, held_out = features.rows(contexts), features.rows(valid)
    own, few = len(primary[1]), len(primary[1]) + min(TRIED, len(related[1]))

    def trial(strength: float, factor: float) -> tuple[float, Classifier]:
        counts = _counts(own, few, factor)
        found = Classifier.fit(rows[:few], labels[:few], counts, known, strength, TRIAL_ITERATIONS)
        return judge(found.logits(held_out)), found

    strength, factor = STRENGTHS[1], 1.0
    if len(related[1]):
        factor = _best(FACTORS, lambda value: trial(strength, value)[0])
    strength = _best(STRENGTHS, lambda value: trial(value, factor)[0])
    counts = _counts(own, len(labels), factor)
    found = Classifier.fit(rows, labels, counts, known, strength, ITERATIONS)
    return features, found, {"strength": strength, "primary_factor": factor}


def _counts(own: int, all_of_them: int, factor: float) -> Array:
    return np.where(np.arange(all_of_them) < own, factor, 1.0)


def _best(values: Sequence[float], judged: Callable[[float], float]) -> float:
    found: list[Any] = [judged(value) for value in values]
    return values[int(np.argmax(found))]
