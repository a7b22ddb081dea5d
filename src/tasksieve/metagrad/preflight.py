r"""Before training: do the related losses have the second derivatives that a meta-gradient needs?

Some operations refuse to be differentiated twice, and some return zeros without a word. So the Hessian-vector product
of one batch is taken as the estimators take it, and held against central differences of the gradient:

.. math:: \Big\| H v - \frac{g(θ + εv) - g(θ - εv)}{2ε} \Big\| \le \max(τ \|Hv\|, \text{rounding})

The differences are taken in double precision, if the losses work in it; if not, kinks as of ReLU cannot be told from
errors, and only what is certain counts.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from tasksieve.errors import UserError
from tasksieve.metagrad.automatic_differentiation import AutogradLinearization
from tasksieve.metagrad.certificate import double_of, double_update
from tasksieve.metagrad.differences import Comparison, compare, is_random
from tasksieve.metagrad.estimators.estimator import ESTIMATORS
from tasksieve.metagrad.findings import Preflight, refused, suspect, walked, wrong
from tasksieve.metagrad.inner_rule import Params
from tasksieve.metagrad.problem import AnyUpdate
from tasksieve.metagrad.random_draws import cuda_devices, preserved
from tasksieve.metagrad.steps import Step, Weights, losses_and_gradient, unroll_of

TOLERANCE = 0.05
"""τ: a wrong second derivative is off by its own size, differences by far less."""

_HALF = 0.5
_RANDOM = (
    "the losses of the same batch differ from call to call, by random numbers that are not torch's own: second "
    "derivatives were not compared, and meta-gradients are wrong if they are not of one function"
)
_NO_DERIVATIVE = (
    "the gradient is not the derivative of the losses (detach()?), so that second derivatives could not be compared"
)
_KINKS = (
    "second derivatives differ from finite differences by {:.0f} %, in single precision: by kinks such as ReLU's, or "
    "an operation that lacks part of them; losses that work in float64 too would tell"
)


class NoSecondDerivative(UserError):
    """The model lacks what the chosen estimator needs, and the run was told to stop then."""


def preflight(update: AnyUpdate) -> Preflight:
    """Take second derivatives of the first simulated steps' losses, and compare them with differences.

    Args:
        update: as an estimator is given it; its first related batch, and its first joint one, are used. Its
            ``problem.linearize`` is what is tried where it is given. It is left as it is, and so are torch's
            generators.
    Returns: the verdict; an operation that fails is part of it and not raised.
    Raises: ValueError: if the losses or the weights do not have one value an example, or differ in dtype.

    Cost: about a dozen forward and backward passes, most of them in double precision.
    """
    with preserved(cuda_devices(update.simulation.params)):
        return _looked_at(update) if update.simulation.related_batches else Preflight()


def _looked_at(update: AnyUpdate) -> Preflight:
    simulation = update.simulation
    batches, joint = simulation.related_batches[:1], simulation.joint_batches[:1]
    first = replace(update, simulation=replace(simulation, related_batches=batches, joint_batches=joint))
    eta = {name: value.detach().requires_grad_() for name, value in update.weight_params.items()}
    (weights,) = Weights(first)(eta)
    warnings = _precision(simulation.params | update.weight_params)
    found = Preflight()
    unroll = unroll_of(first, (weights.detach(),))
    for number, step in enumerate(unroll.steps):
        found = _examined(step, unroll.params)
        if found.ok:
            found = _compared(step, unroll.params, _in_double(first, weights.detach(), number))
        warnings += found.warnings
        if not found.ok:
            break
    if found.ok and not weights.requires_grad:
        found = Preflight(
            ok=False,
            message="the example weights do not depend on weight_params",
            advice="call the weight module by torch.func.functional_call with the weight_params it is given",
            fallback=None,
            apart="weights",
        )
    return replace(found, warnings=tuple(dict.fromkeys(warnings)))


def check_failure(on_failure: str) -> None:
    """Refuse what is neither ``fallback`` nor ``stop``. Raises: ValueError: naming both."""
    if on_failure not in ("fallback", "stop"):
        raise ValueError(f"on_failure is '{on_failure}'; it may be 'fallback' or 'stop'")


def chosen_estimator(found: Preflight, preferred: str, on_failure: str = "fallback") -> str:
    """The name of the estimator to train with.

    Args:
        found: by :func:`preflight`.
        preferred: the estimator that is asked for.
        on_failure: ``fallback`` to take another one if that cannot work, or ``stop``.
    Returns: ``preferred``, or ``found.fallback``.
    Raises: NoSecondDerivative: if it cannot work and the run is to stop, or if no other one would either.
        ValueError: if ``on_failure`` is neither of the two.
    """
    check_failure(on_failure)
    if found.ok or (found.fallback and not ESTIMATORS[preferred].second_derivatives):
        return preferred
    if found.fallback is None or on_failure == "stop":
        raise NoSecondDerivative(f"the estimator '{preferred}' cannot work: {found.message}. {found.advice}")
    return found.fallback


def _examined(step: Step, params: Params) -> Preflight:
    """One step's losses, differentiated twice as estimators do it."""
    trouble = _first(step, params)
    if trouble is not None:
        return trouble
    linear = step.linearize(params)
    trouble = walked(step, params) if isinstance(linear, AutogradLinearization) else None
    if trouble is not None:
        return trouble
    try:
        gradient = {name: value for name, value in linear.gradient(step.factors).items() if value is not None}
        linear.second(gradient)
    except (RuntimeError, NotImplementedError) as error:
        if "does not require grad" in str(error):
            return wrong(step, params, 1.0)
        return refused(str(error), step, params)
    return Preflight()


