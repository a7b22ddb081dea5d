r"""Method `learned`: weights from a module that learns them by meta-gradients.

The weight of a related example is :math:`w_i = σ(P_η(c_i, a_i))` (Eq. 3). The update ``weights`` descends the
derivative of the primary loss, after K simulated updates with these weights, with respect to η (Eqs. 6-14).

What comes before depends on the module. One that reads examples is taught what short trainings found, which show
which groups of turns help over hundreds of updates, and learns on from there without a warm-up. One with a parameter
a group needs no trials: groups are services, and kinds of response within them where these are few; examples are
drawn by their group's weight.
"""

from tasksieve.models.group_weights import GroupWeights
from tasksieve.training.loop.method import Method, Start, Weighing
from tasksieve.training.methods.grouping import groups_in
from tasksieve.training.methods.registry import register
from tasksieve.training.screening.preparation import screening_of
from tasksieve.weighting import Drawn, Learned


@register
class MetaLearned(Method):
    """As multitask, with related examples weighted by the meta-learned module."""

    name = "learned"
    updates = ("primary", "related", "weights")
    spreads = True
    paper = "Proposed Method"

    def weighing(self, start: Start) -> Weighing:
        """The setting's weight module, taught by a screening if there are trials."""
        module, meta = start.fresh_weight_module(), start.config.meta
        if isinstance(module, GroupWeights):
            module.divide(groups_in(start, module.config.groups))
            (task,) = start.tasks.related
            return Weighing(Drawn(module, task.answerable(), warm_up=meta.warm_up), module)
        prepare = screening_of(start, module) if start.screening.trials else None
        warm_up = 0 if prepare else meta.warm_up
        return Weighing(Learned(module, normalize=meta.normalize_weights, warm_up=warm_up), module, prepare)
