"""The meta-gradient of one step that is small: the primary loss is differentiated where the step starts."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from tasksieve.metagrad.estimators.estimator import by_slopes, register
from tasksieve.metagrad.estimators.one_step import slopes_along
from tasksieve.metagrad.inner_rule import Cotangents, InnerRule
from tasksieve.metagrad.problem import AnyUpdate, MetaGradient
from tasksieve.metagrad.real_optimizer import Grouped
from tasksieve.metagrad.rules import Scaled, Sgd
from tasksieve.metagrad.steps import Unroll


@register("small-step", one_way_back=True, single_step=True, plain_descent=True)
@dataclass(frozen=True, slots=True)
class SmallStep:
    r"""The closed form for K = 1 with :math:`∇L_P(θ)` in place of :math:`∇L_P(θ')`.

    .. math:: \frac{∂ L_P}{∂ w_i} ≈ -⟨β ∇L_P(θ), ∇ℓ_i(θ)⟩,

    with β a step size, or one for each number. It is the limit of ``one-step`` for small steps.

    Cost: one forward and backward pass of the primary batch, and one forward pass of the related one with tangents;
    the step itself is not taken. Memory: one graph at a time. Bias: of the order of β. When: the direction counts and
    not the size, as where η moves by a rule that divides by the size of gradients.

    Raises: ValueError: if more than one step is simulated, or by a rule with moments.
    """

    def __call__(self, update: AnyUpdate) -> MetaGradient:
        """The meta-gradient, to first order in the step size."""
        return by_slopes(_slopes, update)


def _slopes(unroll: Unroll) -> tuple[Tensor, dict[int, Tensor]]:
    steps, params, meta, rule = unroll.steps, unroll.params, unroll.meta, unroll.rule
    if len(steps) > 1:
        raise ValueError(f"the small-step estimator simulates one step, not {len(steps)}; take unroll_length = 1")
    if not _descends(rule):
        raise ValueError("the small-step estimator is for gradient descent; take inner_optimizer = sgd or held-adam")
    losses, adjoint = meta.gradient(params)
    if not steps:
        return losses @ meta.factors, {}
    direction, _ = rule.pullback(adjoint, {}, Cotangents(adjoint, {}, {}))
    return losses @ meta.factors, {0: slopes_along(steps[0], params, direction)}


def _descends(rule: InnerRule) -> bool:
    """Whether a rule is gradient descent without moments, if with step sizes of several kinds."""
    if isinstance(rule, Grouped):
        return all(map(_descends, rule.rules))
    return isinstance(rule, Scaled) or (isinstance(rule, Sgd) and not rule.momentum)
