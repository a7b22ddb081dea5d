"""The verdict of a comparison: three questions, each answered in a sentence with intervals and what to do next."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tasksieve.records.comparison import (
    EVERYTHING,
    LEARNED,
    PRIMARY,
    Answer,
    ComparisonRow,
    Difference,
    no_width,
    signed,
)
from tasksieve.records.measures import RANKING, RESPONSES

CLOSE = 1.0
"""Points: a difference whose whole interval is smaller, either way, is nothing that one would choose a method by."""
FEW_DIALOGS = 10
"""On fewer test dialogs an interval over them says nothing: drawn from one dialog it has no width."""
Says = Literal["better", "worse", "same", "open"]
_WITHIN = f", less than {CLOSE:g} point either way"


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


def answers(rows: Sequence[ComparisonRow], measure: str = RESPONSES) -> tuple[Answer, ...]:
    """The questions that the methods compared allow, at the largest size, the first of them whether to borrow.

    1. Borrow at all? The borrowing method that validation chooses, never the test dialogs that judge it, against
       `primary`. `oracle` is told what is right, and is judged only where no other method borrows.
    2. Weights, or everything? `learned` against `multitask`; while the first answer is not to borrow, neither is
       advised.
    3. Better than the best simple baseline? What the first two answers advise, against that of the simple ones which
       is best on the test dialogs.

    Args:
        rows: of the comparison.
        measure: of the comparison; accuracy is not named.
    """
    size = max((row.size for row in rows), default=0)
    here = {row.method: row for row in rows if row.size == size and not row.simple}
    best = chosen(list(here.values()))
    if best is None or PRIMARY not in here or best.minus_primary is None:
        return ()
    borrow = _borrow(best, here, measure)
    found, advised = [borrow], best if borrow.says == "better" else here[PRIMARY]
    if EVERYTHING in here and LEARNED in here and here[LEARNED].minus_multitask is not None:
        pair = _Pair(here[LEARNED], here[EVERYTHING], best.method, borrow.says)
        found.append(pair.answer(measure))
        advised = here[pair.advised] if pair.advised in (LEARNED, EVERYTHING) else advised
    if advised.best_simple is not None and advised.minus_simple is not None:
        found.append(_simple(advised, advised.best_simple, measure, borrow.says))
    return tuple(found)


def verdict(rows: Sequence[ComparisonRow], measure: str = RESPONSES) -> str:
    """All answers one after the other, or why there is none.

    Args:
        rows, measure: as of :func:`answers`.
    """
    found = answers(rows, measure)
    if found:
        return " ".join(answer.sentence for answer in found)
    size = max((row.size for row in rows), default=0)
    here = [row for row in rows if row.size == size and not row.simple]
    best = chosen(here)
    if best is None or all(row.method != PRIMARY for row in here):
        return "No verdict: compare `primary` with at least one method that borrows."
    return f"No verdict: no seed came to its end with both {best.method} and primary."


def chosen(rows: Sequence[ComparisonRow]) -> ComparisonRow | None:
    """The borrowing method that is best on the validation dialogs; `oracle` only if there is no other."""
    borrowing = [row for row in rows if row.method != PRIMARY and not row.simple]
    rivals = [row for row in borrowing if row.method != "oracle"] or borrowing
    return max(rivals, key=lambda row: statistics.fmean(one.valid_accuracy for one in row.seeds), default=None)


def _borrow(best: ComparisonRow, here: dict[str, ComparisonRow], measure: str) -> Answer:
    found = _to_primary(best)
    told: Says = says(found)
    gain = _gain(best.method, PRIMARY, found, measure, f" with {best.size} dialogs")
    every = [_to_primary(row) for row in here.values() if row.method != PRIMARY]
    if all(one.mean == 0 and one.seeds in (None, (0.0, 0.0)) for one in every):
        told = "same"
        sentence = (
            f"Equal: with {best.size} dialogs all methods are right in {best.mean:.1f} % of the test turns, each "
            f"seed as primary; stay with primary, or compare with fewer dialogs (--sizes) or on a harder test set."
        )
    elif told == "same":
        what = "all methods are equal" if all(says(one) == "same" for one in every) else "borrowing gains nothing"
        sentence = f"Equal: {gain}{_WITHIN}: {what}; stay with primary, or compare with fewer dialogs (--sizes)."
    elif told == "better":
        sentence = f"Borrow: {gain}."
    elif told == "worse":
        sentence = f"Do not borrow: {gain}; use primary, or look for related dialogs that are nearer to the new task."
    else:
        sentence = f"Undecided: {gain}; {_mend(best)}, or stay with primary."
    return _answer("borrow", told, best.method, PRIMARY, found, sentence)


@dataclass(frozen=True, slots=True)
class _Pair:
    """`learned` and `multitask`: which of them is better, and what the first answer lets that advise.

    Attributes:
        chosen: the borrowing method that the first answer is about.
        borrow: what that answer says of it.
    """

    learned: ComparisonRow
    everything: ComparisonRow
    chosen: str
    borrow: Says

    @property
    def difference(self) -> Difference:
        row = self.learned
        return Difference(row.minus_multitask, row.ci95_multitask_seeds, row.ci95_multitask, row.test_dialogs)

    @property
    def advised(self) -> str:
        """What to use; while it is open which of the two, the cheaper one, if it too is known to pay."""
        if self.borrow != "better":
            return PRIMARY
        if self.chosen not in (LEARNED, EVERYTHING):
            return self.chosen
        told = says(self.difference)
        if told == "open":
            return EVERYTHING if says(_to_primary(self.everything)) == "better" else LEARNED
        return LEARNED if told == "better" else EVERYTHING

    def answer(self, measure: str) -> Answer:
        """The second answer."""
        found = self.difference
        told = says(found)
        gain = _gain(LEARNED, EVERYTHING, found, measure) + (_WITHIN if told == "same" else "")
        sentence = f"{self._lead(told)}: {gain}{_time(self.learned, self.everything)}{self._next(told)}."
        return _answer("weights", told, LEARNED, EVERYTHING, found, sentence)

    def _lead(self, told: Says) -> str:
        if told in ("worse", "same"):
            return "Weights gain nothing" if self.borrow in ("worse", "same") else "Everything is enough"
        return "Weights" if told == "better" else "Weights or everything, undecided"

    def _next(self, told: Says) -> str:
        """What to do next, after a semicolon."""
        better = LEARNED if told == "better" else EVERYTHING
        if self.borrow in ("worse", "same"):
            return "; use primary all the same"
        if self.borrow == "open":
            first = "see first whether to borrow"
            return f"; {first}" if told == "open" else f"; {first}, and if so use {better}"
        if told == "open":
            return f"; until {_more(self.learned)}, use {self.advised}"
        return "" if told == "better" and self.chosen == LEARNED else f"; of the two, use {better}"


def _simple(row: ComparisonRow, best: str, measure: str, borrow: Says) -> Answer:
    found = Difference(row.minus_simple, row.ci95_simple_seeds, row.ci95_simple, row.test_dialogs)
    told = says(found)
    untrained = ", which learns nothing" if measure == RANKING else ""
    gain = _gain(row.method, f"{best}, the best simple row{untrained}", found, measure)
    if told == "better":
        sentence = f"Better than simple: {gain}."
    elif told == "open":
        more = f"until {_more(row)}, either will do, and {best} costs least"
        sentence = f"Better than simple, undecided: {gain}; {more}."
    else:
        how = f"as good: {gain}{_WITHIN}" if told == "same" else f"better: {gain}"
        when = "until it is clear whether to borrow, " if borrow == "open" else ""
        sentence = f"Simple is {how}; {when}use {best} in place of {row.method}, or add dialogs of the new task."
    return _answer("simple", told, row.method, best, found, sentence)


def _answer(
    question: Literal["borrow", "weights", "simple"],
    told: Says,
    method: str,
    against: str,
    found: Difference,
    sentence: str,
) -> Answer:
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


def _to_primary(row: ComparisonRow) -> Difference:
    return Difference(row.minus_primary, row.ci95, row.ci95_bootstrap, row.test_dialogs)


def _gain(method: str, against: str, found: Difference, measure: str, where: str = "") -> str:
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
        return f" (95 % interval {_ends(found.interval)} over dialogs and seeds; {same})"
    if found.interval == found.seeds:
        return f" (95 % interval {_ends(found.seeds)})"
    return f" (95 % interval {_ends(found.interval)} over dialogs and seeds, {_ends(found.seeds)} over seeds alone)"


def _ends(interval: tuple[float, float]) -> str:
    return f"{signed(interval[0])} to {signed(interval[1])}"


def _mend(row: ComparisonRow) -> str:
    """What to do for a clear answer."""
    if few(row.test_dialogs):
        return f"measure on more test dialogs ({FEW_DIALOGS} or more; here {row.test_dialogs})"
    return f"run more seeds ({_seeds(row)})"


def _more(row: ComparisonRow) -> str:
    """What may tell, after "until"."""
    if few(row.test_dialogs):
        return f"more test dialogs tell ({FEW_DIALOGS} or more; here {row.test_dialogs})"
    return f"more seeds tell ({_seeds(row)})"


def _seeds(row: ComparisonRow) -> str:
    return f"--seeds {max(3, 2 * len(row.seeds))}"


def _time(learned: ComparisonRow, everything: ComparisonRow) -> str:
    """How much longer a run of `learned` took, where it is known and more than a little."""
    mine, its = (statistics.fmean(one.seconds for one in row.seeds) for row in (learned, everything))
    return f", at {mine / its:.1f} times its cost" if its > 0 and mine > 1.1 * its else ""
