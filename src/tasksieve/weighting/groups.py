"""Groups of related examples that ask for the same kind of response, told from the responses' wording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

_COMMON = 0.005
"""Share of the examples in whose response a word has to stand. Rarer ones are mostly names, which tell no kinds."""
_STARTS = 8
_ROUNDS = 50


def response_groups(responses: Sequence[str], count: int, seed: int = 0) -> Int[Tensor, " examples"]:
    """Put examples into groups by k-means over the common words of their responses.

    Args:
        responses: the text of each example's response.
        count: so many groups at most; fewer if there are not as many different wordings.
        seed: of the starts; the best of several is taken.
    Returns: each example's group, from 0, the largest first. Groups in which nothing lies do not occur.
    Raises: ValueError: if there are no responses or ``count`` is not positive.
    """
    if not responses or count < 1:
        raise ValueError("there must be at least one response and one group")
    distinct = {text: place for place, text in enumerate(dict.fromkeys(responses))}
    of_example = np.fromiter((distinct[text] for text in responses), np.int64, len(responses))
    sizes = np.bincount(of_example, minlength=len(distinct))
    vectors = _vectors(list(distinct), sizes)
    wordings, inverse = np.unique(vectors, axis=0, return_inverse=True)
    wording_of = inverse.reshape(-1)
    weights = np.bincount(wording_of, sizes, len(wordings))
    found = _k_means(wordings, weights, min(count, len(wordings)), np.random.default_rng(seed))
    groups = found[wording_of][of_example]
    order = np.argsort(-np.bincount(groups), kind="stable")  # empty groups come last
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return torch.from_numpy(places[groups])


def groups_by_task(responses: Sequence[str], sizes: Sequence[int], most: int, seed: int) -> Int[Tensor, " examples"]:
    """Groups of all related examples, those of different tasks apart.

    Args:
        responses: of all related examples, task after task.
        sizes: how many of them each task has.
        most: groups in all, but at least one a task.
        seed: of the run.
    """
    each = max(1, most // len(sizes))
    parts, taken, groups = [], 0, 0
    for size in sizes:
        found = response_groups(responses[taken : taken + size], each, seed) + groups
        taken, groups = taken + size, int(found.max()) + 1
        parts.append(found)
    return torch.cat(parts)


def _vectors(texts: Sequence[str], sizes: np.ndarray) -> np.ndarray:
    """Of each distinct response which common words it has, as a vector of length 1 (or 0, if it has none)."""
    counts: Counter[str] = Counter()
    for text, size in zip(texts, sizes.tolist(), strict=True):
        counts.update(dict.fromkeys(text.split(), size))
    words = [word for word, n in counts.items() if n >= _COMMON * sizes.sum()]
    places = {word: place for place, word in enumerate(words)}
    vectors = np.zeros((len(texts), len(words)), np.float32)
    for row, text in enumerate(texts):
        vectors[row, [places[word] for word in set(text.split()) if word in places]] = 1
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1), np.float32)


def _k_means(points: np.ndarray, weights: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    best, lowest = np.zeros(len(points), np.int64), np.inf
    for _ in range(_STARTS):
        groups, loss = _descend(points, weights, _spread(points, weights, count, generator))
        if loss < lowest:
            best, lowest = groups, loss
    return best


def _spread(points: np.ndarray, weights: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Starting centres far from each other (k-means++; Arthur and Vassilvitskii, 2007)."""
    chosen = [int(generator.choice(len(points), p=weights / weights.sum()))]
    nearest = _distances(points, points[chosen])[:, 0]
    while len(chosen) < count:
        chances = weights * nearest
        if not chances.sum() > 0:
            break
        chosen.append(int(generator.choice(len(points), p=chances / chances.sum())))
        nearest = np.minimum(nearest, _distances(points, points[chosen[-1:]])[:, 0])
    return points[chosen]


def _descend(points: np.ndarray, weights: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, float]:
    groups = np.full(len(points), -1)
    for _ in range(_ROUNDS):
        distances = _distances(points, centres)
        moved = distances.argmin(axis=1)
        if (moved == groups).all():
            break
        groups = moved
        for group in np.unique(groups):
            inside = groups == group
            centres[group] = np.average(points[inside], axis=0, weights=weights[inside])
    return groups, float((weights * distances.min(axis=1)).sum())


def _distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    squares = (points**2).sum(1)[:, None] - 2 * points @ centres.T + (centres**2).sum(1)
    return np.asarray(np.maximum(squares, 0.0))
