"""Method `joint`: one head, and batches drawn from all tasks' examples together."""

from tasksieve.training.loop.method import Method
from tasksieve.training.methods.registry import register


@register
class Joint(Method):
    """Learn from all examples as if they were one task."""

    name = "joint"
    updates = ("pooled",)
    heads = "one"
    spreads = True
    paper = "Primary + Related"
