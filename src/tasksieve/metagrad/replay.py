"""A meta-gradient taken slowly: the adjoint recursion with the size of every quantity on the way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from tasksieve.metagrad.estimators.central import norm
from tasksieve.metagrad.estimators.estimator import losses_and_gradient, meta_step, through_weights
from tasksieve.metagrad.inner import Cotangents, Gradients, InnerRule, Params, State
from tasksieve.metagrad.linearization import Linearization
from tasksieve.metagrad.problem import BilevelProblem, Simulation, Step, simulated_steps


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
        problem, rule, simulation, weight_params: as an estimator is given them.

    Attributes:
        readings: in the order in which they were taken.
        steps: how many steps there are to simulate.
        note: why the way back could not be taken; empty if it could.
    """

    def __init__(
        self,
        problem: BilevelProblem[Any, Any],
        rule: InnerRule,
        simulation: Simulation[Any, Any],
        weight_params: Params,
    ) -> None:
        self.readings: list[Reading] = []
        self.steps = 0
        self.note = ""
        self._problem, self._rule, self._simulation = problem, rule, simulation
        with suppress(_NotFinite):
            self._run({name: value.detach().requires_grad_() for name, value in weight_params.items()})

    def _run(self, eta: Params) -> None:
        simulation = self._simulation
        params: Params = {name: value.detach() for name, value in simulation.params.items()}
        self._all("weight_params", Place(0), eta)
        self._all("params", Place(0), params)
        self._state(Place(0), simulation.state or {})
        batches = simulation.related_batches
        weights = list(self._problem.example_weights(eta, batches)) if batches else []
        steps = simulated_steps(self._problem, simulation, [weight.detach() for weight in weights])
        self.steps = len(steps)
        for place, step in zip(_places(steps), steps, strict=True):
            if step.number is not None:
                self._one("weights", place, weights[step.number])
        taken, params = self._forward(steps, params, simulation.state or {})
        slopes = self._back(steps, taken, params)
        if slopes is not None:
            self._all("meta-gradient", Place(), through_weights(weights, slopes, eta))

    def _forward(
        self, steps: Sequence[Step], params: Params, state: State
    ) -> tuple[list[tuple[Linearization, Gradients, State]], Params]:
        taken = []
        for place, step in zip(_places(steps), steps, strict=True):
            linear = step.linearize(params)
            gradients = linear.gradient(step.factors)
            self._one("loss", place, linear.losses)
            self._all("gradient", place, {name: value for name, value in gradients.items() if value is not None})
            params, state = self._rule.step(params, gradients, state)
            self._all("params", place, params)
            self._state(place, state)
            taken.append((linear, gradients, state))
        return taken, params

    def _back(
        self, steps: Sequence[Step], taken: list[tuple[Linearization, Gradients, State]], params: Params
    ) -> list[Tensor] | None:
        losses, adjoint = losses_and_gradient(meta_step(self._problem, self._simulation), params)
        self._one("meta-loss", Place(None, "meta"), losses)
        self._all("adjoint", Place(None, "meta"), adjoint)
        cotangents, found = Cotangents(adjoint, {}, {}), []
        for place, step in reversed(list(zip(_places(steps, back=True), steps, strict=True))):
            linear, gradients, after = taken.pop()
            directions, cotangents = self._rule.pullback(gradients, after, cotangents)
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
