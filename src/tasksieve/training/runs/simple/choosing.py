"""Fitting a classifier: how strong the penalty is and how much a primary turn counts is chosen on validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tasksieve.training.runs.simple.classifier import Classifier, Features, Labels
from tasksieve.training.runs.simple.contexts import Context
from tasksieve.training.runs.simple.texts import Array, Vectors

MOST_RELATED, MOST_AS_WORDS = 10_000, 5_000
"""Related turns that are learned from, as vectors and as words; of more, so many are drawn."""
TRIED = 1_500
"""Of them, those that settings are chosen with."""
MOST_LABELS = 40
"""Labels of related turns alone that are learned, the commonest ones."""
STRENGTHS = (1.0, 10.0, 100.0)
FACTORS = (1.0, 3.0, 10.0)
"""How much a primary turn counts."""
ITERATIONS, TRIAL_ITERATIONS = 60, 25

Examples = tuple[Sequence[Context], Labels, Array]
"""Contexts with the numbers of their labels, and how much the data say that each counts."""
Judge = Callable[[Array], float]
"""How good logits of the validation turns are."""


def fit_classifier(
    primary: Examples,
    related: Examples,
    valid: Sequence[Context],
    judge: Judge,
    known: tuple[int, int],
    vectors: Vectors | None,
) -> tuple[Features, Classifier, dict[str, Any]]:
    """Fit with the settings that are best on validation turns; of equal ones the first.

    Args:
        primary: what is learned from of the primary task.
        related: of related tasks, perhaps nothing; as many as are wanted.
        valid: the validation turns.
        judge: of logits for these.
        known: how many labels the primary task has, which come first, and how many there are. Whether those of
            related tasks alone are said is chosen on validation too.
        vectors: gives sentence vectors; None for TF-IDF.
    Returns: the features, the classifier, and the settings chosen.
    """
    contexts = [*primary[0], *related[0]]
    labels, given = (np.concatenate([primary[part], related[part]]) for part in (1, 2))
    features = Features.of(contexts, vectors)
    rows, held_out = features.rows(contexts), features.rows(valid)
    own, few = len(primary[1]), len(primary[1]) + min(TRIED, len(related[1]))

    def better(found: Classifier) -> tuple[float, Classifier]:
        alone = found.without(known[0])
        judged = judge(found.logits(held_out)), judge(alone.logits(held_out))
        return (judged[1], alone) if judged[1] >= judged[0] else (judged[0], found)

    def trial(strength: float, factor: float) -> float:
        counts = _counts(own, few, factor) * given[:few]
        counts[own:] *= len(related[1]) / max(1, few - own)  # as much as all of them
        return better(Classifier.fit(rows[:few], labels[:few], counts, known[1], strength, TRIAL_ITERATIONS))[0]

    strength, factor = STRENGTHS[1], 1.0
    if len(related[1]):
        factor = _best(FACTORS, lambda value: trial(strength, value))
    strength = _best(STRENGTHS, lambda value: trial(value, factor))
    counts = _counts(own, len(labels), factor) * given
    _, found = better(Classifier.fit(rows, labels, counts, known[1], strength, ITERATIONS))
    said = int(np.isfinite(found.bias).sum())
    return features, found, {"strength": strength, "primary_factor": factor, "labels": said}


def _counts(own: int, all_of_them: int, factor: float) -> Array:
    """How much each example counts, primary ones first."""
    return np.where(np.arange(all_of_them) < own, factor, 1.0)


def _best(values: Sequence[float], judged: Callable[[float], float]) -> float:
    return max(values, key=judged)
