r"""Evolution strategies: the slope of the meta-loss from its values at weight modules on both sides of η.

.. math:: ∇_η L ≈ \frac{1}{2 n σ^2} \sum_{p=1}^n ε_p \big(L(η + ε_p) - L(η - ε_p)\big), \quad ε_p \sim N(0, σ^2 I)

This is an unbiased estimate of the gradient of the meta-loss smoothed by that normal distribution. Both sides of a
pair, and all pairs, see the same batches, so that what differs is η alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from tasksieve.metagrad.estimators.replicas import Replicas, replicated_weights
from tasksieve.metagrad.inner import InnerRule, Moments, Params
from tasksieve.metagrad.problem import BilevelProblem, MetaGradient, Simulation


class Evolution:
    r"""Antithetic evolution strategies: no derivative of the unroll is taken.

    Cost: 2 n K forward and backward passes, as one batched model where the losses can be batched by
    ``torch.func.vmap``, else one after the other. Memory: 2 n copies of θ, and their graphs for one step (one by one:
    a single graph). Error: the relative variance is about P / n for P elements of η; so this is for few. When: second
    derivatives cannot be had, or the meta-loss is so rugged over a long horizon that its exact gradient says nothing.

    The random stream is the estimator's own, and goes on from call to call.

    Args:
        pairs: n.
        sd: σ, in units of η.
        seed: of the stream.
    Reference: Salimans, Ho, Chen, Sidor & Sutskever, 2017.
    """

    def __init__(self, pairs: int = 8, sd: float = 0.1, seed: int = 0) -> None:
        self._pairs, self._sd = pairs, sd
        self._generator = torch.Generator().manual_seed(seed)

    def __call__(
        self,
        problem: BilevelProblem[Any, Any],
        rule: InnerRule,
        simulation: Simulation[Any, Any],
        weight_params: Params,
    ) -> MetaGradient:
        """An estimate of the meta-gradient; the meta-loss is the mean over the replicas."""
        noise = self._draw(weight_params)
        _, losses = Replicas.of(simulation, 2 * self._pairs).learn(
            problem, rule, simulation, both_sides(weight_params, noise)
        )
        return self._result(problem, simulation, weight_params, noise, losses)

    def state_dict(self) -> dict[str, Tensor]:
        """Where the random stream stands."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from there."""
        self._generator.set_state(state["generator"].cpu())

    def _draw(self, eta: Params) -> Params:
        """ε of each pair; drawn on the CPU, so that it is the same on every device."""
        return {
            name: self._sd
            * torch.randn(self._pairs, *value.shape, generator=self._generator, dtype=value.dtype).to(value.device)
            for name, value in eta.items()
        }

    def _result(
        self,
        problem: BilevelProblem[Any, Any],
        simulation: Simulation[Any, Any],
        eta: Params,
        noise: Params,
        losses: Tensor,
    ) -> MetaGradient:
        above, below = losses.chunk(2)
        shares = (above - below) / (2 * self._pairs * self._sd**2)
        gradients = {name: torch.tensordot(shares, value, dims=1) for name, value in noise.items()}
        alone = {name: value.detach().unsqueeze(0) for name, value in eta.items()}
        weights = replicated_weights(problem, alone, simulation.related_batches)
        return MetaGradient(gradients, losses.mean(), tuple(weight[0] for weight in weights))


class PersistentEvolution(Evolution):
    r"""Evolution strategies whose replicas learn on from call to call: no bias from a short K.

    .. math:: g_t = \frac{1}{2 n σ^2} \sum_p ξ_{p,t} (L_{p,t}^+ - L_{p,t}^-), \quad ξ_{p,t} = \sum_{s \le t} ε_{p,s}

    Each call t takes replicas K steps further with fresh :math:`ε_{p,t}`, and counts every one they have had since
    they started, so that the weights of earlier calls have their share in this one's meta-loss. The sum of
    :math:`g_t` over the calls of a horizon is an unbiased estimate of the gradient of the sum of the (smoothed)
    meta-losses.

    The replicas start from the simulation's parameters and state, and start again when the horizon is over. In
    between they go their own way, whatever becomes of the real θ: with a joint unroll they see what it sees.

    Cost and memory: as ``evolution``; the replicas are kept. The variance grows with the calls of a horizon. When:
    the effect of weights shows only after many more steps than can be simulated in one meta-update.

    Args:
        pairs, sd, seed: as of :class:`Evolution`.
        horizon: simulated related updates after which replicas start again.
    Reference: Vicol, Metz & Sohl-Dickstein, 2021.
    """

    def __init__(self, pairs: int = 8, sd: float = 0.1, seed: int = 0, horizon: int = 100) -> None:
        super().__init__(pairs, sd, seed)
        self._horizon = horizon
        self._taken = 0
        self._replicas: Replicas | None = None
        self._sums: Params = {}

    def __call__(
        self,
        problem: BilevelProblem[Any, Any],
        rule: InnerRule,
        simulation: Simulation[Any, Any],
        weight_params: Params,
    ) -> MetaGradient:
        """This call's share of the meta-gradient over the horizon."""
        if self._replicas is None or self._taken >= self._horizon:
            self._replicas, self._taken = Replicas.of(simulation, 2 * self._pairs), 0
            self._sums = {}
        noise = self._draw(weight_params)
        self._replicas, losses = self._replicas.learn(problem, rule, simulation, both_sides(weight_params, noise))
        self._taken += len(simulation.related_batches)
        self._sums = {name: value + self._sums.get(name, 0.0) for name, value in noise.items()}
        return self._result(problem, simulation, weight_params, self._sums, losses)

    def state_dict(self) -> dict[str, Tensor]:
        """The random stream, the replicas with their moments, and the sums of their perturbations."""
        found = super().state_dict() | {"taken": torch.tensor(self._taken)}
        if self._replicas is not None:
            parts: dict[str, Params] = {"sums": self._sums, "params": self._replicas.params}
            moments = self._replicas.state.items()
            parts["means"] = {name: one.mean for name, one in moments}
            parts["squares"] = {name: one.square for name, one in moments if one.square is not None}
            parts["steps"] = {name: torch.tensor(one.steps) for name, one in moments}
            found |= {
                f"{part}.{name}": value.clone() for part, values in parts.items() for name, value in values.items()
            }
        return found

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from there."""
        super().load_state_dict(state)
        self._taken = int(state["taken"])
        params = _part(state, "params")
        means, squares, steps = _part(state, "means"), _part(state, "squares"), _part(state, "steps")
        moments = {name: Moments(mean, squares.get(name), int(steps[name])) for name, mean in means.items()}
        self._replicas = Replicas(params, moments) if params else None
        self._sums = _part(state, "sums")


def both_sides(eta: Params, noise: Params) -> Params:
    """η + ε of all pairs, then η - ε of all."""
    return {
        name: torch.cat([value.detach() + noise[name], value.detach() - noise[name]]) for name, value in eta.items()
    }


def _part(state: Mapping[str, Tensor], part: str) -> Params:
    lead = f"{part}."
    return {name.removeprefix(lead): value.clone() for name, value in state.items() if name.startswith(lead)}
