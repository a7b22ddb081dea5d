"""What the differences of a comparison tell, and how they are put in words."""

from __future__ import annotations

import statistics
from typing import Literal

from tasksieve.records.comparison import Answer, ComparisonRow, Difference, no_width, signed
from tasksieve.records.measures import RANKING

CLOSE = 1.0
"""Points: a difference whose whole interval is smaller, either way, is nothing that one would choose a method by."""
FEW_DIALOGS = 10
"""On fewer test dialogs an interval over them says nothing: drawn from one dialog it has no width."""
Says = Literal["better", "worse", "same", "open"]
WITHIN = f", less than {CLOSE:g} point either way"


def says(found: Difference) -> Says:
    """What a difference tells, by its interval over test dialogs and seeds where that is known, else over seeds.

    One seed tells nothing, and neither do few test dialogs, or few seeds that all found the same.
    """
    if found.seeds is None or found.interval is None or few(found.dialogs):
        return "open"
    if no_width(found.interval) and found.dialogs is None and found.mean:
        return "open"
    low, high = found.interval
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    return "same" if low > -CLOSE and high < CLOSE else "open"


def few(dialogs: int | None) -> bool:
    """Whether so many test dialogs are too few to tell methods apart."""
    return dialogs is not None and dialogs < FEW_DIALOGS


def answer_of(
    question: Literal["borrow", "weights", "simple"],
    told: Says,
    method: str,
    against: str,
    found: Difference,
    sentence: str,
) -> Answer:
    """An answer with the numbers of the difference that it is about."""
    return Answer(
        question=question,
        says=told,
        method=method,
        against=against,
        points=found.mean,
        ci95=found.interval,
        ci95_seeds=found.seeds,
        sentence=sentence,
    )


def to_primary(row: ComparisonRow) -> Difference:
    """What a method has more than `primary`."""
    return Difference(row.minus_primary, row.ci95, row.ci95_bootstrap, row.test_dialogs)


def gained(method: str, against: str, found: Difference, measure: str, where: str = "") -> str:
    """The difference in words, with its intervals."""
    assert found.mean is not None
    points = f"points of {measure}" if measure == RANKING else "points"
    return f"{method} is {signed(found.mean)} {points} against {against}{where}{_intervals(found)}"


def _intervals(found: Difference) -> str:
    if found.seeds is None or found.interval is None:
        return " on one seed"
    if no_width(found.seeds):
        same = "the same on each seed"
        if no_width(found.interval):
            return f" ({same})"
        return f" (95 % interval {ends(found.interval)} over dialogs and seeds; {same})"
    if found.interval == found.seeds:
        return f" (95 % interval {ends(found.seeds)})"
    return f" (95 % interval {ends(found.interval)} over dialogs and seeds, {ends(found.seeds)} over seeds alone)"


def ends(interval: tuple[float, float]) -> str:
    """An interval in words."""
    return f"{signed(interval[0])} to {signed(interval[1])}"


def mend(row: ComparisonRow) -> str:
    """What to do for a clear answer."""
    if few(row.test_dialogs):
        return f"measure on more test dialogs ({FEW_DIALOGS} or more; here {row.test_dialogs})"
    return f"run more seeds ({_seeds(row)})"


def more(row: ComparisonRow) -> str:
    """What may tell, after "until"."""
    if few(row.test_dialogs):
        return f"more test dialogs tell ({FEW_DIALOGS} or more; here {row.test_dialogs})"
    return f"more seeds tell ({_seeds(row)})"


def _seeds(row: ComparisonRow) -> str:
    return f"--seeds {max(3, 2 * len(row.seeds))}"


def extra_time(learned: ComparisonRow, everything: ComparisonRow) -> str:
    """How much longer a run of `learned` took, where it is known and more than a little."""
    mine, its = (statistics.fmean(one.seconds for one in row.seeds) for row in (learned, everything))
    return f", at {mine / its:.1f} times its cost" if its > 0 and mine > 1.1 * its else ""
