r"""Method `learned`: weights from a module that learns them by meta-gradients, after a screening.

The weight of a related example is :math:`w_i = σ(P_η(c_i, a_i))` (Eq. 3). The update ``weights`` descends the
derivative of the primary loss, after K simulated updates with these weights, with respect to η (Eqs. 6-14). Where
examples are turns of dialogs, short trainings come first that show which groups of them help over hundreds of
updates; the module is taught what they found, and learns on from there without a warm-up.
"""

from tasksieve.training.loop.method import Method, Start, Weighing
from tasksieve.training.methods.registry import register
from tasksieve.training.screening.preparation import screening_of
from tasksieve.weighting import Learned


@register
class MetaLearned(Method):
    """As multitask, with related examples weighted by the meta-learned module."""

    name = "learned"
    updates = ("primary", "related", "weights")
    paper = "Proposed Method"

    def weighing(self, start: Start) -> Weighing:
        """The setting's weight module, taught by a screening if there are trials."""
        module, meta = start.fresh_weight_module(), start.config.meta
        prepare = screening_of(start, module) if start.screening.trials else None
        warm_up = 0 if prepare else meta.warm_up
        return Weighing(Learned(module, normalize=meta.normalize_weights, warm_up=warm_up), module, prepare)
