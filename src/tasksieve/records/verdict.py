"""The verdict of a comparison: three questions, each answered in a sentence with intervals and what to do next."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tasksieve.records.comparison import (
    EVERYTHING,
    LEARNED,
    PRIMARY,
    Answer,
    ComparisonRow,
    Difference,
    signed,
)
from tasksieve.records.measures import RESPONSES
from tasksieve.records.verdict_simple import simple_answer
from tasksieve.records.verdict_words import (
    CLOSE,
    FEW_DIALOGS,
    WITHIN,
    Says,
    answer_of,
    ends,
    extra_time,
    few,
    gained,
    mend,
    more,
    says,
    to_primary,
)

__all__ = ["CLOSE", "FEW_DIALOGS", "Says", "answers", "chosen", "few", "says", "verdict"]

ORACLE = "oracle"
_LEADS = {"same": "Equal", "worse": "Do not borrow", "open": "Undecided"}


def answers(rows: Sequence[ComparisonRow], measure: str = RESPONSES) -> tuple[Answer, ...]:
    """The questions that the methods compared allow, at the largest size, the first of them whether to borrow.

    1. Borrow at all? The borrowing method that validation chooses, never the test dialogs that judge it, against
       `primary`. `oracle` is told what is right, and is judged only where no other method borrows. Where that method
       is not better and another one is, by its own interval, the answer stays as it is and names the other: one that
       is picked on the test dialogs has to hold on more seeds.
    2. Weights, or everything? `learned` against `multitask`; while the first answer is not to borrow, neither is
       advised.
    3. Better than the best simple baseline? What the first two answers advise, against that of the simple ones which
       is best on the test dialogs; `primary` against those that borrow nothing either.

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
    simple = simple_answer(advised, [row for row in rows if row.size == size and row.simple], measure)
    return (*found, simple) if simple is not None else tuple(found)


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
    rivals = [row for row in borrowing if row.method != ORACLE] or borrowing
    return max(rivals, key=lambda row: statistics.fmean(one.valid_accuracy for one in row.seeds), default=None)


def _borrow(best: ComparisonRow, here: dict[str, ComparisonRow], measure: str) -> Answer:
    found = to_primary(best)
    told: Says = says(found)
    gain = gained(best.method, PRIMARY, found, measure, f" with {best.size} dialogs")
    every = [to_primary(row) for row in here.values() if row.method != PRIMARY]
    other = None if told == "better" else _better_other(best, here)
    if all(one.mean == 0 and one.seeds in (None, (0.0, 0.0)) for one in every):
        told = "same"
        sentence = (
            f"Equal: with {best.size} dialogs all methods are right in {best.mean:.1f} % of the test turns, each "
            f"seed as primary; stay with primary, or compare with fewer dialogs (--sizes) or on a harder test set."
        )
    elif other is not None:
        sentence = (
            f"{_LEADS[told]}: {best.method}, which validation chose, {_after(gain)}; {_not_chosen(other, told)}."
        )
    elif told == "same":
        what = "all methods are equal" if all(says(one) == "same" for one in every) else "borrowing gains nothing"
        sentence = f"Equal: {gain}{WITHIN}: {what}; stay with primary, or compare with fewer dialogs (--sizes)."
    elif told == "better":
        sentence = f"Borrow: {gain}."
    elif told == "worse":
        sentence = f"Do not borrow: {gain}; use primary, or look for related dialogs that are nearer to the new task."
    else:
        sentence = f"Undecided: {gain}; {mend(best)}, or stay with primary."
    return answer_of("borrow", told, best.method, PRIMARY, found, sentence)


def _after(gain: str) -> str:
    """What a difference says after the method's name."""
    return gain.partition(" ")[2]


def _better_other(best: ComparisonRow, here: dict[str, ComparisonRow]) -> ComparisonRow | None:
    """The borrowing method that validation did not choose and that is clearly better than `primary` by the most."""
    others = [row for row in here.values() if row.method not in (PRIMARY, ORACLE, best.method)]
    clear = [row for row in others if says(to_primary(row)) == "better"]
    return max(clear, key=lambda row: row.minus_primary or 0.0, default=None)


def _not_chosen(other: ComparisonRow, told: Says) -> str:
    """What another method reaches on the test dialogs, and what to do about it."""
    found = to_primary(other)
    assert found.mean is not None and found.interval is not None
    gain = f"{signed(found.mean)} (95 % interval {ends(found.interval)})"
    until = f"or take {other.method}" if told == "open" else "and use primary until then"
    return f"{other.method}, which it did not choose, is {gain}: {mend(other)} to see whether that holds, {until}"


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
            return EVERYTHING if says(to_primary(self.everything)) == "better" else LEARNED
        return LEARNED if told == "better" else EVERYTHING

    def answer(self, measure: str) -> Answer:
        """The second answer."""
        found = self.difference
        told = says(found)
        gain = gained(LEARNED, EVERYTHING, found, measure) + (WITHIN if told == "same" else "")
        sentence = f"{self._lead(told)}: {gain}{extra_time(self.learned, self.everything)}{self._next(told)}."
        return answer_of("weights", told, LEARNED, EVERYTHING, found, sentence)

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
            return f"; until {more(self.learned)}, use {self.advised}"
        return "" if told == "better" and self.chosen == LEARNED else f"; of the two, use {better}"
