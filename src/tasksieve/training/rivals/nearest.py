"""How near related examples are to those of the primary task."""

from __future__ import annotations

from typing import Any

import numpy as np

from tasksieve.training.rivals.features import Array

RECENT = 2
"""So many sentences before the utterance are read."""
_CHUNK = 256


def nearest(queries: Any, texts: Any) -> Array:
    """The highest product of each text's row with that of any query; both sparse, or both dense."""
    best = np.full(texts.shape[0], -np.inf)
    for first in range(0, queries.shape[0], _CHUNK):
        products = queries[first : first + _CHUNK] @ texts.T
        dense = products if isinstance(products, np.ndarray) else products.toarray()
        best = np.maximum(best, dense.max(axis=0))
    return best
