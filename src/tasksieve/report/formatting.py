"""Numbers and texts as every table and page shows them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

from tasksieve.records import comparison
from tasksieve.records.comparison import MINUS, ComparisonRow, SeedResult

NOTHING = "–"
"""What stands where there is no value."""


def missing(value: float | None) -> bool:
    """Whether a number is absent, or not one."""
    return value is None or not math.isfinite(value)


def percent(value: float | None) -> str:
    """An accuracy in per cent, without the sign: ``64.6``."""
    return number(value, 1)


def number(value: float | None, digits: int) -> str:
    """A number with so many decimals and a true minus sign."""
    if value is None or missing(value):
        return NOTHING
    return f"{value:.{digits}f}".replace("-", MINUS)


def signed(value: float | None) -> str:
    """A difference in points: ``+3.1`` or ``−0.4``."""
    return NOTHING if value is None or missing(value) else comparison.signed(value)


def whole(value: float | None) -> str:
    """A count, its thousands set apart: ``18,340``."""
    return NOTHING if value is None or missing(value) else f"{value:,.0f}"


def mean_sd(mean: float | None, sd: float | None) -> str:
    """``64.6 ± 0.8``, or the mean alone if one seed leaves no deviation."""
    return percent(mean) if missing(sd) else f"{percent(mean)} ± {percent(sd)}"


def interval(ends: tuple[float, float] | None) -> str:
    """``+4.1 to +6.4``; ``no spread`` where both ends are one number, as of seeds that all found the same."""
    if ends is None:
        return NOTHING
    return "no spread" if comparison.no_width(ends) else f"{signed(ends[0])} to {signed(ends[1])}"


def gain(minus_primary: float | None, ci95: tuple[float, float] | None) -> str:
    """``+1.9 (+0.8 to +3.1)``, or the difference alone if one seed leaves no interval."""
    return signed(minus_primary) if ci95 is None else f"{signed(minus_primary)} ({interval(ci95)})"


def duration(seconds: float | None) -> str:
    """A time a person can picture: ``48 s``, ``3 min 5 s``, ``2 h 10 min``."""
    if seconds is None or missing(seconds):
        return NOTHING
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of what is there; None if nothing is."""
    present = [value for value in values if value is not None and math.isfinite(value)]
    return statistics.fmean(present) if present else None


def mean_valid(seeds: Sequence[SeedResult]) -> float | None:
    """Validation accuracy, mean over seeds."""
    return mean(result.valid_accuracy for result in seeds)


def mean_seconds(seeds: Sequence[SeedResult]) -> float | None:
    """Seconds a run took, mean over seeds."""
    return mean(result.seconds for result in seeds)


def direction(row: ComparisonRow) -> int:
    """1 or -1 if the whole interval of the difference to `primary` lies above or below 0, else 0."""
    if row.interval is None:
        return 0
    return 1 if row.interval[0] > 0 else -1 if row.interval[1] < 0 else 0


def one_line(text: object, length: int | None = None) -> str:
    """A text on one line: control codes and line ends become a space; cropped if long."""
    line = " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())
    return line if length is None or len(line) <= length else line[: length - 1].rstrip() + "…"
