"""Words for dates, English and German: months, days of the week, and days such as "yesterday" or "übermorgen"."""

from __future__ import annotations

import re

MONTH = (
    r"(?:jan(?:uary|uar)?|jän(?:ner)?|feb(?:ruary|ruar)?|mar(?:ch)?|märz?|maerz|mrz|apr(?:il)?|may|mai|june?|juni?"
    r"|july?|juli?|aug(?:ust)?|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)\b\.?"
)
_MONTHS = (
    *("jan jän", "feb", "mar mär mae mrz", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec dez"),
)
_BY_MONTH = {start: number for number, starts in enumerate(_MONTHS, 1) for start in starts.split()}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_GERMAN = ("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag")
_BY_DAY = {
    **dict(zip(WEEKDAYS, WEEKDAYS, strict=True)),
    **dict(zip(_GERMAN, WEEKDAYS, strict=True)),
    "sonnabend": "saturday",
}
_DAY = re.compile(r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|" + "|".join((*_GERMAN, "sonnabend")))
WEEKDAY = (
    r"(?:(?:next|this|coming)\s+)?(?:mon|tues|wednes|thurs|fri|satur|sun)days?(?:\s+next\s+week)?"
    r"|(?:(?:nächste|kommende|diese)[nrms]?\s+)?(?:(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend)"
    r"(?:(?:vor|nach)?mittag|abend)?(?:\s+(?:nächste|kommende)[rn]?\s+woche)?"
)
"""A day of the week. "montags" is every Monday, and none."""
_NEXT_WEEK = re.compile(r"next\s+week|(?:nächste|kommende)[rn]?\s+woche", re.IGNORECASE)
_NEXT, _THIS = re.compile(r"\bnext|\bnächste", re.IGNORECASE), re.compile(r"\bthis|\bdiese", re.IGNORECASE)
_COMING = re.compile(r"\bcoming|\bkommende", re.IGNORECASE)
_FROM_TODAY = re.compile(
    r"\b(?:(?P<before>the\s+day\s+before\s+yesterday|vorgestern)|(?P<after>the\s+day\s+after\s+tomorrow|übermorgen)"
    r"|(?P<last>yesterday|last\s+night|gestern)|(?P<next>tomorrow|morgen)|(?P<same>today|tonight|heute?))\b",
    re.IGNORECASE,
)
_DAYS_AWAY = {"before": -2, "last": -1, "same": 0, "next": 1, "after": 2}
_PART_OF_DAY = re.compile(
    r"\b(?:guten?|schönen|am|jeden|diesen|den|dem|der|heute?|gestern|vorgestern|übermorgen)\s+$", re.IGNORECASE
)
"""Before "morgen" they make it a morning."""
_GREETS = re.compile(r"\s*[,!]\s*\w")


def month_in(text: str) -> int | None:
    """The number of the month that a text names."""
    found = re.search(MONTH, text, re.IGNORECASE)
    return None if found is None else _BY_MONTH[found[0][:3].lower()]


def weekday_in(text: str) -> tuple[str, str]:
    """The day of the week that a text names, in English; and whether it is "next", "this", of the next week, or open.

    >>> weekday_in("nächsten Freitag"), weekday_in("Monday next week"), weekday_in("Samstagabend")
    (('friday', 'next'), ('monday', 'next week'), ('saturday', ''))
    """
    day = _DAY.search(text.lower())
    if day is None:
        raise ValueError(text)
    if _NEXT_WEEK.search(text):
        return _BY_DAY[day[0]], "next week"
    which = "next" if _NEXT.search(text) else "this" if _THIS.search(text) else ""
    return _BY_DAY[day[0]], which or ("coming" if _COMING.search(text) else "")


def days_away(text: str) -> list[tuple[int, int, int]]:
    """Where a text names days by how far from today they are, and how many days that is.

    A morning is none: "guten Morgen", "am Morgen", "Morgen, ich suche …".

    >>> days_away("not tomorrow, the day after tomorrow"), days_away("Guten Morgen, heute")
    ([(4, 12, 1), (14, 36, 2)], [(14, 19, 0)])
    """
    return [
        (match.start(), match.end(), _DAYS_AWAY[str(match.lastgroup)])
        for match in _FROM_TODAY.finditer(text)
        if not (match[0].lower() == "morgen" and _is_morning(text, match))
    ]


def _is_morning(text: str, match: re.Match[str]) -> bool:
    greets = not text[: match.start()].strip() and _GREETS.match(text, match.end())
    return bool(greets or _PART_OF_DAY.search(text, 0, match.start()))
