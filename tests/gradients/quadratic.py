"""A problem whose answers are known: quadratic losses, and weights that are the weight params themselves."""

from __future__ import annotations

from typing import Any

import torch

from tasksieve.metagrad import BilevelProblem, InnerRule, MetaUpdate, Params, Simulation


class Quadratic:
    r"""Related losses :math:`½ ‖A_i (θ - x_i)‖^2`, the meta-loss :math:`½ ‖θ - t‖^2`.

    A batch is the examples' numbers; η holds one weight an example.
    """

    def __init__(self, examples: int = 6, width: int = 3) -> None:
        generator = torch.Generator().manual_seed(5)

        def draw(*shape: int) -> torch.Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        self.matrices = draw(examples, width, width) * 0.5 + torch.eye(width, dtype=torch.float64)
        self.centres, self.goal = draw(examples, width), draw(width)
        self.eta = {"w": torch.rand(examples, generator=generator, dtype=torch.float64) * 0.5 + 0.25}
        self.start = draw(width)
        self.problem: BilevelProblem[Any, Any] = BilevelProblem(
            self._related, self._primary, lambda p, batches: [p["w"][batch] for batch in batches], "sum"
        )

    def update(
        self, rule: InnerRule, *batches: Any, start: torch.Tensor | None = None, state: Any = None
    ) -> MetaUpdate[Any, Any]:
        params = {"x": self.start if start is None else start}
        return MetaUpdate(self.problem, rule, Simulation(params, list(batches), None, state), self.eta)

    def hessian(self, weights: torch.Tensor) -> torch.Tensor:
        """Of the weighted related loss."""
        return torch.einsum("i,ijk,ijl->kl", weights, self.matrices, self.matrices)

    def minimum(self, weights: torch.Tensor) -> torch.Tensor:
        """Where the weighted related loss is least."""
        pulls = torch.einsum("i,ijk,ijl,il->k", weights, self.matrices, self.matrices, self.centres)
        return torch.linalg.solve(self.hessian(weights), pulls)

    def gradients_at(self, theta: torch.Tensor) -> torch.Tensor:
        """Of each related loss (examples, width)."""
        return torch.einsum("ijk,ijl,il->ik", self.matrices, self.matrices, theta - self.centres)

    def _related(self, p: Params, batch: Any) -> torch.Tensor:
        far = torch.einsum("ijk,ik->ij", self.matrices[batch], p["x"] - self.centres[batch])
        return far.square().sum(1) / 2

    def _primary(self, p: Params, batch: Any) -> torch.Tensor:
        return (p["x"] - self.goal).square().sum().reshape(1) / 2
