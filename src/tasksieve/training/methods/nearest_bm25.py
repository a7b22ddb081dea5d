r"""Method `nearest-bm25`: the related examples whose words are most like a primary example's.

An example's words are those of its utterance, of its response and of the last two sentences before. The score of a
related example :math:`r` is that of the primary example :math:`p` which finds it best,

.. math:: \max_p \sum_{t ∈ p} \ln\left(1 + \frac{n - n_t + 0.5}{n_t + 0.5}\right)
   \frac{c_t (k_1 + 1)}{c_t + k_1 (1 - b + b\, l_r / \bar l)},

with :math:`c_t` the times that r has the word, :math:`l_r` its length (:math:`\bar l` on average), :math:`n_t` of
:math:`n` related examples having it, :math:`k_1 = 1.5` and :math:`b = 0.75`. The share ``rivals.share`` with the
highest scores is kept.

Reference: Robertson et al., 1994; as a selection of data a baseline of Xia et al., 2024.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.training.loop.method import Start
from tasksieve.training.methods.registry import register
from tasksieve.training.rivals.features import views_of
from tasksieve.training.rivals.fixed import TopShare
from tasksieve.training.rivals.nearest import RECENT, nearest
from tasksieve.training.rivals.prepared import Watch

K1, B = 1.5, 0.75


@register
class NearestBm25(TopShare):
    """As multitask, with the half of the related examples whose words are most like one of your task's."""

    name = "nearest-bm25"
    reference = "Robertson et al., 1994: Okapi at TREC-3; as a selection in Xia et al., 2024"

    def scores(self, start: Start, watch: Watch) -> Float[Tensor, " examples"]:
        """The best score by any primary example."""
        views = views_of([start.tasks.primary, *start.tasks.related], RECENT)
        counts, primary = views.together(), len(start.tasks.primary)
        return torch.from_numpy(nearest((counts[:primary] > 0).astype(np.float64), bm25(counts[primary:])))


def bm25(counts: Any) -> Any:
    """What each word of a query adds to the score of each text: a sparse row a text.

    Args:
        counts: how often each text has each word.
    """
    rows = counts.tocsr(copy=True)
    texts, lengths = rows.shape[0], np.asarray(rows.sum(axis=1)).ravel()
    holders = np.bincount(rows.indices, minlength=rows.shape[1])
    short = K1 * (1 - B + B * lengths / max(lengths.mean(), 1e-12))
    rows.data = rows.data * (K1 + 1) / (rows.data + np.repeat(short, np.diff(rows.indptr)))
    rows.data *= np.log1p((texts - holders + 0.5) / (holders + 0.5))[rows.indices]
    return rows
