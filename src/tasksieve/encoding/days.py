"""Which day a date that somebody said is, if that is certain: "15.12." by the dates known, "Friday" by today's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from tasksieve.encoding.date_words import WEEKDAY, WEEKDAYS, days_away
from tasksieve.encoding.values import Value, canonical, values_in

_DAYS_BEFORE = 60
"""A date without a year is at most so many days before the latest one known, else it is in the year after."""
_TODAY = re.compile(
    rf"\b(?:today(?:'s date)?|heute|current date|(?:heutiges )?datum|date)(?:\s+(?:is|ist))?(?:\s+(?:the|der))?"
    rf"(?:\W{{1,3}}(?:{WEEKDAY}))?(?:\W{{1,3}}(?:the|der|den))?\W{{0,3}}$",
    re.IGNORECASE,
)
_WEEK, _LEAP = 7, 2000


def day_meant(text: str, dates: Iterable[Value], present: Iterable[Value] = ()) -> date | None:
    """The day that a text is; None if it is no date, or may be another one too.

    Args:
        text: the date alone.
        dates: those known, which tell the year.
        present: today's, which tells the week.

    >>> day_meant("25/03/2026", []), day_meant("12/08/2026", [])
    (datetime.date(2026, 3, 25), None)
    """
    value = canonical(text)[1]
    if value is None or value.kind != "date":
        return None
    if value.key.startswith("w:"):
        known = {today for one in present if (today := _whole(one)) is not None}
        return _of_week(value, known.pop()) if len(known) == 1 else None
    if value.key.startswith("s:"):
        return _of_slashes(value.key[2:], list(dates))
    month, day = _month_and_day(value)
    return _dated(value.exact, month, day, dates)


def is_one_of(value: Value, texts: Iterable[str], dates: Sequence[Value], present: Sequence[Value]) -> bool:
    """Whether a date with its year is the day that one of some texts is, by the dates known and today's."""
    day = _whole(value)
    return day is not None and any(day_meant(text, dates, present) == day for text in texts)


def todays_in(text: str) -> list[Value]:
    """The dates of which a text says that they are today's."""
    return [value for value in values_in(text) if value.kind == "date" and _TODAY.search(text[: value.start])]


def days_from_today(text: str, present: Iterable[Value]) -> list[tuple[int, int, date]]:
    """Where a text says "yesterday", "heute" and the like, and which day that is; none where today is not known.

    Args:
        text: of the user.
        present: today's date.
    """
    known = {today for one in present if (today := _whole(one)) is not None}
    if len(known) != 1:
        return []
    today = known.pop()
    return [(start, end, today + timedelta(away)) for start, end, away in days_away(text)]


def _of_slashes(written: str, dates: list[Value]) -> date | None:
    """A date with slashes, if day first and month first are one day, or only one of them is a day."""
    first, second, year = (*written.split("/"), "")[:3]
    year = f"20{year:0>2}" if year and len(year) <= 2 else year
    one, other = int(first or 0), int(second or 0)
    pairs = [(month, day) for month, day in ((one, other), (other, one)) if _date(_LEAP, month, day) is not None]
    days = {_dated(year, month, day, dates) for month, day in pairs}
    return days.pop() if len(days) == 1 else None


def _of_week(value: Value, today: date) -> date | None:
    """A day of the week to come, if weeks from Monday and from Sunday on, and both meanings of "next", are of one."""
    number = WEEKDAYS.index(value.key[2:])
    coming = (number - today.weekday()) % _WEEK
    following = {_WEEK + (number + start) % _WEEK - (today.weekday() + start) % _WEEK for start in (0, 1)}
    if value.exact == "next week":
        found = following
    elif value.exact == "next":
        found = following | {coming or _WEEK}
    else:
        found = {coming} if coming else {0, _WEEK}
    return today + timedelta(found.pop()) if len(found) == 1 else None


def _dated(year: str, month: int, day: int, dates: Iterable[Value]) -> date | None:
    known = int(year) if year else _year(month, day, dates)
    return None if known is None else _date(known, month, day)


def _year(month: int, day: int, dates: Iterable[Value]) -> int | None:
    """The year of the first such date that is not long before the latest one known; None if none is known."""
    latest = max((found for value in dates if (found := _whole(value)) is not None), default=None)
    if latest is None:
        return None
    for year in (latest.year - 1, latest.year, latest.year + 1):
        found = _date(year, month, day)
        if found is not None and (found - latest).days >= -_DAYS_BEFORE:
            return year
    return None


def _whole(value: Value) -> date | None:
    """A date that says its year."""
    whole = value.key.startswith("d:") and value.exact
    return _date(int(value.exact), *_month_and_day(value)) if whole else None


def _month_and_day(value: Value) -> tuple[int, int]:
    month, day = value.key[2:].split("-")
    return int(month), int(day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
