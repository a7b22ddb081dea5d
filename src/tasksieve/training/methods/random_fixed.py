"""Method `random-fixed`: weights that say nothing, the same all along."""

import torch

from tasksieve.encoding import derived_generator
from tasksieve.training.loop.method import Method, Start, Weighing
from tasksieve.training.loop.streams import WEIGHTS_STREAM
from tasksieve.training.methods.registry import register
from tasksieve.weighting import PerExample


@register
class RandomFixed(Method):
    """As multitask, with a random weight drawn once for each related example."""

    name = "random-fixed"
    paper = "Random-Fixed"

    def weighing(self, start: Start) -> Weighing:
        """A weight for each example, drawn once, uniform on (0, 1)."""
        generator = derived_generator(start.config.training.seed, WEIGHTS_STREAM)
        tables = [torch.rand(len(task), generator=generator).to(task.device) for task in start.tasks.related]
        return Weighing(PerExample(tables))
