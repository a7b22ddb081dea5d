"""Values in a text, told by their form: numbers, dates, times, e-mail addresses.

One value may be written in several ways. ``$3,900`` and ``3900`` are the same, as are ``11:30 am`` and ``11:30``,
``March 14th`` and ``2019-03-14``: :func:`same` says so where both can be meant, and never for two that differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from tasksieve.encoding.date_words import MONTH, WEEKDAY, month_in, weekday_in
from tasksieve.encoding.phrases import Phrase, phrase_of

Kind = Literal["number", "date", "time", "email", "name", "text"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_FORM = re.compile(
    rf"""
    (?<![\w.+-])(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
    |(?<![\w.-])(?P<iso>\d{{4}}-\d\d?-\d\d?)(?![\w-])
    |(?<![\w.$€£¥])(?P<german>(?:0?[1-9]|[12]\d|3[01])\.\s?(?:0?[1-9]|1[0-2])\.(?:\d{{4}}|\d\d)?)(?!\w)
    |(?<![\w/])(?P<slashes>\d\d?/\d\d?(?:/\d{{2,4}})?)(?![\w/])
    |(?<!\w)(?P<monthday>{MONTH}\s+\d\d?(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}}\b)?)
    |(?<!\w)(?P<daymonth>\d\d?(?:\.\s?|(?:st|nd|rd|th|\.)?\s+(?:of\s+)?){MONTH}(?:,?\s+\d{{4}}\b)?)
    |\b(?P<weekday>{WEEKDAY})\b
    |(?<![\w:])(?P<clock>\d\d?:\d\d(?::\d\d)?(?:\s?(?:[ap]m\b|[ap]\.m\.))?)(?![\w:])
    |(?<![\w:])(?P<hour>\d\d?\s?(?:[ap]m\b|[ap]\.m\.))
    |(?<![\w.])(?P<phone>\+?\(?\d{{1,5}}\)?(?:[\s/-]{{1,2}}\d{{2,}}){{1,5}})(?![\w-])
    |(?P<number>(?<![\w.,-])\d+(?:[.,]\d+)*(?![\w-]|[.,]\d))
    |(?<![\w/#-])(?P<identifier>(?=[\w/#-]*\d)[\w/#-]+)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LETTER_AND_DIGIT = re.compile(r"[A-Z]\d", re.IGNORECASE)
"""As lines and gates have it, ``U2`` and ``B7``."""
_SMALL = re.compile(r"(?<![\w.,:/#$€£¥+-])\d(?![\w:/€$£¥-]|[.,]\d)")
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th)", re.IGNORECASE)
MONEY = frozenset("$€£¥")
_PHONE_DIGITS = 6
_BEFORE_DATE = re.compile(
    r"(?:\b(?:on|the|to|until|till|by|from|since|before|after|and|or|am|vom|bis|zum|der|den|dem|ab|seit|und|oder)|[-–])"
    rf"\s*$|(?:\b(?:yes|no|ja|nein|nicht|sondern|doch|lieber|dann|{WEEKDAY}),?|[,;:])\s+$",
    re.IGNORECASE,
)
_LOOKED_BACK = 20
"""Characters before a date that tell whether it is one."""
_AFTER_DATE = re.compile(r"\s*[-–]|\s+[^\W\d_A-ZÄÖÜ]")
"""What tells a date such as ``4.3.`` from a number at the end of a sentence."""
_REMEMBERED = 1 << 16


@dataclass(frozen=True, slots=True)
class Value:
    """A value in a text.

    Attributes:
        kind: of what form it is.
        start, end: its first character, and the one after its last.
        text: as it stands there.
        key: what all ways to write it share.
        exact: the rest: a date's year, whether it is the next or this Friday, the hour of the day of a time; empty if
            it is left open.
    """

    kind: Kind
    start: int
    end: int
    text: str
    key: str
    exact: str = ""


def same(one: Value, other: Value) -> bool:
    """Whether two values can be the same."""
    return one.key == other.key and (one.exact == other.exact or not one.exact or not other.exact)


@lru_cache(_REMEMBERED)
def values_in(text: str) -> tuple[Value, ...]:
    """The values in a text that are told by their form, from left to right.

    These are numbers of two digits and more, words with digits in them, amounts of money, dates, times and e-mail
    addresses.

    >>> [(value.kind, value.text) for value in values_in("Ann, 4711: $5 on March 14th, 6:50 pm")]
    [('number', '4711'), ('number', '5'), ('date', 'March 14th'), ('time', '6:50 pm')]
    """
    return tuple(value for match in _FORM.finditer(text) for value in _of_match(text, match))


@lru_cache(_REMEMBERED)
def digits_in(text: str) -> tuple[Value, ...]:
    """The numbers of one digit in a text, which are values only where a value is asked for: "line 7".

    >>> [value.text for value in digits_in("line 7 on 5 May, 3 times")]
    ['7', '3']
    """
    taken = [(value.start, value.end) for value in values_in(text)]
    return tuple(
        Value("number", found.start(), found.end(), found[0], f"n:{found[0]}")
        for found in _SMALL.finditer(text)
        if not any(start < found.end() and found.start() < end for start, end in taken)
    )


def _of_match(text: str, match: re.Match[str]) -> Iterator[Value]:
    form, found = str(match.lastgroup), match[0]
    start = match.start()
    if form == "german" and not _is_date(text, match):
        form, found = "number", found.rstrip(".")
    if form == "phone" and len(_digits(found)) < _PHONE_DIGITS and " " in found:
        for part in re.finditer(r"\d{2,}", found):
            yield Value("number", start + part.start(), start + part.end(), part[0], f"n:{_number(part[0])}")
    elif form == "identifier":
        inner = found.strip("-/#_")
        if (len(inner) >= 3 or _LETTER_AND_DIGIT.fullmatch(inner)) and not _ORDINAL.fullmatch(inner):
            start += found.index(inner)
            yield Value("number", start, start + len(inner), inner, f"n:{_identifier(inner)}")
    elif form == "number":
        end = start + len(found)
        money = (start > 0 and text[start - 1] in MONEY) or (end < len(text) and text[end] in MONEY)
        if len(_digits(found)) >= 2 or money:
            yield Value("number", start, end, found, f"n:{_number(found)}")
    else:
        kind, key, exact = _reading(form, found)
        yield Value(kind, start, match.end(), found, key, exact)


def _is_date(text: str, match: re.Match[str]) -> bool:
    """Whether a day and a month with a point behind each are a date: with a year, alone, or where dates stand."""
    if not match[0].endswith(".") or match[0] == text.strip():
        return True
    before = text[max(0, match.start() - _LOOKED_BACK) : match.start()]
    return bool(_BEFORE_DATE.search(before) or _AFTER_DATE.match(text, match.end()))


def _reading(form: str, found: str) -> tuple[Kind, str, str]:
    """Kind, key and the rest of what is neither a plain number nor an identifier."""
    if form == "email":
        return "email", f"e:{found.lower()}", ""
    if form == "phone":
        return "number", f"n:{_digits(found)}", ""
    if form in ("clock", "hour"):
        return _time(found)
    if form == "weekday":
        return _weekday(found.lower())
    if form == "slashes":  # day first or month first is left open
        return "date", f"s:{'/'.join(part.lstrip('0') for part in found.split('/'))}", ""
    numbers = re.findall(r"\d+", found)
    if form == "iso":
        year, month, day = numbers
    elif form == "german":
        day, month, year = (*numbers, "")[:3]
        year = f"20{year}" if len(year) == 2 else year
    else:
        month = str(month_in(found) or "")
        day, year = (*numbers, "")[:2]
    return "date", f"d:{int(month)}-{int(day)}", year


def _weekday(found: str) -> tuple[Kind, str, str]:
    day, which = weekday_in(found)
    return "date", f"w:{day}", which


def _time(found: str) -> tuple[Kind, str, str]:
    hours, minutes = (*re.findall(r"\d+", found), "00")[:2]
    hour, half = int(hours), re.search(r"[ap](?=\.?m)", found.lower())
    if half:
        exact = str(hour % 12 + (12 if half[0] == "p" else 0))
    else:
        exact = str(hour) if hour > 12 or hour == 0 or hours.startswith("0") else ""
    return "time", f"t:{hour % 12}:{minutes}", exact


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def _number(text: str) -> str:
    """A number without separators of thousands and without zeros after its decimal point."""
    last = max(text.rfind(","), text.rfind("."))
    if last >= 0:
        mixed = "," in text and "." in text
        decimal = len(text) - last - 1 != 3 or text[last] == "." if not mixed else True
        whole = re.sub(r"[.,]", "", text[:last])
        if mixed or text.count(text[last]) == 1:
            fraction = text[last + 1 :].rstrip("0") if decimal else ""
            text = (whole if decimal else whole + text[last + 1 :]) + (f".{fraction}" if fraction else "")
        else:
            text = re.sub(r"[.,]", "", text)
    return text


def _identifier(text: str) -> str:
    digits = re.sub(r"[\s/#-]", "", text)
    return digits if digits.isdigit() else text.lower()


@lru_cache(_REMEMBERED)
def canonical(text: str) -> tuple[Phrase, Value | None]:
    """A text as it is looked for, and the value that it is, if it is nothing but one told by its form."""
    forms = values_in(text)
    alone = len(forms) == 1 and not any(map(str.isalnum, text.replace(forms[0].text, "", 1)))
    return phrase_of(text), forms[0] if alone else None


def alike(one: str, other: str) -> bool:
    """Whether two texts are the same value."""
    (phrase, form), (phrase_2, form_2) = canonical(one), canonical(other)
    return phrase == phrase_2 or (form is not None and form_2 is not None and same(form, form_2))
