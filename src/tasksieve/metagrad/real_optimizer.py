"""The rule of a real optimiser: what a simulated update has to do to be one of its steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tasksieve.metagrad.inner_rule import Cotangents, Gradients, InnerRule, Params, State, Tangents, moments_of
from tasksieve.metagrad.rules import Adam, Sgd

_UNLIKE = ("nesterov", "maximize", "amsgrad", "dampening")


def rule_of(
    optimizer: torch.optim.Optimizer | None, params: Mapping[str, Tensor], lr: float | None = None
) -> tuple[InnerRule, State | None]:
    """The rule that simulates an optimiser's steps, and the state it starts from.

    Args:
        optimizer: a ``torch.optim.SGD``, ``Adam`` or ``AdamW``, with any groups of parameters; None, or any other,
            is simulated as plain gradient descent.
        params: the optimiser's own parameters by name.
        lr: step size of the simulated steps; None for the optimiser's present one.
    Returns: the rule, and the optimiser's moments, or None for a fresh start.
    Raises: ValueError: if an optimiser that cannot be simulated comes without ``lr``, that is no step size, or a
        parameter is not the optimiser's.
    """
    if lr is not None and not 0 < lr < math.inf:
        raise ValueError(f"lr is {lr}; give the step size of the simulated updates, a number above 0")
    if optimizer is None or not _is_known(optimizer):
        if lr is None:
            if optimizer is None:
                raise ValueError("without an optimizer, give lr, the step size of the gradient descent to simulate")
            what = _described(optimizer)
            raise ValueError(f"{what} cannot be simulated; give lr, the step size of gradient descent in its place")
        return Sgd(lr), None
    rules = [_rule_of_group(optimizer, group, lr) for group in optimizer.param_groups]
    owner = {id(value): number for number, group in enumerate(optimizer.param_groups) for value in group["params"]}
    missing = [name for name, value in params.items() if id(value) not in owner]
    if missing:
        raise ValueError(f"'{missing[0]}' is no parameter of the optimizer; freeze it, or give it to the optimizer")
    state = moments_of(optimizer, params)
    if len(rules) == 1:
        return rules[0], state
    return Grouped({name: owner[id(value)] for name, value in params.items()}, tuple(rules)), state


def _is_known(optimizer: torch.optim.Optimizer) -> bool:
    coupled = type(optimizer) is torch.optim.Adam and any(
        group["weight_decay"] and not group.get("decoupled_weight_decay") for group in optimizer.param_groups
    )
    unlike = any(group.get(option) for group in optimizer.param_groups for option in _UNLIKE)
    return type(optimizer) in (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW) and not coupled and not unlike


def _described(optimizer: torch.optim.Optimizer) -> str:
    options = [option for option in _UNLIKE if any(group.get(option) for group in optimizer.param_groups)]
    if type(optimizer) is torch.optim.Adam and not options:
        options = ["weight_decay (torch.optim.AdamW's can)"]
    return f"{type(optimizer).__name__}{' with ' + ' and '.join(options) if options else ''}"


def _rule_of_group(optimizer: torch.optim.Optimizer, group: dict[str, Any], lr: float | None) -> InnerRule:
    size = float(group["lr"]) if lr is None else lr
    if isinstance(optimizer, torch.optim.SGD):
        plain = Sgd(size, float(group["momentum"]))
        return Decayed(plain, float(group["weight_decay"])) if group["weight_decay"] else plain
    first, second = group["betas"]
    return Adam(size, (float(first), float(second)), float(group["eps"]), weight_decay=float(group["weight_decay"]))


@dataclass(frozen=True, slots=True)
class Decayed:
    r"""Gradient descent with weight decay in the gradient, :math:`g ← g + δθ`, as in ``torch.optim.SGD``.

    Attributes:
        rule: what is done with that gradient.
        decay: δ.
    """

    rule: Sgd
    decay: float

    def step(self, params: Params, gradients: Gradients, state: State) -> tuple[Params, State]:
        """One step; a parameter without a gradient does not decay."""
        decayed = {
            name: None if value is None else torch.add(value, params[name], alpha=self.decay)
            for name, value in gradients.items()
        }
        return self.rule.step(params, decayed, state)

    def pullback(self, gradients: Gradients, after: State, cotangents: Cotangents) -> tuple[Params, Cotangents]:
        """The transposed derivative of a step; the gradient's cotangent adds δ times itself to that of θ."""
        of_gradients, before = self.rule.pullback(gradients, after, cotangents)
        params = dict(before.params)
        for name, value in of_gradients.items():
            params[name] = torch.add(params[name], value, alpha=self.decay)
        return of_gradients, Cotangents(params, before.means, before.squares)

    def pushforward(self, gradients: Gradients, after: State, of_gradients: Params, tangents: Tangents) -> Tangents:
        """The derivative of a step; the tangent of θ adds δ times itself to that of the gradient."""
        moved = {
            name: torch.add(value, tangents.params[name], alpha=self.decay) if name in tangents.params else value
            for name, value in of_gradients.items()
        }
        return self.rule.pushforward(gradients, after, moved, tangents)

    def preconditioner(self, params: Params, state: State) -> Params:
        """How far a gradient of 1 moves each parameter: as in gradient descent without the decay."""
        return self.rule.preconditioner(params, state)


@dataclass(frozen=True, slots=True)
class Grouped:
    """A rule for each group of parameters.

    Attributes:
        group: each parameter's, by name.
        rules: by number of the group.
    """

    group: Mapping[str, int]
    rules: Sequence[InnerRule]

    def step(self, params: Params, gradients: Gradients, state: State) -> tuple[Params, State]:
        """One step of each group by its own rule."""
        moved: Params = {}
        moments: dict[str, Any] = {}
        for number, rule in enumerate(self.rules):
            own, after = rule.step(self._own(params, number), self._own(gradients, number), self._own(state, number))
            moved |= own
            moments |= after
        return {name: moved[name] for name in params}, moments

    def pullback(self, gradients: Gradients, after: State, cotangents: Cotangents) -> tuple[Params, Cotangents]:
        """The transposed derivative of a step, group by group."""
        found: Params = {}
        before = Cotangents({}, {}, {})
        for number, rule in enumerate(self.rules):
            own = Cotangents(
                self._own(cotangents.params, number),
                self._own(cotangents.means, number),
                self._own(cotangents.squares, number),
            )
            of_gradients, own = rule.pullback(self._own(gradients, number), self._own(after, number), own)
            found |= of_gradients
            before = Cotangents(before.params | own.params, before.means | own.means, before.squares | own.squares)
        return found, before

    def pushforward(self, gradients: Gradients, after: State, of_gradients: Params, tangents: Tangents) -> Tangents:
        """The derivative of a step, group by group."""
        found = Tangents({}, {}, {})
        for number, rule in enumerate(self.rules):
            own = Tangents(
                self._own(tangents.params, number),
                self._own(tangents.means, number),
                self._own(tangents.squares, number),
            )
            own = rule.pushforward(
                self._own(gradients, number), self._own(after, number), self._own(of_gradients, number), own
            )
            found = Tangents(found.params | own.params, found.means | own.means, found.squares | own.squares)
        return found

    def preconditioner(self, params: Params, state: State) -> Params:
        """How far a step moves each parameter, by its own group's rule."""
        found: Params = {}
        for number, rule in enumerate(self.rules):
            found |= rule.preconditioner(self._own(params, number), self._own(state, number))
        return found

    def _own(self, values: Mapping[str, Any], number: int) -> dict[str, Any]:
        return {name: value for name, value in values.items() if self.group[name] == number}
