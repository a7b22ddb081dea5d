"""The meta-gradient by the adjoint recursion."""

from __future__ import annotations

from dataclasses import dataclass

from tasksieve.contracts import Linearization
from tasksieve.metagrad.automatic_differentiation import ForwardOverReverse
from tasksieve.metagrad.estimators.estimator import by_slopes, register
from tasksieve.metagrad.estimators.recursion import once, recursion
from tasksieve.metagrad.inner_rule import Params
from tasksieve.metagrad.problem import AnyUpdate, MetaGradient
from tasksieve.metagrad.steps import Step


@register("adjoint")
@dataclass(frozen=True, slots=True)
class Adjoint:
    r"""Exact, without a long graph: one Hessian-vector product a step.

    Cost: K forward, backward and double-backward passes, and one of the primary batch. Memory: K short graphs, each
    freed when the recursion has passed it; with Adam K copies of gradients and moments. When: the default.

    Attributes:
        forward_over_reverse: take the products by forward-mode differentiation of the backward pass. No graph is kept
            then, only K copies of θ; it costs K forward and backward passes more, and all operations must have
            forward-mode derivatives. A model's own linearization is used all the same.
    """

    forward_over_reverse: bool = False

    def __call__(self, update: AnyUpdate) -> MetaGradient:
        """The meta-gradient."""
        forward = self.forward_over_reverse and update.problem.linearize is None
        return by_slopes(recursion(_forward_over_reverse if forward else once), update)


def _forward_over_reverse(step: Step, params: Params) -> Linearization:
    return ForwardOverReverse(step.losses, params)
