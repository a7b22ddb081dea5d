r"""Method `adapt`: how much is drawn of each related service, learned by meta-gradients.

With a parameter :math:`a_k` a service, and :math:`q_k` the part of the related examples that is of service k,

.. math:: p = φ q + (1 - φ) \mathrm{softmax}(a), \qquad w_i = p_{k(i)} / q_{k(i)},

and :math:`a` descends the meta-gradient of the primary loss, as in `learned` (``meta.*``), without a screening. At
first :math:`p = q`: all weights are 1. With one related service they stay 1.

The reference draws tasks with the chances :math:`p` where this weights what was drawn, which is the same in the mean;
its objective is a smooth maximum over several validation tasks, of which there is one here; and it adds the entropy
of p so that no task is lost, for which there is a floor here, :math:`φ` (``rivals.floor``).

Reference: Kadasi, Upperwal and Singh, 2025.
"""

from __future__ import annotations

from tasksieve.training.loop.method import Method, Start, Weighing
from tasksieve.training.methods.registry import register
from tasksieve.training.rivals.proportions import by_proportion
from tasksieve.training.rivals.services import services_of


@register
class Adapt(Method):
    """As multitask, with a meta-learned weight for each related service; no screening."""

    name = "adapt"
    updates = ("primary", "related", "weights")
    reference = "Kadasi et al., 2025: ADAPT: Learning Task Mixtures for Budget-Constrained Instruction Tuning"

    def weighing(self, start: Start) -> Weighing:
        """One group a service."""
        return by_proportion(start, services_of(start), start.config.rivals.floor)
