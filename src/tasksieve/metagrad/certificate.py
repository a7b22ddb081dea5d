r"""How far an estimator's meta-gradient is from the exact one in double precision.

.. math:: \cos = \frac{⟨g, g^*⟩}{\|g\| \|g^*\|}, \qquad \text{relative error} = \frac{\|g - g^*\|}{\|g^*\|}
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from torch import Tensor

from tasksieve.metagrad.estimators.central_differences import norm
from tasksieve.metagrad.estimators.estimator import Estimator
from tasksieve.metagrad.estimators.unrolled import Unrolled
from tasksieve.metagrad.inner_rule import Moments, State
from tasksieve.metagrad.problem import AnyUpdate, MetaGradient, Simulation
from tasksieve.metagrad.random_draws import cuda_devices, preserved

CERTIFICATE = "certificate_"
"""What the names of a certificate's numbers begin with among other metrics."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """An estimator's meta-gradient beside the reference.

    Attributes:
        cosine: of the angle between the two; 1 if both are zero, 0 if one is.
        relative_error: the distance over the reference's norm; infinite if only the reference is zero.
        norm: of the estimator's meta-gradient.
        reference_norm: of the reference.
        meta_loss_error: the estimator's meta-loss less the reference's.
        worst: name of the weight module's parameter with the largest distance; empty if there is none.
    """

    cosine: float
    relative_error: float
    norm: float
    reference_norm: float
    meta_loss_error: float
    worst: str

    def metrics(self, prefix: str = CERTIFICATE) -> dict[str, float]:
        """The numbers by name, to be logged with a run's other metrics."""
        numbers = ("cosine", "relative_error", "norm", "reference_norm", "meta_loss_error")
        return {f"{prefix}{name}": getattr(self, name) for name in numbers}


def certify(
    estimator: Estimator,
    update: AnyUpdate,
    *,
    to_double: Callable[[Any], Any] | None = None,
    reference: Estimator | None = None,
) -> Certificate:
    """Hold an estimator against the exact meta-gradient in double precision, for one meta-update.

    Args:
        estimator: the one in use.
        update: as the estimator is given it, and left as it is; the problem's callables must work for double
            ``params`` too, and buffers are theirs to convert.
        to_double: a batch to the same in double precision; by default :func:`double_of`.
        reference: what to hold it against, in double precision; by default :class:`Unrolled`.
    Raises: whatever the reference raises, as where an operation has no second derivative.

    Both draw the same random numbers, as of dropout; torch's generators stand afterwards where they stood before.

    Cost: one estimate, and the reference's, which keeps the whole unroll as one graph.
    """
    with preserved(cuda_devices(update.simulation.params)):
        exact = (reference or Unrolled())(double_update(update, double_of if to_double is None else to_double))
    with preserved(cuda_devices(update.simulation.params)):
        return compared(estimator(update), exact)


def compared(found: MetaGradient, exact: MetaGradient) -> Certificate:
    """Two meta-gradients of the same simulation side by side, the second as the reference."""
    ours = {name: value.double() for name, value in found.gradients.items()}
    theirs = {name: value.double() for name, value in exact.gradients.items()}
    away = {name: ours[name] - value for name, value in theirs.items()}
    size, truth, distance = norm(ours), norm(theirs), norm(away)
    inner = math.fsum(float((ours[name] * value).sum()) for name, value in theirs.items())
    both_zero = size == 0 and truth == 0
    return Certificate(
        cosine=inner / (size * truth) if size and truth else float(both_zero),
        relative_error=distance / truth if truth else 0.0 if both_zero else math.inf,
        norm=size,
        reference_norm=truth,
        meta_loss_error=float(found.meta_loss) - float(exact.meta_loss),
        worst=max(away, key=lambda name: norm({name: away[name]}), default=""),
    )


def double_update(update: AnyUpdate, convert: Callable[[Any], Any]) -> AnyUpdate:
    """A meta-update in double precision, its batches converted by ``convert``."""
    simulation = update.simulation
    double: Simulation[Any, Any] = Simulation(
        {name: value.detach().double() for name, value in simulation.params.items()},
        [convert(batch) for batch in simulation.related_batches],
        convert(simulation.meta_batch),
        None if simulation.state is None else _double_state(simulation.state),
        [convert(batch) for batch in simulation.joint_batches],
    )
    eta = {name: value.detach().double() for name, value in update.weight_params.items()}
    return replace(update, simulation=double, weight_params=eta)


def double_of(batch: Any) -> Any:
    """A batch with its floating-point tensors in double precision.

    Args:
        batch: a tensor, or tuples, lists, mappings and dataclasses of them; anything else stays as it is.
    """
    if isinstance(batch, Tensor):
        return batch.double() if batch.is_floating_point() else batch
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*map(double_of, batch))
    if isinstance(batch, (tuple, list)):
        return type(batch)(map(double_of, batch))
    if isinstance(batch, dict):
        return {key: double_of(value) for key, value in batch.items()}
    if is_dataclass(batch) and not isinstance(batch, type):
        held = {field.name: getattr(batch, field.name) for field in fields(batch) if field.init}
        return replace(batch, **{name: double_of(value) for name, value in held.items()})
    return batch


def _double_state(state: State) -> Mapping[str, Moments]:
    return {
        name: Moments(
            moments.mean.double(), None if moments.square is None else moments.square.double(), moments.steps
        )
        for name, moments in state.items()
    }
