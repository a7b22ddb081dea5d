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
from typing import Any

from tasksieve.encoding.days import day_meant
from tasksieve.encoding.values import Value, alike

FEWEST_VALUES = 3
"""So many distinct values show what all have in common."""
_TELLING_DIGITS = 4
"""Numbers of fewer digits, such as amounts, may have more or fewer another time."""
_LEADING = re.compile(r"[^\W\d_]*")
_DIGIT = re.compile(r"\d")
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
        said: in which format other responses have them.
    """

    def __init__(
        self,
        shapes: Mapping[str, Shape] | None = None,
        dates: Mapping[str, str] | None = None,
        said: Mapping[str, str] | None = None,
    ) -> None:
        self.shapes, self.dates, self.said = dict(shapes or {}), dict(dates or {}), dict(said or {})

    def __bool__(self) -> bool:
        return bool(self.shapes or self.dates or self.said)

    def has(self, base: str, number: str) -> bool:
        """Whether a number may fill a gap, by how those of the training dialogs look."""
        return base not in self.shapes or self.shapes[base].has(number)

    def in_call(self, base: str, text: str, dates: Iterable[Value], present: Iterable[Value] = ()) -> str | None:
        """A value as a tool is called with it; None where it has to be a date and may be none, or another one.

        Args:
            base: the name of the gap.
            text: the value.
            dates: that the conversation holds, which tell the year.
            present: those of them that are said to be today's, which tell the week.
        """
        if base in self.dates:
            day = day_meant(text, dates, present)
            return None if day is None else day.strftime(_WRITTEN[self.dates[base]])
        return self.shapes[base].put(text) if base in self.shapes else text

    def in_response(self, base: str, text: str, dates: Iterable[Value], present: Iterable[Value] = ()) -> str:
        """A value as other responses have it; as it is where no format is known, or not which day it is.

        Args:
            base, text, dates, present: as for :meth:`in_call`.
        """
        day = day_meant(text, dates, present) if base in self.said else None
        return text if day is None else day.strftime(_WRITTEN[self.said[base]])

    def is_as(self, name: str, right: str, text: str) -> bool:
        """Whether a value that a tool is called with is the right one, and is written so where all are."""
        if name in self.dates and _FORMATS[self.dates[name]].fullmatch(right):
            return text == right
        return alike(right, text)

    def plain(self) -> dict[str, Any]:
        """As JSON has it; :meth:`read` takes it back."""
        shapes = {base: [one.letters, one.digits, one.pattern] for base, one in sorted(self.shapes.items())}
        said = {"said": dict(sorted(self.said.items()))} if self.said else {}
        return {"shapes": shapes, "dates": dict(sorted(self.dates.items())), **said}

    @classmethod
    def read(cls, value: Any) -> Written:
        """What :meth:`plain` gave, or None for nothing. Raises: TypeError, ValueError: if it is something else."""
        if value is None:
            return cls()
        if not isinstance(value, Mapping) or value.keys() - {"said"} != {"shapes", "dates"}:
            raise ValueError
        shapes = {
            str(base): Shape(str(of), int(digits), str(way)) for base, (of, digits, way) in value["shapes"].items()
        }
        dates, said = (
            {str(base): str(form) for base, form in of.items()} for of in (value["dates"], value.get("said", {}))
        )
        if not {*dates.values(), *said.values()} <= _FORMATS.keys():
            raise ValueError
        return cls(shapes, dates, said)


@dataclass(slots=True)
class WrittenEvidence:
    """The values of gaps, as they are counted.

    Attributes:
        numbers: that fill each gap.
        called: values of each that tools are called with.
        said: values of each that other responses have.
    """

    numbers: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    called: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    said: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))

    def count(self, base: str, text: str, *, number: bool, call: bool) -> None:
        """Count in a value, whether it is a number, and whether a tool is called with it."""
        if number:
            self.numbers[base][text] = None
        (self.called if call else self.said)[base][text] = None

    def written(self) -> Written:
        """All of it together."""
        shapes = {base: shape for base, found in self.numbers.items() if (shape := self._shape(base, found))}
        return Written(shapes, _formats(self.called), _formats(self.said))

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


def _formats(values: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """The format that all values of a gap have, where they have one and are several."""
    return {
        base: name
        for base, of in values.items()
        for name, form in _FORMATS.items()
        if len(found := list(of)) >= FEWEST_VALUES and all(map(form.fullmatch, found))
    }


def _plain(number: str) -> str:
    """Letters and digits of a number, in small letters."""
    return "".join(character for character in number.lower() if character.isalnum())
