"""How many more primary dialogs `primary` would need to be as good as `learned`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tasksieve.records.comparison import Comparison, ComparisonRow, no_width
from tasksieve.records.counts import plural
from tasksieve.records.measures import RESPONSES
from tasksieve.report import formatting as show

BORROWER = "learned"
"""The method whose accuracy is to be reached."""


def more_dialogs(curve: Sequence[tuple[int, float]], size: int, accuracy: float) -> float:
    """How many dialogs beyond ``size`` a method needs to reach an accuracy, between the sizes compared by a line.

    Args:
        curve: sizes and accuracies, the sizes ascending.
        size: one of them.
        accuracy: to be reached.
    Returns: 0 if it is reached with ``size``; infinity if with none of the sizes.

    >>> more_dialogs([(50, 60.0), (100, 64.0), (200, 65.0)], 50, 63.0)
    37.5
    """
    ahead = [point for point in curve if point[0] >= size]
    if ahead and ahead[0][1] >= accuracy:
        return 0.0
    for (low, before), (high, after) in pairwise(ahead):
        if after >= accuracy:
            return low + (accuracy - before) / (after - before) * (high - low) - size
    return math.inf


@dataclass(frozen=True, slots=True)
class Need:
    """The answer at one number of primary dialogs.

    Attributes:
        size: number of primary dialogs.
        room: how many more were compared at most.
        row: of the borrowing method.
        accuracy: of that method, to be reached.
        more: dialogs needed beyond ``size``; infinite if more than ``room``.
        ends: the same for both ends of the 95 % interval of the difference; None if there is no interval.
        measure: of the comparison, of which ``accuracy`` is the per cent.
    """

    size: int
    room: int
    row: ComparisonRow
    accuracy: float
    more: float
    ends: tuple[float, float] | None
    measure: str = RESPONSES


def needs(comparison: Comparison) -> list[Need]:
    """The answer at every size at which `learned` and `primary` were compared; none with a single size."""
    rows = {(row.method, row.size): row for row in comparison.rows}
    curve = sorted((row.size, row.mean) for row in comparison.rows if row.method == "primary")
    if len(curve) < 2:
        return []
    compared = [(size, mean, rows.get((BORROWER, size))) for size, mean in curve]
    return [_need(curve, size, mean, row, comparison.measure) for size, mean, row in compared if row is not None]


def _need(curve: Sequence[tuple[int, float]], size: int, primary: float, row: ComparisonRow, measure: str) -> Need:
    accuracy = row.mean if row.minus_primary is None else primary + row.minus_primary
    ends = None
    if row.interval is not None:
        low, high = (more_dialogs(curve, size, primary + end) for end in row.interval)
        ends = low, high
    return Need(size, curve[-1][0] - size, row, accuracy, more_dialogs(curve, size, accuracy), ends, measure)


def sentence(need: Need) -> str:
    """The answer in words, as sure as the interval lets it be."""
    start = f"With {plural(need.size, 'dialog')}"
    gain = f"learned is {show.signed(need.row.minus_primary)} points against primary"
    if need.room == 0:
        return f"{start}, the most compared, {gain}{_difference(need)}: {_at_the_end(need)}."
    if need.more == 0:
        return f"{start}: none, for learned is not better there{_amounts(need)}."
    of = "" if need.measure == RESPONSES else f" {need.measure}"
    return f"{start}, learned reaches {show.percent(need.accuracy)} %{of}: {_amount(need)}{_amounts(need)}."


def _at_the_end(need: Need) -> str:
    if need.more == 0:
        return "none are needed"
    return "how many dialogs that is worth cannot be told without a larger size"


def _difference(need: Need) -> str:
    if need.row.interval is None:
        return " on one seed"
    if no_width(need.row.interval):
        return " (the same on each seed)"
    return f" (95 % interval {show.interval(need.row.interval)})"


def _amount(need: Need) -> str:
    if math.isinf(need.more):
        return f"without borrowing you would need more than {show.whole(need.room)} more, the most compared"
    return f"without borrowing you would need about {show.whole(math.ceil(need.more))} more"


def _amounts(need: Need) -> str:
    if need.ends is None:
        return " (one seed, so without an interval)"
    low, high = (_end(end, need.room) for end in need.ends)
    if low == high:
        return f" (95 % interval: {low})" if need.ends != (need.more, need.more) else ""
    return f" (95 % interval: {low} to {high})"


def _end(end: float, room: int) -> str:
    if math.isinf(end):
        return f"more than {show.whole(room)}"
    return "none" if end == 0 else show.whole(math.ceil(end))
