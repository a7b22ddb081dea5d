"""Method `oracle`: the weights that someone who knows would give."""

import torch

from tasksieve.training.loop.method import Method, Start, Weighing
from tasksieve.training.methods.registry import register
from tasksieve.weighting import PerExample, by_task


@register
class Oracle(Method):
    """As multitask, with weight 1 for related examples labelled right and 0 for the others."""

    name = "oracle"
    needs_labels = True
    paper = "Oracle"

    def weighing(self, start: Start) -> Weighing:
        """The labels as weights: 1 for right, 0 for wrong."""
        labels = torch.tensor(start.examples["label"].to_list()).float()
        return Weighing(PerExample(by_task(labels.to(start.tasks.related[0].device), start.tasks.related)))
