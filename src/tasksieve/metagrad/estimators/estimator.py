r"""What an estimator of the meta-gradient is, and what all of them share.

The weights of the K batches do not depend on θ, so the chain rule splits at them:

.. math:: ∇_η L_P(θ_K) = \sum_{k,i} \frac{∂ L_P(θ_K)}{∂ w_{k,i}} ∇_η w_{k,i}(η) .

Estimators differ in the first factor, the slopes; the second is one backward pass through the weight module, for all
K batches at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from tasksieve.metagrad.inner import InnerRule, Params, State
from tasksieve.metagrad.problem import BilevelProblem, MetaGradient, Simulation, Step, primary_step, simulated_steps


@runtime_checkable
class Estimator(Protocol):
    """A way to the meta-gradient."""

    def __call__(
        self,
        problem: BilevelProblem[Any, Any],
        rule: InnerRule,
        simulation: Simulation[Any, Any],
        weight_params: Params,
    ) -> MetaGradient:
        """The meta-gradient with respect to ``weight_params``, which are left as they are."""
        ...


@runtime_checkable
class StatefulEstimator(Estimator, Protocol):
    """An estimator that keeps something from call to call; a checkpoint has to hold it."""

    def state_dict(self) -> dict[str, Tensor]:
        """What is kept, as tensors by name, detached from further calls."""
        ...

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what :meth:`state_dict` gave, of an estimator with the same options."""
        ...


Slopes = Callable[[Sequence[Step], InnerRule, Simulation[Any, Any], Step], tuple[Tensor, dict[int, Tensor]]]
"""(steps, rule, simulation, the meta-loss as a step) to the meta-loss and, by the related batch's number, its
derivative by that batch's factors."""


def by_slopes(
    slopes: Slopes,
    problem: BilevelProblem[Any, Any],
    rule: InnerRule,
    simulation: Simulation[Any, Any],
    weight_params: Params,
) -> MetaGradient:
    """The meta-gradient from its slopes: the part that estimators of this kind have in common."""
    eta = {name: value.detach().requires_grad_() for name, value in weight_params.items()}
    batches = simulation.related_batches
    weights = list(problem.example_weights(eta, batches)) if batches else []
    bare = tuple(weight.detach() for weight in weights)
    steps = simulated_steps(problem, simulation, bare)
    meta_loss, found = slopes(steps, rule, simulation, meta_step(problem, simulation))
    scales = {step.number: step.scale for step in steps if step.number is not None}
    by_weight = tuple(
        found[number] * scales[number] if number in found else torch.zeros_like(weight)
        for number, weight in enumerate(bare)
    )
    return MetaGradient(through_weights(weights, by_weight, eta), meta_loss, bare, by_weight)


def meta_step(problem: BilevelProblem[Any, Any], simulation: Simulation[Any, Any]) -> Step:
    """The meta-loss as a step, whose factors sum or average the losses."""
    return primary_step(problem, simulation.meta_batch, simulation.params)


def through_weights(weights: Sequence[Tensor], slopes: Sequence[Tensor], eta: Params) -> Params:
    """Pull slopes back through the weight module; zeros for what has no influence."""
    dependent = [(w, s) for w, s in zip(weights, slopes, strict=True) if w.requires_grad]
    if not dependent:
        return {name: torch.zeros_like(value) for name, value in eta.items()}
    outputs, seeds = zip(*dependent, strict=True)
    gradients = torch.autograd.grad(
        outputs, list(eta.values()), grad_outputs=seeds, allow_unused=True, materialize_grads=True
    )
    return dict(zip(eta, gradients, strict=True))


def losses_and_gradient(step: Step, params: Params) -> tuple[Tensor, Params]:
    """A step's losses, and the gradient of their sum times the factors; names it does not depend on are left out."""
    theta = {name: value.detach().requires_grad_() for name, value in params.items()}
    losses = step.losses(theta)
    if not losses.requires_grad:
        return losses, {}
    found = torch.autograd.grad(losses @ step.factors, list(theta.values()), allow_unused=True)
    return losses.detach(), {name: value for name, value in zip(theta, found, strict=True) if value is not None}


def turned_at(meta: Step, params: Params) -> tuple[Tensor, Params]:
    """Likewise of the meta-loss, by the model's own way if it has one."""
    linear = meta.own(params)
    if linear is None:
        return losses_and_gradient(meta, params)
    gradients = linear.gradient(meta.factors)
    return linear.losses, {name: value for name, value in gradients.items() if value is not None}


def moved_by(steps: Sequence[Step], rule: InnerRule, params: Params, state: State) -> tuple[Params, State]:
    """Where the steps end, without a graph."""
    for step in steps:
        found = losses_and_gradient(step, params)[1]
        params, state = rule.step(params, {name: found.get(name) for name in params}, state)
    return params, state
