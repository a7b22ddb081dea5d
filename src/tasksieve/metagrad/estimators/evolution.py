r"""Evolution strategies: the slope of the meta-loss from its values at weight modules on both sides of η.

.. math:: ∇_η L ≈ \frac{1}{2 n σ^2} \sum_{p=1}^n ε_p \big(L(η + ε_p) - L(η - ε_p)\big), \quad ε_p \sim N(0, σ^2 I)

This is an unbiased estimate of the gradient of the meta-loss smoothed by that normal distribution. Both sides of a
pair, and all pairs, see the same batches, so that what differs is η alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from tasksieve.metagrad.estimators.estimator import register
from tasksieve.metagrad.estimators.replicas import Replicas, replicated_weights
from tasksieve.metagrad.inner_rule import Params
from tasksieve.metagrad.problem import AnyUpdate, MetaGradient
from tasksieve.metagrad.steps import Weights


@register("evolution", second_derivatives=False, keeps_state=True, few_weight_params=True)
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

    def __call__(self, update: AnyUpdate) -> MetaGradient:
        """An estimate of the meta-gradient; the meta-loss is the mean over the replicas."""
        eta, weights_at = update.weight_params, Weights(update)
        noise = self._draw(eta)
        weights = replicated_weights(weights_at, both_sides(eta, noise))
        _, losses = Replicas.of(update.simulation, 2 * self._pairs).learn(update, weights)
        return self._result(weights_at, eta, noise, losses)

    def state_dict(self) -> dict[str, Tensor]:
        """Where the random stream stands."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on with the random stream from where :meth:`state_dict` found it."""
        self._generator.set_state(state["generator"].cpu())

    def _draw(self, eta: Params) -> Params:
        """ε of each pair; drawn on the CPU, so that it is the same on every device."""
        return {
            name: self._sd
            * torch.randn(self._pairs, *value.shape, generator=self._generator, dtype=value.dtype).to(value.device)
            for name, value in eta.items()
        }

    def _result(self, weights_at: Weights, eta: Params, noise: Params, losses: Tensor) -> MetaGradient:
        above, below = losses.chunk(2)
        shares = (above - below) / (2 * self._pairs * self._sd**2)
        gradients = {name: torch.tensordot(shares, value, dims=1) for name, value in noise.items()}
        alone = {name: value.detach().unsqueeze(0) for name, value in eta.items()}
        weights = replicated_weights(weights_at, alone)
        return MetaGradient(gradients, losses.mean(), tuple(weight[0] for weight in weights))


def both_sides(eta: Params, noise: Params) -> Params:
    """η + ε of all pairs, then η - ε of all."""
    return {
        name: torch.cat([value.detach() + noise[name], value.detach() - noise[name]]) for name, value in eta.items()
    }
