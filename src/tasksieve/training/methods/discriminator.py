r"""Method `discriminator`: how much more likely a related example is a primary one than another.

A logistic regression tells primary training examples (1) from related ones (0) by the words of utterance, response
and history, and by their sentence vectors where there are some; both sides count the same in its loss. With
:math:`D(x)` what it says, and Bayes' rule,

.. math:: w_i ∝ \frac{D(x_i)}{1 - D(x_i)} = \frac{p_P(x_i)}{p_R(x_i)},

the ratio of the densities; weights have the mean 1. ``rivals.strength`` is C, the inverse of the penalty's factor.

This is the discriminator gate of Wang et al., 2019, whose discriminator also sees input and answer. Cao et al., 2018,
weight whole classes by what a model predicts for the target; Zhao et al., 2018, learn features from which a
discriminator cannot tell the domain. Here the discriminator sees fixed features, and does not shape the model's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.training.loop.method import Start
from tasksieve.training.methods.registry import register
from tasksieve.training.rivals.features import Array, views_of
from tasksieve.training.rivals.fixed import FixedWeights
from tasksieve.training.rivals.prepared import Watch


@register
class Discriminator(FixedWeights):
    """As multitask; a classifier's odds that a related example is one of your task are its weight."""

    name = "discriminator"
    reference = "Wang et al., 2019: Characterizing and Avoiding Negative Transfer; also Zhao and Cao et al., 2018"

    def find(self, start: Start, watch: Watch) -> Float[Tensor, " examples"]:
        """The odds."""
        primary = len(start.tasks.primary)
        rows = views_of([start.tasks.primary, *start.tasks.related]).features()
        return torch.from_numpy(odds(rows, primary, start.config.rivals.strength))


def odds(rows: Any, primary: int, strength: float) -> Array:
    """The odds of each related example to be a primary one, if there were as many of these.

    Args:
        rows: features, the primary examples first.
        primary: how many these are.
        strength: C.
    """
    from sklearn.linear_model import LogisticRegression

    labels = (np.arange(rows.shape[0]) < primary).astype(np.int64)
    classifier = LogisticRegression(C=strength, class_weight="balanced", max_iter=500, tol=1e-5)
    classifier.fit(rows, labels)
    found: Array = np.exp(classifier.decision_function(rows[primary:]))
    return found
