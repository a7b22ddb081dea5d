"""How the values of a gap are written: what all those of the training dialogs have in common.

If every order number of the training dialogs begins with ``RT`` and has nine digits, no customer number fills the gap
for one. If every date that a tool is called with is like ``2026-12-15``, one that the user calls ``15.12.`` is
written so. Where training dialogs write in several ways, this tells nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tasksieve.encoding.values import Value, alike, canonical, values_in

FEWEST_VALUES = 3
"""So many distinct values show what all have in common."""
_TELLING_DIGITS = 4
"""Numbers of fewer digits, such as amounts, may have more or fewer another time."""
_LEADING = re.compile(r"[^\W\d_]*")
_DIGIT = re.compile(r"\d")
_DAYS_BEFORE = 60
"""A date without a year is at most so many days before the latest one known, else it is in the year after."""
_TODAY = re.compile(r"\b(?:today(?:'s date)?|heute|current date|date)(?:\s+(?:is|ist))?\W{0,3}$", re.IGNORECASE)
_FORMATS = {"iso": re.compile(r"\d{4}-\d\d-\d\d"), "points": re.compile(r"\d\d\.\d\d\.\d{4}")}
_WRITTEN = {"iso": "%Y-%m-%d", "points": "%d.%m.%Y"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What all numbers that fill a gap have in common.

    Attributes:
        letters: with which they begin, in small letters.
        digits: how many they have; 0 if some have more than others.
        pattern: how tools are called with them, a ``9`` for each digit, as ``RT-9999-99999``; empty if it differs.
    """

    letters: str = ""
    digits: int = 0
    pattern: str = ""

    def has(self, number: str) -> bool:
        """Whether a number is of this shape, whatever signs stand in it."""
        plain = _plain(number)
        begins = plain.startswith(self.letters) if self.letters else not self.digits or not plain[:1].isalpha()
        return begins and self.digits in (0, len(_DIGIT.findall(plain)))

    def put(self, number: str) -> str:
        """A number as tools are called with it; as it is where there is no pattern, or it would be another value."""
        digits = iter(_DIGIT.findall(number))
        if self.pattern.count("9") != len(_DIGIT.findall(number)) or not self.has(number):
            return number
        written = "".join(next(digits) if sign == "9" else sign for sign in self.pattern)
        return written if alike(written, number) and _plain(written) == _plain(number) else number


class Written:
    """How the values of gaps are written.

    Args:
        shapes: of the numbers, by the gap's name.
        dates: in which format tools are called with dates, ``iso`` or ``points``, by the gap's name.
    """

    def __init__(self, shapes: Mapping[str, Shape] | None = None, dates: Mapping[str, str] | None = None) -> None:
        self.shapes, self.dates = dict(shapes or {}), dict(dates or {})

    def __bool__(self) -> bool:
        return bool(self.shapes or self.dates)

    def has(self, base: str, number: str) -> bool:
        """Whether a number may fill a gap, by how those of the training dialogs look."""
        return base not in self.shapes or self.shapes[base].has(number)

    def in_call(self, base: str, text: str, dates: Iterable[Value]) -> str:
        """A value as a tool is called with it.

        Args:
            base: the name of the gap.
            text: the value.
            dates: that the conversation holds, which tell the year.
        """
        if base in self.dates:
            return _in_format(text, self.dates[base], dates)
        return self.shapes[base].put(text) if base in self.shapes else text

    def is_as(self, name: str, right: str, text: str) -> bool:
        """Whether a value that a tool is called with is the right one, and is written so where all are."""
        if name in self.dates and _FORMATS[self.dates[name]].fullmatch(right):
            return text == right
        return alike(right, text)

    def plain(self) -> dict[str, Any]:
        """As JSON has it; :meth:`read` takes it back."""
        shapes = {base: [one.letters, one.digits, one.pattern] for base, one in sorted(self.shapes.items())}
        return {"shapes": shapes, "dates": dict(sorted(self.dates.items()))}

    @classmethod
    def read(cls, value: Any) -> Written:
        """What :meth:`plain` gave, or None for nothing. Raises: TypeError, ValueError: if it is something else."""
        if value is None:
            return cls()
        if not isinstance(value, Mapping) or value.keys() != {"shapes", "dates"}:
            raise ValueError
        shapes = {
            str(base): Shape(str(of), int(digits), str(way)) for base, (of, digits, way) in value["shapes"].items()
        }
        dates = {str(base): str(form) for base, form in value["dates"].items()}
        if not set(dates.values()) <= _FORMATS.keys():
            raise ValueError
        return cls(shapes, dates)


@dataclass(slots=True)
class WrittenEvidence:
    """The values of gaps, as they are counted.

    Attributes:
        numbers: that fill each gap.
        called: values of each that tools are called with.
    """

    numbers: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    called: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))

    def count(self, base: str, text: str, *, number: bool, call: bool) -> None:
        """Count in a value, whether it is a number, and whether a tool is called with it."""
        if number:
            self.numbers[base][text] = None
        if call:
            self.called[base][text] = None

    def written(self) -> Written:
        """All of it together."""
        shapes = {base: shape for base, found in self.numbers.items() if (shape := self._shape(base, found))}
        dates = {
            base: name
            for base, found in self.called.items()
            for name, form in _FORMATS.items()
            if len(found) >= FEWEST_VALUES and all(map(form.fullmatch, found))
        }
        return Written(shapes, dates)

    def _shape(self, base: str, numbers: Iterable[str]) -> Shape | None:
        plain = {_plain(number) for number in numbers}
        letters = {found[0] for number in plain if (found := _LEADING.match(number))}
        lengths = {len(_DIGIT.findall(number)) for number in plain}
        if len(plain) < FEWEST_VALUES or len(letters) > 1:
            return None
        digits = max(lengths) if len(lengths) == 1 and max(lengths) >= _TELLING_DIGITS else 0
        patterns = {_DIGIT.sub("9", value) for value in self.called.get(base, ())} if digits else set[str]()
        shape = Shape("".join(letters), digits, "".join(patterns) if len(patterns) == 1 else "")
        return shape if shape.letters or shape.digits else None


def _plain(number: str) -> str:
    """Letters and digits of a number, in small letters."""
    return "".join(character for character in number.lower() if character.isalnum())


def _in_format(text: str, name: str, dates: Iterable[Value]) -> str:
    """A date in a format, its year by the dates of the conversation; as it is if that cannot be told."""
    value = canonical(text)[1]
    if value is None or not _is_day(value):
        return text
    month, day = _month_and_day(value)
    year = int(value.exact) if value.exact else _year(month, day, dates)
    found = None if year is None else _date(year, month, day)
    return text if found is None else found.strftime(_WRITTEN[name])


def _year(month: int, day: int, dates: Iterable[Value]) -> int | None:
    """The year of the first such date that is not long before the latest one known; None if none is known."""
    known = [_date(int(value.exact), *_month_and_day(value)) for value in dates if _is_day(value) and value.exact]
    latest = max((found for found in known if found is not None), default=None)
    if latest is None:
        return None
    for year in (latest.year - 1, latest.year, latest.year + 1):
        found = _date(year, month, day)
        if found is not None and (found - latest).days >= -_DAYS_BEFORE:
            return year
    return None


def _is_day(value: Value) -> bool:
    return value.key.startswith("d:")


def _month_and_day(value: Value) -> tuple[int, int]:
    month, day = value.key[2:].split("-")
    return int(month), int(day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def todays_in(text: str) -> list[Value]:
    """The dates of which a text says that they are today's."""
    return [value for value in values_in(text) if value.kind == "date" and _TODAY.search(text[: value.start])]
