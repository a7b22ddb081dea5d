r"""Method `instance-weighting`: without related examples that mislead, and the primary task counted more.

A model P is trained on the primary task alone. Related examples that it predicts wrongly are thought to mislead;
those that it is surest of go first. With :math:`c_i = \max_a P(a \mid x_i)` and so many to drop as are wrong, but at
most a share of :math:`1 - s` of all,

.. math:: w_i = \frac{1}{f} \cdot \frac{n}{n_\text{kept}} \;\text{or}\; 0
   \quad\text{where}\quad \arg\max_a P(a \mid x_i) \ne a_i \;\text{and}\; c_i \;\text{is among the largest.}

:math:`s` is ``rivals.share``. The primary task counts :math:`f` times as much (``rivals.primary_factor``); beside
that every iteration draws as many examples of it as of a related task, however few it has.

Reference: Jiang and Zhai, 2007: the heuristics for misleading source examples and for labelled target examples.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tasksieve.records.config import LoopConfig
from tasksieve.training.loop.method import Start
from tasksieve.training.methods.registry import register
from tasksieve.training.rivals.fixed import FixedWeights, answerable
from tasksieve.training.rivals.prepared import Watch
from tasksieve.training.rivals.short_training import model_of_primary, predictions_of


@register
class InstanceWeighting(FixedWeights):
    """As multitask, without related examples that a model of your task gets wrong and is sure of."""

    name = "instance-weighting"
    reference = "Jiang & Zhai, 2007: Instance Weighting for Domain Adaptation in NLP"

    def iterations(self, config: LoopConfig) -> int:
        """Those of the model of the primary task."""
        return config.rivals.iterations

    def mean(self, config: LoopConfig) -> float:
        """Less than 1 where the primary task counts more."""
        return 1 / config.rivals.primary_factor

    def find(self, start: Start, watch: Watch) -> Float[Tensor, " examples"]:
        """0 for those that mislead."""
        model = model_of_primary(start, watch)
        found = [predictions_of(model, task) for task in start.tasks.related]
        right, confidence = (torch.cat(parts) for parts in zip(*found, strict=True))
        most = round((1 - start.config.rivals.share) * int(answerable(start.tasks.related).sum()))
        return (~misleading(right, confidence, most)).float()


def misleading(
    right: Bool[Tensor, " examples"], confidence: Float[Tensor, " examples"], most: int
) -> Bool[Tensor, " examples"]:
    """Which of the examples predicted wrongly are dropped: those predicted most surely, at most so many."""
    wrong = torch.nonzero(~right).flatten()
    order = torch.argsort(confidence[wrong], descending=True, stable=True)
    dropped = torch.zeros_like(right)
    dropped[wrong[order[:most]]] = True
    return dropped
