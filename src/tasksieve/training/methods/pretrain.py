"""Method `pretrain`: related data first, and never again."""

from tasksieve.training.loop.method import Method
from tasksieve.training.methods.registry import register


@register
class Pretrain(Method):
    """Learn from related data first, then from the primary task alone."""

    name = "pretrain"
    updates = ("primary",)
    heads = "one"
    pretrain = ("related",)
    spreads = True
    paper = "Primary + Related Pre-Training"
