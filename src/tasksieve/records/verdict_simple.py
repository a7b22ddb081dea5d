"""The third answer of a verdict: whether a method is better than the best simple baseline.

Simple baselines are measured and cannot be talked to, so none is advised: what they reach is a sign. A method that
borrows nothing is held against those that borrow nothing too; what one of the others gains is told beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tasksieve.records.comparison import PRIMARY, Answer, ComparisonRow, Difference, signed
from tasksieve.records.measures import RANKING
from tasksieve.records.verdict_words import WITHIN, answer_of, ends, gained, mend, says, to_primary

_BORROWING = "-all"
"""Simple methods that learn from all related turns too end in this: ``tfidf-all``, ``encoder-all``."""


def simple_answer(row: ComparisonRow, simple: Sequence[ComparisonRow], measure: str) -> Answer | None:
    """How a method stands against the best simple baseline; None where there is none, or no seed has both.

    Args:
        row: of the method.
        simple: the rows of the simple baselines at the same size.
        measure: of the comparison.
    """
    best = next((one for one in simple if one.method == row.best_simple), None)
    own = [one for one in simple if not one.method.endswith(_BORROWING) and one.minus_primary is not None]
    if row.method == PRIMARY and own and (best is None or best.method.endswith(_BORROWING)):
        nearest = max(own, key=lambda one: one.mean)
        beside = "" if best is None else _beside(best)
        return _answer(row, nearest.method, _turned(to_primary(nearest)), measure, " that borrows nothing", beside)
    if row.best_simple is None or row.minus_simple is None:
        return None
    found = Difference(row.minus_simple, row.ci95_simple_seeds, row.ci95_simple, row.test_dialogs)
    too = row.method == PRIMARY and row.best_simple.endswith(_BORROWING)
    return _answer(row, row.best_simple, found, measure, ", which borrows too" if too else "", "")


def _answer(row: ComparisonRow, best: str, found: Difference, measure: str, kind: str, beside: str) -> Answer:
    told = says(found)
    untrained = ", which learns nothing" if measure == RANKING else ""
    gain = gained(row.method, f"{best}, the best simple baseline{kind}{untrained}", found, measure)
    if told == "better":
        sentence = f"Better than simple: {gain}"
    elif told == "open":
        sentence = f"Better than simple, undecided: {gain}; {mend(row)}"
    elif told == "same":
        sentence = f"Simple is as good: {gain}{WITHIN}; a sign that {row.method} needs more dialogs of the new task"
    else:
        shown = f"{best} is only measured, and a sign that {row.method} gets too little out of its dialogs"
        sentence = f"Simple is better: {gain}; {shown}: add some of the new task, or try another model"
    return answer_of("simple", told, row.method, best, found, f"{sentence}{beside}.")


def _beside(best: ComparisonRow) -> str:
    """What a baseline that borrows gains over `primary`."""
    found = to_primary(best)
    if found.mean is None:
        return ""
    within = "" if found.interval is None else f" ({ends(found.interval)})"
    sign = ", a sign that the related dialogs help" if says(found) == "better" else ""
    return f"; {best.method}, which borrows too, is {signed(found.mean)}{within} against primary{sign}"


def _turned(found: Difference) -> Difference:
    """The same the other way round."""
    seeds, both = (None if one is None else (-one[1], -one[0]) for one in (found.seeds, found.dialogs_and_seeds))
    return Difference(None if found.mean is None else -found.mean, seeds, both, found.dialogs)
