"""The verdict of a comparison: three questions, each answered in a sentence with intervals and what to do next."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Literal

from tasksieve.records.comparison import (
    EVERYTHING,
    LEARNED,
    PRIMARY,
    Answer,
    ComparisonRow,
    Difference,
    signed,
)
from tasksieve.records.measures import RANKING, RESPONSES

CLOSE = 1.0
"""Points: a difference whose whole interval is smaller, either way, is nothing that one would choose a method by."""
Says = Literal["better", "worse", "same", "open"]
_WITHIN = f", less than {CLOSE:g} point either way"


def says(found: Difference) -> Says:
    """What a difference tells, by its interval over test dialogs and seeds where that is known, else over seeds.

    One seed tells nothing.
    """
    if found.seeds is None or found.interval is None:
        return "open"
    low, high = found.interval
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    return "same" if low > -CLOSE and high < CLOSE else "open"


def answers(rows: Sequence[ComparisonRow], measure: str = RESPONSES) -> tuple[Answer, ...]:
    """The questions that the methods compared allow, at the largest size, the first of them whether to borrow.

    1. Borrow at all? The borrowing method that validation chooses, never the test dialogs that judge it, against
       `primary`. `oracle` is told what is right, and is judged only where no other method borrows.
    2. Weights, or everything? `learned` against `multitask`.
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
    found, advised = [borrow], best if borrow.says in ("better", "open") else here[PRIMARY]
    if EVERYTHING in here and LEARNED in here and here[LEARNED].minus_multitask is not None:
        weights = _weights(here[LEARNED], here[EVERYTHING], measure)
        found.append(weights)
        if advised.method == LEARNED and weights.says in ("worse", "same"):
            advised = here[EVERYTHING]
    if advised.best_simple is not None and advised.minus_simple is not None:
        found.append(_simple(advised, advised.best_simple, measure))
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
        sentence = f"Undecided: {gain}; run more seeds ({_more(best)}), or stay with primary."
    return _answer("borrow", told, best.method, PRIMARY, found, sentence)


def _weights(learned: ComparisonRow, everything: ComparisonRow, measure: str) -> Answer:
    found = Difference(learned.minus_multitask, learned.ci95_multitask_seeds, learned.ci95_multitask)
    told = says(found)
    gain, more = _gain(LEARNED, EVERYTHING, found, measure) + _time(learned, everything), _more(learned)
    if told == "better":
        sentence = f"Weights: {gain}."
    elif told == "open":
        sentence = f"Weights or everything, undecided: {gain}; until more seeds tell ({more}), use multitask."
    else:
        sentence = f"Everything is enough: {gain}{_WITHIN if told == 'same' else ''}; of the two, use multitask."
    return _answer("weights", told, LEARNED, EVERYTHING, found, sentence)


def _simple(row: ComparisonRow, best: str, measure: str) -> Answer:
    found = Difference(row.minus_simple, row.ci95_simple_seeds, row.ci95_simple)
    told = says(found)
    gain = _gain(row.method, f"{best}, the best simple row", found, measure)
    if told == "better":
        sentence = f"Better than simple: {gain}."
    elif told == "open":
        sentence = f"Better than simple, undecided: {gain}; until more seeds tell ({_more(row)}), {best} costs least."
    else:
        how = f"as good: {gain}{_WITHIN}" if told == "same" else f"better: {gain}"
        sentence = f"Simple is {how}; use {best}, or add dialogs of the new task."
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
    return Difference(row.minus_primary, row.ci95, row.ci95_bootstrap)


def _gain(method: str, against: str, found: Difference, measure: str, where: str = "") -> str:
    """The difference in words, with its intervals."""
    assert found.mean is not None
    points = f"points of {measure}" if measure == RANKING else "points"
    return f"{method} is {signed(found.mean)} {points} against {against}{where}{_intervals(found)}"


def _intervals(found: Difference) -> str:
    if found.seeds is None or found.interval is None:
        return " on one seed"
    if found.interval == found.seeds:
        return f" (95 % interval {_ends(found.seeds)})"
    return f" (95 % interval {_ends(found.interval)} over dialogs and seeds, {_ends(found.seeds)} over seeds alone)"


def _ends(interval: tuple[float, float]) -> str:
    return f"{signed(interval[0])} to {signed(interval[1])}"


def _more(row: ComparisonRow) -> str:
    return f"--seeds {max(3, 2 * len(row.seeds))}"


def _time(learned: ComparisonRow, everything: ComparisonRow) -> str:
    """How much longer a run of `learned` took, where it is known and more than a little."""
    mine, its = (statistics.fmean(one.seconds for one in row.seeds) for row in (learned, everything))
    return f", at {mine / its:.1f} times its cost" if its > 0 and mine > 1.1 * its else ""
