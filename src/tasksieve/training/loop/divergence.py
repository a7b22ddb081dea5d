"""When numbers stop being numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from tasksieve.errors import UserError
from tasksieve.training.loop.optimizers import adam_step

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


def norm_of(gradients: Iterable[Tensor]) -> float:
    """The norm of all of them together; not finite if any number is not."""
    norms = [torch.linalg.vector_norm(gradient) for gradient in gradients]
    return float(torch.linalg.vector_norm(torch.stack(norms))) if norms else 0.0


def clipped_step(
    optimizer: torch.optim.Optimizer,
    params: Iterable[Tensor],
    limit: float | None,
    update: str,
    step: int,
    norm: float | None = None,
) -> None:
    """Clip gradients to a norm, if there is a limit, and take the optimiser's step.

    Args:
        optimizer: of the parameters.
        params: whose gradients are set.
        limit: of the norm.
        update, step: what an error names.
        norm: of the gradients, if it is known already.
    Raises: Diverged: if the norm is not finite; the parameters are then as before.
    """
    gradients = [value.grad for value in params if value.grad is not None]
    norm = norm_of(gradients) if norm is None else norm
    if not math.isfinite(norm):
        raise Diverged(step, update, "the gradient")
    if limit is not None and (share := limit / (norm + 1e-6)) < 1:
        for gradient in gradients:
            gradient.mul_(share)
    adam_step(optimizer)
