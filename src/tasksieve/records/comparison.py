"""Methods against `primary`: rows with mean ± sd, paired differences and a verdict in one sentence."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

MINUS = "\N{MINUS SIGN}"
"""Of numbers that people read, in tables and in sentences."""


class SeedResult(BaseModel):
    """One run: accuracies in per cent."""

    model_config = ConfigDict(frozen=True)

    seed: int
    test_accuracy: float
    valid_accuracy: float
    per_dialog_accuracy: float
    iterations: int
    seconds: float


class ComparisonRow(BaseModel):
    """One method at one number of primary dialogs, over its seeds.

    Attributes:
        size: number of primary training dialogs.
        mean, sd: of the test accuracies, in per cent; sd is that of a sample, ``None`` with one seed.
        minus_primary: mean difference to `primary` over the seeds both ran, in points.
        ci95: 95 % interval of that difference (Student's t over the paired seeds); ``None`` with one seed.
    """

    model_config = ConfigDict(frozen=True)

    method: str
    size: int
    seeds: tuple[SeedResult, ...]
    mean: float
    sd: float | None
    minus_primary: float | None
    ci95: tuple[float, float] | None


class FailedRun(BaseModel):
    """A run that diverged and counts nowhere.

    Attributes:
        name: of its folder under ``runs``.
        message: how it failed, in one sentence.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    method: str
    seed: int
    message: str


class Comparison(BaseModel):
    """All rows of a comparison, what was compared and what it says."""

    model_config = ConfigDict(frozen=True)

    rows: tuple[ComparisonRow, ...]
    verdict: str
    failed: tuple[FailedRun, ...] = ()
    coverage: dict[str, float] = {}
    settings: dict[str, Any] = {}


def run_name(method: str, size: int, seed: int) -> str:
    """The name of a comparison's run: of its folder under ``runs``, and on the progress bar."""
    return f"{method}-{size}-{seed}"


def paired_interval(differences: Sequence[float]) -> tuple[float, float] | None:
    """95 % interval of the mean of paired differences (Student's t, n − 1 degrees of freedom); None if n < 2."""
    count = len(differences)
    if count < 2:
        return None
    from scipy import stats  # takes more than a second to import

    mean = statistics.fmean(differences)
    half = float(stats.t.ppf(0.975, count - 1)) * statistics.stdev(differences) / math.sqrt(count)
    return mean - half, mean + half


def mean_sd(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean, and standard deviation of a sample; None with one value."""
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def comparison_row(
    method: str, size: int, seeds: Sequence[SeedResult], primary: Sequence[SeedResult]
) -> ComparisonRow:
    """Summarise a method's seeds, paired by seed with those of `primary` at the same size."""
    mean, sd = mean_sd([result.test_accuracy for result in seeds])
    baseline = {result.seed: result.test_accuracy for result in primary}
    differences = [r.test_accuracy - baseline[r.seed] for r in seeds if r.seed in baseline]
    return ComparisonRow(
        method=method,
        size=size,
        seeds=tuple(seeds),
        mean=mean,
        sd=sd,
        minus_primary=statistics.fmean(differences) if differences else None,
        ci95=paired_interval(differences),
    )


def signed(points: float) -> str:
    """A difference in points with a true minus sign: ``+3.1`` or ``−0.4``."""
    return f"{points:+.1f}".replace("-", MINUS)


def verdict(rows: Sequence[ComparisonRow]) -> str:
    """Say in one sentence whether to borrow, at the largest size compared.

    The borrowing method is chosen by validation accuracy, never by the test accuracy that judges it. `oracle` is told
    what is right, and is judged only where no other method borrows.
    """
    size = max(row.size for row in rows)
    here = [row for row in rows if row.size == size]
    borrowing = [row for row in here if row.method != "primary"]
    rivals = [row for row in borrowing if row.method != "oracle"] or borrowing
    if len(borrowing) == len(here) or not rivals:
        return "No verdict: compare `primary` with at least one method that borrows."
    best = max(rivals, key=_mean_valid)
    if best.minus_primary is None:
        return f"No verdict: no seed came to its end with both {best.method} and primary."
    if all(_level(row) for row in borrowing):
        return (
            f"Equal: with {size} dialogs all methods are right in {best.mean:.1f} % of the test turns, each seed as "
            "primary; stay with primary, or compare with fewer dialogs (--sizes) or on a harder test set."
        )
    gain = f"{best.method} is {signed(best.minus_primary)} points against primary with {size} dialogs"
    if best.ci95 is None:
        return f"Undecided: {gain} on one seed; run more seeds for an interval."
    interval = f"95 % interval {signed(best.ci95[0])} to {signed(best.ci95[1])}"
    if best.ci95[0] > 0:
        return f"Borrow: {gain} ({interval})."
    if best.ci95[1] < 0:
        return f"Do not borrow: {gain} ({interval})."
    seeds = len(best.seeds)
    return f"Undecided: {gain} ({interval}, {seeds} seeds); run more seeds, or stay with primary."


def _level(row: ComparisonRow) -> bool:
    """Whether a method was exactly as good as `primary` on every seed."""
    return row.minus_primary == 0 and row.ci95 in (None, (0.0, 0.0))


def _mean_valid(row: ComparisonRow) -> float:
    return statistics.fmean(result.valid_accuracy for result in row.seeds)
