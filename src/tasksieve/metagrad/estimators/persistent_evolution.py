"""Evolution strategies whose replicas learn on from call to call."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from tasksieve.metagrad.estimators.estimator import register
from tasksieve.metagrad.estimators.evolution import Evolution, both_sides
from tasksieve.metagrad.estimators.replicas import Replicas, replicated_weights
from tasksieve.metagrad.inner_rule import Moments, Params
from tasksieve.metagrad.problem import AnyUpdate, MetaGradient
from tasksieve.metagrad.steps import Weights


@register("persistent-evolution", second_derivatives=False, keeps_state=True, few_weight_params=True)
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

    def __call__(self, update: AnyUpdate) -> MetaGradient:
        """This call's share of the meta-gradient over the horizon."""
        if self._replicas is None or self._taken >= self._horizon:
            self._replicas, self._taken = Replicas.of(update.simulation, 2 * self._pairs), 0
            self._sums = {}
        eta, weights_at = update.weight_params, Weights(update)
        noise = self._draw(eta)
        weights = replicated_weights(weights_at, both_sides(eta, noise))
        self._replicas, losses = self._replicas.learn(update, weights)
        self._taken += len(update.simulation.related_batches)
        self._sums = {name: value + self._sums.get(name, 0.0) for name, value in noise.items()}
        return self._result(weights_at, eta, self._sums, losses)

    def state_dict(self) -> dict[str, Tensor]:
        """The random stream, the replicas with their moments, and the sums of their perturbations."""
        found = super().state_dict() | {"taken": torch.tensor(self._taken)}
        if self._replicas is not None:
            parts: dict[str, Params] = {"sums": self._sums, "params": self._replicas.params}
            moments = self._replicas.state.items()
            parts["means"] = {name: one.mean for name, one in moments}
            parts["squares"] = {name: one.square for name, one in moments if one.square is not None}
            parts["steps"] = {name: torch.as_tensor(one.steps) for name, one in moments}
            found |= {
                f"{part}.{name}": value.clone() for part, values in parts.items() for name, value in values.items()
            }
        return found

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on with the random stream and the replicas that :meth:`state_dict` gave."""
        super().load_state_dict(state)
        self._taken = int(state["taken"])
        params = _part(state, "params")
        means, squares, steps = _part(state, "means"), _part(state, "squares"), _part(state, "steps")
        moments = {name: Moments(mean, squares.get(name), int(steps[name])) for name, mean in means.items()}
        self._replicas = Replicas(params, moments) if params else None
        self._sums = _part(state, "sums")


def _part(state: Mapping[str, Tensor], part: str) -> Params:
    lead = f"{part}."
    return {name.removeprefix(lead): value.clone() for name, value in state.items() if name.startswith(lead)}
