r"""Method `cluster-attention`: attention over clusters of related examples.

Related examples are put into :math:`K` clusters by k-means (``rivals.clusters``) over the words of utterance,
response and history, and over their sentence vectors where there are some. With :math:`a` a parameter a cluster,
cluster :math:`k` is attended to by

.. math:: α_k = \frac{e^{a_k}}{\sum_j e^{a_j}}, \qquad L = L_P + \sum_k α_k \bar L_k,

:math:`\bar L_k` being the mean loss of its examples: in batches their weight is :math:`α_k` by the part of the
examples that is in the cluster. At first all weights are 1. The reference learns model and attention in turn; here
:math:`a` learns by the meta-gradient of the primary loss, as in `learned` (``meta.*``), without a screening.

Reference: Moon and Carbonell, 2017.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from tasksieve.training.loop.method import Method, Start, Weighing
from tasksieve.training.methods.registry import register
from tasksieve.training.rivals.features import views_of
from tasksieve.training.rivals.proportions import by_proportion

_STARTS = 3
_BATCH = 2048
"""Examples in a step of k-means: an archive may have many."""


@register
class ClusterAttention(Method):
    """As multitask, with a meta-learned weight for each cluster of related examples; no screening."""

    name = "cluster-attention"
    updates = ("primary", "related", "weights")
    reference = "Moon & Carbonell, 2017: Completely Heterogeneous Transfer Learning with Attention"

    def weighing(self, start: Start) -> Weighing:
        """Clusters are found at once; checkpoints hold them."""
        rows = views_of(start.tasks.related).features()
        return by_proportion(start, clusters_of(rows, start.config.rivals.clusters, start.config.training.seed))


def clusters_of(rows: Any, most: int, seed: int) -> Int[Tensor, " examples"]:
    """The cluster of each example, from 0 without gaps.

    Args:
        rows: sparse, one an example.
        most: clusters; fewer if there are fewer examples.
        seed: of the starts, of which the best is taken.
    """
    import warnings

    from sklearn.cluster import MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    count = min(most, rows.shape[0])
    means = MiniBatchKMeans(count, batch_size=_BATCH, n_init=_STARTS, random_state=seed % 2**32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct examples than clusters
        found = means.fit_predict(rows)
    return torch.from_numpy(np.unique(found, return_inverse=True)[1].astype(np.int64))
