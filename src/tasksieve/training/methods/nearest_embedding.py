r"""Method `nearest-embedding`: the related examples whose meaning is most like a primary example's.

An example is the vectors of its utterance, of its response, and of the last two sentences before (their mean), each
of length 1, side by side: :math:`e`. Without a pretrained encoder they are rows of TF-IDF. The score of a related
example :math:`r` is that of the nearest primary one,

.. math:: \max_p \cos(e_p, e_r).

The share ``rivals.share`` with the highest scores is kept.

Reference: the representation-based selection that Xia et al., 2024, compare with; here with a frozen encoder, and
with the nearest example instead of the mean over all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.training.loop.method import Start
from tasksieve.training.methods.registry import register
from tasksieve.training.rivals.features import Views, tfidf, unit, views_of
from tasksieve.training.rivals.fixed import TopShare
from tasksieve.training.rivals.nearest import RECENT, nearest
from tasksieve.training.rivals.prepared import Watch


@register
class NearestEmbedding(TopShare):
    """As multitask, with the half of the related examples whose sentence vectors are nearest to your task's."""

    name = "nearest-embedding"
    reference = "representation-based selection, as in Xia et al., 2024"

    def scores(self, start: Start, watch: Watch) -> Float[Tensor, " examples"]:
        """The cosine with the nearest primary example."""
        primary = len(start.tasks.primary)
        rows = embeddings(views_of([start.tasks.primary, *start.tasks.related], RECENT))
        return torch.from_numpy(nearest(rows[:primary], rows[primary:]))


def embeddings(views: Views) -> Any:
    """A row of length 1 an example; sparse where there are no vectors."""
    from scipy.sparse import hstack

    if views.vectors is None:
        return unit(hstack([tfidf(counts) for counts in views.words]).tocsr())
    return unit(np.hstack([unit(rows) for rows in views.vectors]))
