r"""Method `maml`: initial parameters from which a few steps on any related task lead far.

For tasks :math:`t`, up to four in an iteration, with a batch :math:`S_t` to learn from and another :math:`Q_t` to
judge by,

.. math:: θ_{t,0} = θ, \quad θ_{t,k+1} = θ_{t,k} - β ∇ L_{S_t}(θ_{t,k}), \quad
   θ ← \text{Adam step along } \frac{1}{T} \sum_t \frac{d L_{Q_t}(θ_{t,K})}{dθ},

with :math:`K` ``rivals.inner_steps``, :math:`β` ``meta.inner_lr`` and Adam's step size ``training.primary_lr``, for
``rivals.iterations`` iterations. Tasks are related services. Then the model learns from the primary task alone.

By default in first order: :math:`∇ L_{Q_t}(θ_{t,K})` stands for the derivative by θ. With ``rivals.first_order =
false`` it is exact: :math:`v ← v - β ∇^2 L_{S_t}(θ_{t,k}) v` from the last step back to the first.

Reference: Finn, Abbeel and Levine, 2017, Algorithm 1; on dialogs Qian and Yu, 2019, and Madotto et al., 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from tasksieve.contracts import ExampleBatch, Linearization, mean_factors
from tasksieve.encoding import derived_generator
from tasksieve.metagrad import Params
from tasksieve.models import Model, learned_params
from tasksieve.training.loop.method import Start
from tasksieve.training.loop.optimizers import adam_of, lr_factors
from tasksieve.training.loop.streams import META_TASKS_STREAM
from tasksieve.training.methods.registry import register
from tasksieve.training.rivals.initialisation import Initialisation, related_tasks
from tasksieve.training.rivals.prepared import Watch

TASKS = 4
"""At most so many in an iteration."""
Rates = Mapping[str, float]
"""The step size of each parameter, by name."""


@register
class Maml(Initialisation):
    """Learn from related tasks where to start so that few steps are enough, then from the primary task alone."""

    name = "maml"
    reference = "Finn, Abbeel & Levine, 2017: Model-Agnostic Meta-Learning (first-order by default)"

    def learn(self, start: Start, watch: Watch) -> None:
        """The outer updates."""
        config, model = start.config, start.model
        tasks = related_tasks(start, 2 * config.training.batch_size)
        optimizer = adam_of(model, config.training.primary_lr)
        params = learned_params(model)
        name_of = {id(value): name for name, value in params.items()}
        rates = {
            name_of[id(value)]: config.meta.inner_lr * factor
            for values, factor in lr_factors(optimizer)
            for value in values
        }
        for step in range(config.rivals.iterations):
            generator = derived_generator(config.training.seed, META_TASKS_STREAM, step)
            drawn = torch.randperm(len(tasks), generator=generator)[:TASKS].tolist()
            optimizer.zero_grad(set_to_none=True)
            for place in drawn:
                support, query = tasks[place].halves(step)
                found = outer_gradient(model, support, query, rates, config.rivals.inner_steps,
                                       first_order=config.rivals.first_order)  # fmt: skip
                for name, value in found.items():
                    part = value / len(drawn)
                    before = params[name].grad
                    params[name].grad = part if before is None else before + part
            optimizer.step()
            watch(step + 1)


def outer_gradient(
    model: Model, support: ExampleBatch, query: ExampleBatch, rates: Rates, steps: int, *, first_order: bool
) -> Params:
    """The derivative of a task's query loss, after steps on its support loss, by the parameters before them.

    Args:
        model: its parameters are where the steps start, and stay as they are.
        support, query: batches of the task.
        rates: the step sizes.
        steps: K.
        first_order: whether the gradient after the steps stands for the derivative.
    Returns: by name; parameters on which the query loss does not depend are left out.
    """
    params: Params = {name: value.detach() for name, value in learned_params(model).items()}
    path: list[Linearization] = []
    for _ in range(steps):
        linear, gradient = _mean_gradient(model, params, support)
        params = {n: value - rates[n] * gradient[n] if n in gradient else value for n, value in params.items()}
        if not first_order:
            path.append(linear)
    direction = _mean_gradient(model, params, query)[1]
    return _pulled_back(direction, path, rates)


def _mean_gradient(model: Model, params: Params, batch: ExampleBatch) -> tuple[Linearization, Params]:
    linear = model.linearize(params, [batch])
    found = linear.gradient(mean_factors([batch], linear.losses))
    return linear, {name: value for name, value in found.items() if value is not None}


def _pulled_back(direction: Params, path: Sequence[Linearization], rates: Rates) -> Params:
    """A gradient after the steps of a path as one before them."""
    for linear in reversed(path):
        scaled = {name: rates[name] * value for name, value in direction.items()}
        _, products = linear.second(scaled)
        direction = dict(direction)
        for name, product in products.items():
            before: Tensor | None = direction.get(name)
            direction[name] = -product if before is None else before - product
    return direction
