"""Methods against each other: rows with mean ± sd and paired differences with intervals."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tasksieve.records.bootstrap import bootstrap_interval
from tasksieve.records.left_out import LeftOut
from tasksieve.records.measures import RESPONSES, key_of

MINUS = "\N{MINUS SIGN}"
"""Of numbers that people read, in tables and in sentences."""
PRIMARY, EVERYTHING, LEARNED = "primary", "multitask", "learned"
"""The methods that borrow nothing, everything with the same weight, and by learned weights."""


class SeedResult(BaseModel):
    """One run, in per cent.

    Attributes:
        test_accuracy, valid_accuracy: the comparison's measure on test and validation dialogs.
        measures: all measures on the test dialogs.
        meta_updates, meta_updates_skipped: how many there were, and how many were left out.
        seedless: whether nothing in it was drawn, so that it stands for every seed.
    """

    model_config = ConfigDict(frozen=True)

    seed: int
    test_accuracy: float
    valid_accuracy: float
    per_dialog_accuracy: float
    iterations: int
    seconds: float
    measures: dict[str, float] = {}
    meta_updates: int = 0
    meta_updates_skipped: int = 0
    seedless: bool = False


class MeasuredSeed(SeedResult):
    """One run with what is right in each test dialog, which is kept in ``test.json`` alone.

    Attributes:
        by_dialog: turns, and right turns by measure, of each test dialog.
    """

    by_dialog: dict[str, list[int]] = {}

    @property
    def plain(self) -> SeedResult:
        """The run without its dialogs."""
        return SeedResult(**self.model_dump(exclude={"by_dialog"}))


class ComparisonRow(BaseModel):
    """One method at one number of primary dialogs, over its seeds.

    Attributes:
        size: number of primary training dialogs.
        mean, sd: of the comparison's measure, in per cent; sd is that of a sample, ``None`` with one seed.
        minus_primary: mean difference to `primary` over the seeds both ran, in points.
        ci95: 95 % interval of that difference (Student's t over the paired seeds); ``None`` with one seed.
        ci95_bootstrap: the same over test dialogs and seeds together (:mod:`tasksieve.records.bootstrap`); ``None``
            where it is not known which dialogs were right.
        test_dialogs: how many dialogs it was measured on; ``None`` where it is not known which were right.
        simple: whether it is a simple baseline.
        best_simple: the best simple baseline at this size on the test dialogs, for a row that is none.
        minus_simple: mean difference to that, in points.
        ci95_simple: its 95 % interval, over test dialogs and seeds where these are known, else over seeds.
        ci95_simple_seeds: the same over seeds alone.
        minus_multitask: mean difference of `learned` to `multitask`, which borrows everything, in points.
        ci95_multitask, ci95_multitask_seeds: its 95 % intervals, as to the best simple baseline.
    """

    model_config = ConfigDict(frozen=True)

    method: str
    size: int
    seeds: tuple[SeedResult, ...]
    mean: float
    sd: float | None
    minus_primary: float | None
    ci95: tuple[float, float] | None
    ci95_bootstrap: tuple[float, float] | None = None
    test_dialogs: int | None = None
    simple: bool = False
    best_simple: str | None = None
    minus_simple: float | None = None
    ci95_simple: tuple[float, float] | None = None
    ci95_simple_seeds: tuple[float, float] | None = None
    minus_multitask: float | None = None
    ci95_multitask: tuple[float, float] | None = None
    ci95_multitask_seeds: tuple[float, float] | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of the difference to `primary`: over dialogs and seeds where that is known, else over seeds."""
        return self.ci95_bootstrap or self.ci95


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


class Answer(BaseModel):
    """What a comparison says to one question; see :mod:`tasksieve.records.verdict`.

    Attributes:
        question: `borrow` at all, `weights` or everything, and better than the best `simple` baseline.
        says: that ``method`` is better or worse than ``against``, that the difference is too small to matter, or
            that it cannot be told yet.
        points: the difference; ``None`` where no seed has both.
        ci95: its 95 % interval, over test dialogs and seeds where these are known, else over seeds.
        ci95_seeds: the same over seeds alone.
        sentence: the answer, its numbers and what to do next.
    """

    model_config = ConfigDict(frozen=True)

    question: Literal["borrow", "weights", "simple"]
    says: Literal["better", "worse", "same", "open"]
    method: str
    against: str
    points: float | None
    ci95: tuple[float, float] | None
    ci95_seeds: tuple[float, float] | None
    sentence: str


class Comparison(BaseModel):
    """All rows of a comparison, what was compared and what it says.

    Attributes:
        measure: what means, differences and the verdict are of; see :mod:`tasksieve.records.measures`.
        verdict: all answers in a few sentences, or why there is none.
        answers: the questions that could be asked, that whether to borrow first.
        among: where the measure is R_100@1, among how many responses the right one was ranked at least, on `valid`
            and `test` dialogs at the largest size.
        to_mend: what the audit before training found that ought to be mended, such as test dialogs in another file.
        left_out: where actions are predicted, how many turns have none, by file of each part that lacks some.
    """

    model_config = ConfigDict(frozen=True)

    measure: str = RESPONSES
    rows: tuple[ComparisonRow, ...]
    verdict: str
    answers: tuple[Answer, ...] = ()
    failed: tuple[FailedRun, ...] = ()
    coverage: dict[str, float] = {}
    among: dict[str, int] = {}
    to_mend: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
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


@dataclass(frozen=True, slots=True)
class Difference:
    """Of two methods: mean in points, 95 % interval over paired seeds, and over dialogs and seeds; of how many."""

    mean: float | None
    seeds: tuple[float, float] | None
    dialogs_and_seeds: tuple[float, float] | None
    dialogs: int | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Over dialogs and seeds where that is known, else over seeds."""
        return self.dialogs_and_seeds or self.seeds


NOTHING = Difference(None, None, None)
"""Of methods that no seed has both of."""


def difference(one: Sequence[SeedResult], other: Sequence[SeedResult], measure: str = RESPONSES) -> Difference:
    """What one method has more than another, paired by seed; a run without a seed is paired with every one.

    Args:
        one, other: their runs.
        measure: of the comparison.
    """
    pairs = _paired(one, other)
    gains = [mine.test_accuracy - its.test_accuracy for mine, its in pairs]
    if not gains:
        return NOTHING
    hits = [(_dialogs(mine), _dialogs(its)) for mine, its in pairs]
    return Difference(statistics.fmean(gains), paired_interval(gains), bootstrap_interval(hits, key_of(measure)))


def _dialogs(result: SeedResult) -> dict[str, list[int]]:
    return result.by_dialog if isinstance(result, MeasuredSeed) else {}


def _paired(one: Sequence[SeedResult], other: Sequence[SeedResult]) -> list[tuple[SeedResult, SeedResult]]:
    if one and other and one[0].seedless:
        return [(one[0], its) for its in other]
    if one and other and other[0].seedless:
        return [(mine, other[0]) for mine in one]
    by_seed = {its.seed: its for its in other}
    return [(mine, by_seed[mine.seed]) for mine in one if mine.seed in by_seed]


def comparison_row(
    method: str,
    size: int,
    seeds: Sequence[SeedResult],
    primary: Sequence[SeedResult],
    measure: str = RESPONSES,
    simple: Mapping[str, Sequence[SeedResult]] | None = None,
    multitask: Sequence[SeedResult] = (),
) -> ComparisonRow:
    """Summarise a method's seeds, paired by seed with those of `primary` at the same size.

    Args:
        method, size, seeds: of the row.
        primary: the runs of `primary`.
        measure: of the comparison.
        simple: the runs of the simple baselines at this size, by method.
        multitask: the runs of `multitask` at this size.
    """
    mean, sd = mean_sd([result.test_accuracy for result in seeds])
    gain, simple = difference(seeds, primary, measure), simple or {}
    best = max(simple, key=lambda name: statistics.fmean(r.test_accuracy for r in simple[name]), default=None)
    best = None if method in simple else best
    over = difference(seeds, simple[best], measure) if best is not None else NOTHING
    weights = difference(seeds, multitask, measure) if method == LEARNED else NOTHING
    return ComparisonRow(
        method=method,
        size=size,
        seeds=tuple(seed.plain if isinstance(seed, MeasuredSeed) else seed for seed in seeds),
        mean=mean,
        sd=sd,
        minus_primary=gain.mean,
        ci95=gain.seeds,
        ci95_bootstrap=gain.dialogs_and_seeds,
        test_dialogs=max((len(_dialogs(seed).get("turns", ())) for seed in seeds), default=0) or None,
        simple=method in simple,
        best_simple=best,
        minus_simple=over.mean,
        ci95_simple=over.interval,
        ci95_simple_seeds=over.seeds,
        minus_multitask=weights.mean,
        ci95_multitask=weights.interval,
        ci95_multitask_seeds=weights.seeds,
    )


def no_width(interval: tuple[float, float]) -> bool:
    """Whether both ends of an interval are one number: every seed has the same, and that is no interval to show.

    >>> no_width((9.26, 9.26)), no_width((9.2, 9.3))
    (True, False)
    """
    return abs(interval[1] - interval[0]) < 1e-9


def signed(points: float, digits: int = 1) -> str:
    """A difference in points with a true minus sign: ``+3.1`` or ``−0.4``; one that rounds to nothing is ``+0.0``."""
    return f"{round(points, digits) + 0.0:+.{digits}f}".replace("-", MINUS)