def _first(step: Step, params: Params) -> Preflight | None:
    """What is wrong with the first derivatives, if anything is."""
    gradient = losses_and_gradient(step, params)[1] if _depends(step, params) else {}
    if not gradient:
        return Preflight(
            ok=False,
            message="the losses do not depend on params",
            advice="call the model by torch.func.functional_call with the params it is given, and not under no_grad",
            fallback=None,
            apart="losses",
        )
    sparse = next((name for name, value in gradient.items() if value.is_sparse), None)
    if sparse is not None:
        return Preflight(
            ok=False,
            operation="embedding with sparse=True",
            message=f"the gradient of {sparse} is sparse",
            advice="make the embedding with sparse=False",
            fallback=None,
        )
    return None


def _depends(step: Step, params: Params) -> bool:
    losses = step.losses({name: value.detach().requires_grad_() for name, value in params.items()})
    if losses.shape != step.factors.shape:
        raise ValueError(
            f"losses have shape {tuple(losses.shape)}, their weights {tuple(step.factors.shape)}; "
            "both need one value an example"
        )
    if losses.dtype != step.factors.dtype:
        raise ValueError(f"losses are {losses.dtype}, their weights {step.factors.dtype}; convert one to the other")
    return losses.requires_grad


def _in_double(update: AnyUpdate, weights: Tensor, number: int) -> Comparison | None:
    """The comparison of one of the steps in double precision; None if the losses do not work in it."""
    double = double_update(update, double_of)
    try:
        unroll = unroll_of(double, (weights.double(),))
        return compare(unroll.steps[number], unroll.params)
    except Exception:  # whatever someone's losses say of a dtype that they do not expect
        return None


def _compared(step: Step, params: Params, double: Comparison | None) -> Preflight:
    """Second derivatives against differences, where that is possible."""
    if is_random(step, params):
        return Preflight(warnings=(_RANDOM,))
    if double is None and step.factors.dtype != torch.float32:
        return Preflight()
    found = double or compare(step, params)
    if not math.isfinite(found.first):
        return Preflight()  # a loss or gradient is not finite: training itself says so, with the place
    if found.slopes > TOLERANCE:
        return wrong(step, params, found.slopes)
    if found.second < TOLERANCE:
        return Preflight(error=found.second)
    if found.first > TOLERANCE:
        return Preflight(warnings=(_NO_DERIVATIVE,))
    if double is not None or (found.second > _HALF and suspect(step, params, silent=True) is not None):
        return wrong(step, params, found.second)
    return Preflight(error=found.second, warnings=(_KINKS.format(100 * found.second),))


def _precision(params: Params) -> tuple[str, ...]:
    low = sorted({str(value.dtype).removeprefix("torch.") for value in params.values() if value.element_size() < 4})
    notes = [
        f"parameters are {name}: meta-gradients add up small differences and are imprecise in it; keep float32"
        for name in low
    ]
    if any(torch.is_autocast_enabled(kind) for kind in {value.device.type for value in params.values()}):
        notes.append("autocast is on: meta-gradients are imprecise in half precision; take them with it disabled")
    return tuple(notes)
