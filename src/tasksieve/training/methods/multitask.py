"""Method `multitask`: what a method does that overrides nothing, all weights being 1."""

from tasksieve.training.loop.method import Method
from tasksieve.training.methods.registry import register


@register
class Multitask(Method):
    """Learn from both, with a head each on a shared body."""

    name = "multitask"
    spreads = True
    paper = "Primary + Auxiliary Related (Multi-Task)"
