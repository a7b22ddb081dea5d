"""When numbers stop being numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from tasksieve.errors import UserError
from tasksieve.metagrad.diagnosis import diagnose
from tasksieve.metagrad.problem import AnyUpdate
from tasksieve.training.loop.devices import at_hand
from tasksieve.training.loop.optimizers import adam_step
from tasksieve.training.loop.own_kinds import called
from tasksieve.training.loop.state import Progress

EXPLOSIONS = 20
"""So many meta-gradients in a row that are not finite end the run. A single one is left out: the simulated updates
touch neither model nor weight module, and a sharp spot of the loss passes."""
_NEVER = (1 << 62) - 1


RATES = "Try smaller learning rates (training.primary_lr, meta.inner_lr) or training.max_grad_norm"
"""What to try where a loss or gradient is not finite."""
WEIGHTS = "Look at how it works out its logits; no weight may be nan"
"""What to try where a weight module gives weights that are not finite."""


class Diverged(UserError):
    """A loss or gradient stopped being a number, or a weight; the last good checkpoint is kept.

    Args:
        step, update: where.
        what: is not finite.
        advice: what to try.
    """

    def __init__(self, step: int, update: str, what: str, advice: str = RATES) -> None:
        self._where = step, update, what, advice
        super().__init__(
            f"iteration {step}, {update} update: {what} is not finite; the last good checkpoint is kept. {advice}"
        )

    def __reduce__(self) -> tuple[type[Diverged], tuple[int, str, str, str]]:
        """Stay what it is when it crosses from a worker to its parent."""
        return Diverged, self._where


class FiniteCheck:
    """Whether a run's losses and gradients are numbers still.

    On the CPU each is looked at as it is made. Elsewhere that would make the program wait for the device in every
    iteration: there the device is told to leave out an update that is not finite, and :meth:`settle` raises what
    happened, at every validation and so before any checkpoint.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[str, str, str], Tensor] = {}

    def skips(self, value: Tensor, step: int, update: str, what: str, advice: str = RATES) -> Tensor | None:
        """Look at a loss or norm, or a sum of weights.

        Args:
            value: one number.
            step, update, what: what an error names.
            advice: what it says to try.
        Returns: whether the update is to be left out, for :func:`clipped_step`; None if it is known not to.
        Raises: Diverged: if the number is at hand and not finite.
        """
        if at_hand(value):
            number = float(value)
            if not math.isfinite(number):
                raise Diverged(step, update, f"{what} ({number})", advice)
            return None
        bad = ~torch.isfinite(value)
        first = self._first.get((update, what, advice))
        if first is None:
            first = torch.full((), _NEVER, device=value.device)
        self._first[update, what, advice] = torch.where(bad, first.clamp(max=step), first)
        return bad

    def settle(self) -> None:
        """Wait for what devices have found. Raises: Diverged: naming the first number that was not finite."""
        firsts = [(int(first), *where) for where, first in self._first.items()]
        self._first.clear()
        never = (_NEVER, "", "", "")
        found = min(firsts, key=lambda first: first[0], default=never)  # weights, then a loss, then a gradient
        if found[0] < _NEVER:
            raise Diverged(*found)


class Explosions:
    """How many meta-gradients in a row were not finite.

    Args:
        progress: of the run; ``exploded`` is kept there, on other devices than the CPU from :meth:`settle` on.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._row: Tensor | None = None
        self._longest: Tensor | None = None

    def add(self, finite: Tensor) -> bool:
        """Count a meta-gradient in. Returns: whether there are too many, as far as that is at hand."""
        progress = self._progress
        if at_hand(finite):
            progress.exploded = 0 if bool(finite) else progress.exploded + 1
            return progress.exploded == EXPLOSIONS
        if self._row is None or self._longest is None:
            self._row = self._longest = torch.full((), progress.exploded, device=finite.device)
        self._row = torch.where(finite, 0, self._row + 1)
        self._longest = torch.maximum(self._row, self._longest)
        return False

    def settle(self) -> bool:
        """Wait for what devices have found. Returns: whether there were too many since this was last asked."""
        if self._row is None or self._longest is None:
            return False
        longest, self._longest = int(self._longest), self._row
        self._progress.exploded = int(self._row)
        return longest >= EXPLOSIONS


def exploded(update: AnyUpdate, step: int, module: nn.Module | None) -> Diverged:
    """What ends a run in which too many meta-gradients in a row were not finite.

    Args:
        update: the last of them, to be replayed.
        step: of the iteration.
        module: that gives the weights.
    """
    found = diagnose(update)
    if module is not None and found.culprit is not None and found.culprit.quantity == "weights":
        given = f"a weight that {called(module)} gave, {EXPLOSIONS} meta-updates in a row,"
        return Diverged(step, "weight", given, WEIGHTS)
    return Diverged(step, "weight", f"the meta-gradient, {EXPLOSIONS} times in a row ({found.sentence}),")


def norm_of(gradients: Iterable[Tensor]) -> Tensor:
    """The norm of all of them together, one number; not finite if any element is not."""
    norms = [torch.linalg.vector_norm(gradient) for gradient in gradients]
    return torch.linalg.vector_norm(torch.stack(norms)) if norms else torch.zeros(())


def clipped_step(
    optimizer: torch.optim.Optimizer,
    params: Iterable[Tensor],
    norm: Tensor,
    limit: float | None,
    *skips: Tensor | None,
) -> None:
    """Clip gradients to a norm, if there is a limit, and take the optimiser's step.

    Args:
        optimizer: of the parameters.
        params: whose gradients are set.
        norm: of the gradients.
        limit: of the norm.
        skips: reasons to leave the step out, each true or false where the parameters are; None for none.
    """
    if limit is not None:
        share = limit / (float(norm) + 1e-6) if at_hand(norm) else (limit / (norm + 1e-6)).clamp(max=1)
        if isinstance(share, Tensor) or share < 1:
            for value in params:
                if value.grad is not None:
                    value.grad.mul_(share)
    reasons = [skip for skip in skips if skip is not None]
    adam_step(optimizer, torch.stack(reasons).any() if reasons else None)
