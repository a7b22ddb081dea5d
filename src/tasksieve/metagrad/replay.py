"""A meta-gradient taken slowly: the adjoint recursion with the size of every quantity on the way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from torch import Tensor

from tasksieve.contracts import Linearization
from tasksieve.metagrad.estimators.central_differences import norm
from tasksieve.metagrad.estimators.estimator import through_weights
from tasksieve.metagrad.inner_rule import Cotangents, Gradients, Params, State
from tasksieve.metagrad.problem import AnyUpdate
from tasksieve.metagrad.steps import Step, Unroll, Weights, unroll_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a simulation something was read.

    Attributes:
        step: number of the simulated step, from 1; 0 before the first, None at the meta-loss and after.
        kind: ``related``, ``joint primary`` or ``meta``; None where no batch was used.
        batch: the number of the batch among those of its kind, from 1; None for the only one, or for none.
        back: whether the recursion was on its way back.
    """

    step: int | None = None
    kind: str | None = None
    batch: int | None = None
    back: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """The size of one quantity at one place.

    Attributes:
        quantity: ``params``, ``state``, ``weights``, ``loss``, ``gradient``, ``meta-loss``, ``adjoint``, ``slopes``
            or ``meta-gradient``.
        place: where.
        size: the largest absolute value of one tensor, or the Euclidean norm of several.
        parameter: the first one in which it is not finite; None if it is, or is no parameter's.
    """

    quantity: str
    place: Place
    size: float
    parameter: str | None = None

    @property
    def finite(self) -> bool:
        """Whether all values are."""
        return math.isfinite(self.size)


class _NotFinite(Exception):
    """Ends the replay."""


class Replay:
    """The readings of a simulation, up to the first that is not finite.

    Args:
        update: as an estimator is given it.

    Attributes:
        readings: in the order in which they were taken.
        steps: how many steps there are to simulate.
        note: why the way back could not be taken; empty if it could.
    """

    def __init__(self, update: AnyUpdate) -> None:
        self.readings: list[Reading] = []
        self.steps = 0
        self.note = ""
        with suppress(_NotFinite):
            self._run(update)

    def _run(self, update: AnyUpdate) -> None:
        eta = {name: value.detach().requires_grad_() for name, value in update.weight_params.items()}
        self._all("weight_params", Place(0), eta)
        self._all("params", Place(0), update.simulation.params)
        self._state(Place(0), update.simulation.state or {})
        weights = Weights(update)(eta)
        unroll = unroll_of(update, [weight.detach() for weight in weights])
        self.steps = len(unroll.steps)
        for place, step in zip(_places(unroll.steps), unroll.steps, strict=True):
            if step.number is not None:
                self._one("weights", place, weights[step.number])
        taken, params = self._forward(unroll)
        slopes = self._back(unroll, taken, params)
        if slopes is not None:
            self._all("meta-gradient", Place(), through_weights(weights, slopes, eta))

    def _forward(self, unroll: Unroll) -> tuple[list[tuple[Linearization, Gradients, State]], Params]:
        params, state, taken = unroll.params, unroll.state, []
        for place, step in zip(_places(unroll.steps), unroll.steps, strict=True):
            linear = step.linearize(params)
            gradients = linear.gradient(step.factors)
            self._one("loss", place, linear.losses)
            self._all("gradient", place, {name: value for name, value in gradients.items() if value is not None})
            params, state = unroll.rule.step(params, gradients, state)
            self._all("params", place, params)
            self._state(place, state)
            taken.append((linear, gradients, state))
        return taken, params

    def _back(
        self, unroll: Unroll, taken: list[tuple[Linearization, Gradients, State]], params: Params
    ) -> list[Tensor] | None:
        losses, adjoint = unroll.meta.gradient(params)
        self._one("meta-loss", Place(None, "meta"), losses)
        self._all("adjoint", Place(None, "meta"), adjoint)
        cotangents, found = Cotangents(adjoint, {}, {}), []
        for place, step in reversed(list(zip(_places(unroll.steps, back=True), unroll.steps, strict=True))):
            linear, gradients, after = taken.pop()
            directions, cotangents = unroll.rule.pullback(gradients, after, cotangents)
            try:
                slopes, product = linear.second(directions)
            except (RuntimeError, NotImplementedError) as error:
                self.note = str(error).splitlines()[0]
                return None
            params = {
                name: value + product[name] if name in product else value for name, value in cotangents.params.items()
            }
            params |= {name: value for name, value in product.items() if name not in params}
            cotangents = Cotangents(params, cotangents.means, cotangents.squares)
            self._one("slopes", place, slopes)
            self._all("adjoint", place, params)
            if step.number is not None:
                found.append(slopes * step.scale)
        return found[::-1]

    def _one(self, quantity: str, place: Place, values: Tensor) -> None:
        self._take(Reading(quantity, place, float(values.detach().abs().max()) if values.numel() else 0.0))

    def _all(self, quantity: str, place: Place, values: Params) -> None:
        size, parameter = norm(values), None
        if not math.isfinite(size):
            parameter = next((name for name, value in values.items() if not bool(value.isfinite().all())), None)
        self._take(Reading(quantity, place, size, parameter))

    def _state(self, place: Place, state: State) -> None:
        self._all("state", place, {name: moments.mean for name, moments in state.items()})
        squares = {name: moments.square for name, moments in state.items() if moments.square is not None}
        self._all("state", place, squares)

    def _take(self, reading: Reading) -> None:
        self.readings.append(reading)
        if not reading.finite:
            raise _NotFinite


def _places(steps: Sequence[Step], *, back: bool = False) -> list[Place]:
    """Of each step; a joint primary batch comes before the related one of its number."""
    places, related = [], 0
    for number, step in enumerate(steps, start=1):
        kind = "joint primary" if step.number is None else "related"
        places.append(Place(number, kind, related + 1, back))
        related += step.number is not None
    return places
