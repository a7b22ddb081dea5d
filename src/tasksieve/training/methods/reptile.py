r"""Method `reptile`: initial parameters in the middle of where related tasks lead.

In each of :math:`n` iterations one related service is drawn, :math:`K` steps of Adam (without momentum, as in the
reference) are done on batches of it, from θ to :math:`\tilde θ`, and

.. math:: θ ← θ + (1 - i / n) (\tilde θ - θ),

with i the iteration, from 0. :math:`n` is ``rivals.iterations``, :math:`K` ``rivals.inner_steps``, and the step size
that of related updates. Adam's second moments go on from task to task. Then the model learns from the primary task
alone.

Reference: Nichol, Achiam and Schulman, 2018, Algorithm 1; on dialogs Dai et al., 2020, learn initial values alike.
"""

from __future__ import annotations

import torch

from tasksieve.contracts import mean_factors
from tasksieve.encoding import derived_generator
from tasksieve.models import learned_params
from tasksieve.training.loop.method import Start
from tasksieve.training.loop.optimizers import adam_of
from tasksieve.training.loop.streams import META_TASKS_STREAM
from tasksieve.training.methods.registry import register
from tasksieve.training.rivals.initialisation import Initialisation, related_tasks
from tasksieve.training.rivals.prepared import Watch

BETAS = (0.0, 0.999)


@register
class Reptile(Initialisation):
    """Learn from related tasks, one after the other, where to start, then from the primary task alone."""

    name = "reptile"
    reference = "Nichol, Achiam & Schulman, 2018: On First-Order Meta-Learning Algorithms"

    def learn(self, start: Start, watch: Watch) -> None:
        """The outer updates."""
        config, model = start.config, start.model
        tasks = related_tasks(start, config.training.batch_size)
        optimizer, params = adam_of(model, config.training.related_lr), learned_params(model)
        for group in optimizer.param_groups:
            group["betas"] = BETAS
        one = next(iter(params.values()))
        steps, iterations = config.rivals.inner_steps, config.rivals.iterations
        for step in range(iterations):
            generator = derived_generator(config.training.seed, META_TASKS_STREAM, step)
            task = tasks[int(torch.randint(len(tasks), (1,), generator=generator))]
            before = {name: value.detach().clone() for name, value in params.items()}
            for k in range(steps):
                batch = task.batch(step * steps + k)
                model.backward([batch], mean_factors([batch], one))
                optimizer.step()
            with torch.no_grad():
                for name, value in params.items():
                    value.copy_(before[name] + (1 - step / iterations) * (value - before[name]))
            watch(step + 1)
