"""Method `primary`: no related data."""

from tasksieve.training.loop.method import Method
from tasksieve.training.methods.registry import register


@register
class Primary(Method):
    """Learn from the primary task alone."""

    name = "primary"
    updates = ("primary",)
    spreads = True
    paper = "Primary"
