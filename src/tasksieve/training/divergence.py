"""When numbers stop being numbers."""

from __future__ import annotations

import math

import torch
from torch import nn

from tasksieve.errors import UserError

EXPLOSIONS = 20
"""So many meta-gradients in a row that are not finite end the run. A single one is left out: the simulated updates
touch neither model nor weight module, and a sharp spot of the loss passes."""


class Diverged(UserError):
    """A loss or gradient stopped being a number; the last good checkpoint is kept."""

    def __init__(self, step: int, update: str, what: str) -> None:
        self._where = step, update, what
        super().__init__(
            f"iteration {step}, {update} update: {what} is not finite; the last good checkpoint is kept. "
            "Try smaller learning rates (training.primary_lr, meta.inner_lr) or training.max_grad_norm"
        )

    def __reduce__(self) -> tuple[type[Diverged], tuple[int, str, str]]:
        """Stay what it is when it crosses from a worker to its parent."""
        return Diverged, self._where


def clipped_step(
    optimizer: torch.optim.Optimizer, module: nn.Module, limit: float | None, update: str, step: int
) -> None:
    """Clip a module's gradients to a norm, if there is a limit, and take the optimiser's step.

    Raises: Diverged: if the norm is not finite; the parameters are then as before.
    """
    if limit is None:
        gradients = [value.grad for value in module.parameters() if value.grad is not None]
        norm = sum(float(torch.linalg.vector_norm(gradient)) for gradient in gradients)
    else:
        norm = float(nn.utils.clip_grad_norm_(module.parameters(), limit))
    if not math.isfinite(norm):
        raise Diverged(step, update, "the gradient")
    optimizer.step()
