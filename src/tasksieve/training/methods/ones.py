"""Method `ones`: the row of Table 1 in which all weights are 1."""

from tasksieve.training.loop.method import Method, Start, Weighing
from tasksieve.training.methods.registry import register
from tasksieve.weighting import Ones


@register
class OneForAll(Method):
    """As learned, with all weights 1: the paper's '1 for all'; with primary updates this is multitask."""

    name = "ones"
    paper = "1 for All"

    def weighing(self, start: Start) -> Weighing:
        """Weight 1 for every example."""
        return Weighing(Ones())
