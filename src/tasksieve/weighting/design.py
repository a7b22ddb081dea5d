r"""Which groups of related examples help over a whole training: a designed experiment, and what it says.

A meta-gradient over K simulated updates sees what a related example does within K updates. Some groups help or harm
only after hundreds. A *trial* is a short training with some of the groups and without the others; in a balanced
two-level design every group is in half of the trials, and its effect is the difference between the mean results of
the two halves. With Hadamard columns that are also run with all signs turned round (a foldover: resolution IV), no
effect of one group is mixed up with that of another, nor with what any two groups do together (Box, Hunter and
Hunter, *Statistics for Experimenters*, 2nd ed., chapters 5 and 6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.linalg import hadamard
from scipy.stats import t as student
from torch import Tensor


def balanced_design(groups: int, trials: int, generator: torch.Generator) -> Bool[Tensor, "trials groups"]:
    """Which groups are in which trial.

    Args:
        groups: how many there are, at most half as many as trials.
        trials: a power of two, at least 4.
        generator: shuffles which group has which column, and the order of the trials.
    Returns: each group in half of the trials, each pair of groups in all four ways in a quarter of them.
    Raises: ValueError: if there are too many groups, or ``trials`` is no power of two from 4.
    """
    half = trials // 2
    if trials < 4 or trials & (trials - 1):
        raise ValueError(f"trials: found {trials}; expected a power of two from 4")
    if groups > half:
        raise ValueError(f"groups: found {groups}; expected at most {half}, half the trials")
    signs = torch.from_numpy(hadamard(half))
    signs = signs[:, torch.randperm(half, generator=generator)[:groups]]
    both = torch.cat([signs, -signs])
    return both[torch.randperm(trials, generator=generator)] > 0


@dataclass(frozen=True, slots=True)
class Effects:
    """What each group of a design does.

    Attributes:
        estimates: difference between the mean results of the trials with the group and of those without it.
        error: standard error of each, the same for all.
        chances: that the effect is above 0, for a flat prior (Student's t with ``freedom`` degrees of freedom).
        freedom: trials less groups less one.
    """

    estimates: Float[Tensor, " groups"]
    error: float
    chances: Float[Tensor, " groups"]
    freedom: int

    @property
    def quantile(self) -> float:
        """So many standard errors on either side of an estimate make its 95 % interval."""
        return float(student.ppf(0.975, self.freedom))


def effects_of(design: Bool[Tensor, "trials groups"], results: Float[Tensor, " trials"]) -> Effects:
    """Estimate effects by least squares.

    Args:
        design: from :func:`balanced_design`, with at least two trials more than groups.
        results: of the trials, in the same order; higher is better.
    Raises: ValueError: if the sizes do not fit, or a result is not finite.
    """
    trials, groups = design.shape
    freedom = trials - groups - 1
    if len(results) != trials or freedom < 1 or not bool(torch.isfinite(results).all()):
        raise ValueError(f"found {len(results)} results of {trials} trials with {groups} groups, or one not finite")
    signs = design.double() * 2 - 1
    values = results.double()
    estimates = 2 * signs.T @ values / trials
    residuals = values - values.mean() - signs @ estimates / 2
    error = float(2 * (residuals @ residuals / freedom / trials).sqrt())
    scores = (estimates / max(error, np.finfo(float).tiny)).numpy()
    return Effects(estimates, error, torch.from_numpy(student.cdf(scores, freedom)), freedom)
