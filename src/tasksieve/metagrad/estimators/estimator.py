r"""What an estimator of the meta-gradient is, how it is known by its name, and what all of them share.

The weights of the K batches do not depend on θ, so the chain rule splits at them:

.. math:: ∇_η L_P(θ_K) = \sum_{k,i} \frac{∂ L_P(θ_K)}{∂ w_{k,i}} ∇_η w_{k,i}(η) .

Estimators differ in the first factor, the slopes; the second is one backward pass through the weight module, for all
K batches at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor

from tasksieve.metagrad.inner_rule import InnerRule, Params, State
from tasksieve.metagrad.problem import AnyUpdate, MetaGradient
from tasksieve.metagrad.steps import Step, Unroll, Weights, unroll_of


@runtime_checkable
class Estimator(Protocol):
    """A way to the meta-gradient."""

    def __call__(self, update: AnyUpdate) -> MetaGradient:
        """The meta-gradient with respect to ``update.weight_params``; what is given is left as it is."""
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


@dataclass(frozen=True, slots=True)
class EstimatorKind:
    """An estimator as it is known by its name.

    Attributes:
        make: its constructor, to be called with its options.
        second_derivatives: whether it takes second derivatives of the related losses.
        keeps_state: whether it is a :class:`StatefulEstimator`.
        few_weight_params: whether it is for a weight module of few parameters only.
        one_way_back: whether it does without passes back through a pass back, where operations have forward-mode
            derivatives.
        single_step: whether it simulates at most one step.
        plain_descent: whether the step must be one of gradient descent, without moments.
    """

    make: Callable[..., Estimator]
    second_derivatives: bool
    keeps_state: bool
    few_weight_params: bool
    one_way_back: bool = False
    single_step: bool = False
    plain_descent: bool = False

    @property
    def fits_runs(self) -> bool:
        """Whether a run can use it, whose weight module may be of any size and whose checkpoints hold no more."""
        return not self.keeps_state and not self.few_weight_params


ESTIMATORS: dict[str, EstimatorKind] = {}
"""All estimators by name; each says in its docstring what it computes, what it costs and when to use it."""

Made = TypeVar("Made", bound=Callable[..., Estimator])


def register(
    name: str,
    *,
    second_derivatives: bool = True,
    keeps_state: bool = False,
    few_weight_params: bool = False,
    one_way_back: bool = False,
    single_step: bool = False,
    plain_descent: bool = False,
) -> Callable[[Made], Made]:
    """Make an estimator known by its name; a decorator of its class.

    Args:
        name: to be asked for by.
        second_derivatives, keeps_state, few_weight_params, one_way_back, single_step, plain_descent: as in
            :class:`EstimatorKind`.
    Example:
        >>> @register("nothing", second_derivatives=False)
        ... class Nothing:
        ...     def __call__(self, update):
        ...         zeros = {name: torch.zeros_like(value) for name, value in update.weight_params.items()}
        ...         return MetaGradient(zeros, torch.zeros(()), ())
        >>> found = estimator_named("nothing")
        >>> kind = ESTIMATORS.pop("nothing")
    """

    def known(make: Made) -> Made:
        flags = second_derivatives, keeps_state, few_weight_params, one_way_back, single_step, plain_descent
        ESTIMATORS[name] = EstimatorKind(make, *flags)
        return make

    return known


def estimator_named(name: str, **options: object) -> Estimator:
    """An estimator by its name.

    Args:
        name: a key of :data:`ESTIMATORS`.
        options: of its constructor.
    Raises: ValueError: if there is none of this name; the message lists all.
    """
    if name not in ESTIMATORS:
        raise ValueError(f"unknown estimator '{name}'; known: {', '.join(ESTIMATORS)}")
    return ESTIMATORS[name].make(**options)


Slopes = Callable[[Unroll], tuple[Tensor, dict[int, Tensor]]]
"""What is simulated to the meta-loss and, by the related batch's number, its derivative by that batch's factors."""


def by_slopes(slopes: Slopes, update: AnyUpdate) -> MetaGradient:
    """The meta-gradient from its slopes: the part that estimators of this kind have in common."""
    eta = {name: value.detach().requires_grad_() for name, value in update.weight_params.items()}
    weights = Weights(update)(eta)
    bare = tuple(weight.detach() for weight in weights)
    unroll = unroll_of(update, bare)
    meta_loss, found = slopes(unroll)
    scales = {step.number: step.scale for step in unroll.steps if step.number is not None}
    by_weight = tuple(
        found[number] * scales[number] if number in found else torch.zeros_like(weight)
        for number, weight in enumerate(bare)
    )
    return MetaGradient(through_weights(weights, by_weight, eta), meta_loss, bare, by_weight)


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


def moved_by(steps: Sequence[Step], rule: InnerRule, params: Params, state: State) -> tuple[Params, State]:
    """Where the steps end, without a graph."""
    for step in steps:
        found = step.gradient(params)[1]
        params, state = rule.step(params, {name: found.get(name) for name in params}, state)
    return params, state
