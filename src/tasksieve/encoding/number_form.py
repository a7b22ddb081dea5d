"""What the numbers that fill a gap have in common, and whether another one looks like them.

If every order number of the training dialogs begins with ``RT`` and has nine digits, no customer number fills the gap
for one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tasksieve.encoding.values import alike

FEWEST_VALUES = 3
"""So many distinct values show what all have in common."""
_FEWEST_STARTS = 2
"""Values that share the letters before them tell nobody's."""
_TELLING_DIGITS = 4
"""Numbers of fewer digits, such as amounts, may have more or fewer another time."""
_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]")
_START = re.compile(r"[^\W\d_]*")
_BETWEEN = re.compile(r"(?<=\d)[^\w\s](?=\d)")
_POINTS = frozenset(".,:")
_ANY, _SOME = "*", "+"


@dataclass(frozen=True, slots=True)
class NumberForm:
    """What some numbers have in common.

    Attributes:
        least, most: digits.
        start: the letters before the first digit or sign, in lower case; ``+`` for some, ``*`` for any or none.
        signs: those between digits, as ``/`` in ``25/03``.
        signed: whether each of the numbers has one of these.
        letters: those before the first digit, in lower case, whatever signs stand between; None where they differ,
            or the numbers are too few to tell.
        pattern: how tools are called with them, a ``9`` for each digit, as ``RT-9999-99999``; empty if it differs.
    """

    least: int
    most: int
    start: str = _ANY
    signs: str = ""
    signed: bool = False
    letters: str | None = None
    pattern: str = ""

    @classmethod
    def of(cls, values: Collection[str], called: Iterable[str] = ()) -> NumberForm:
        """What some numbers have in common.

        Args:
            values: at least one.
            called: what tools are called with.
        """
        digits, signs = [*map(_digits, values)], [_BETWEEN.findall(value) for value in values]
        plain = {_plain(value) for value in values}
        letters = {_start(value) for value in plain} if len(plain) >= FEWEST_VALUES else set[str]()
        found = cls(
            min(digits),
            max(digits),
            _shared_start(values),
            "".join(sorted({sign for of_value in signs for sign in of_value})),
            all(signs),
            letters.pop() if len(letters) == 1 else None,
        )
        patterns = {_DIGIT.sub("9", value) for value in called} if found.digits else set[str]()
        return replace(found, pattern=patterns.pop()) if len(patterns) == 1 else found

    @property
    def digits(self) -> int:
        """How many digits any such number has; 0 if some have more than others, or that is not known."""
        known = self.letters is not None and self.least == self.most >= _TELLING_DIGITS
        return self.most if known else 0

    @property
    def tells(self) -> bool:
        """Whether letters or digits tell such a number from others."""
        return bool(self.letters or self.digits)

    def fits(self, number: str) -> bool:
        """Whether a number looks like these: letters before it, signs, and about as many digits.

        >>> orders = NumberForm.of(["RT-2026-11111", "RT-2025-22222"])
        >>> orders.fits("RT-2026-99999"), orders.fits("700111")
        (True, False)
        """
        lettered = bool(_LETTER.search(number))
        if self.start != _ANY and (lettered != bool(self.start) or self.start not in (_SOME, _start(number))):
            return False
        if not _POINTS.intersection(self.signs) and _POINTS.intersection(_BETWEEN.findall(number)):
            return False
        if self.least == self.most >= _TELLING_DIGITS:
            return abs(_digits(number) - self.least) <= 1
        return self._is_about_as_long(number)

    def may_be(self, number: str, *, date: bool = False) -> bool:
        """Whether a number may be one of these, for all that is known, whatever signs stand in it.

        It begins with the same letters and has as many digits if all of these do, else about as many.

        Args:
            number: in a text.
            date: whether dates may stand in its place. If each of these has a sign between digits then, as ``25/03``
                has, it has one of the signs: ``683999`` is no date.
        """
        plain = _plain(number)
        begins = plain.startswith(self.letters) if self.letters else not self.digits or not plain[:1].isalpha()
        return (
            begins
            and self._is_about_as_long(number)
            and self.digits in (0, _digits(plain))
            and (not date or not self.signed or any(sign in number for sign in self.signs))
        )

    def put(self, number: str) -> str:
        """A number as tools are called with it; as it is where there is no pattern, or it would be another value."""
        if not self.pattern or not self.may_be(number):
            return number
        digits = iter(_DIGIT.findall(number))
        written = "".join(next(digits) if sign == "9" else sign for sign in self.pattern)
        return written if alike(written, number) and _plain(written) == _plain(number) else number

    def plain(self) -> dict[str, Any]:
        """As JSON has it, without what says nothing; :meth:`read` takes it back."""
        more = {name: getattr(self, name) for name in ("signs", "signed", "letters", "pattern")}
        kept = {name: value for name, value in more.items() if value not in ("", None, False)}
        kept |= {"letters": ""} if self.letters == "" else {}
        return {"digits": [self.least, self.most], "start": self.start, **kept}

    @classmethod
    def read(cls, value: Any) -> NumberForm:
        """What :meth:`plain` gave. Raises: ValueError, TypeError, KeyError: if it is something else."""
        if not isinstance(value, Mapping) or value.keys() - _KEYS:
            raise ValueError
        least, most = map(int, value["digits"])
        start, signs, pattern = (str(value.get(name, "")) for name in ("start", "signs", "pattern"))
        letters = None if value.get("letters") is None else str(value["letters"])
        return cls(least, most, start, signs, value.get("signed") is True, letters, pattern)

    def _is_about_as_long(self, number: str) -> bool:
        return self.least // 2 <= _digits(number) <= 2 * self.most


_KEYS = frozenset(("digits", "start", "signs", "signed", "letters", "pattern"))


def _shared_start(values: Collection[str]) -> str:
    lettered, starts = [bool(_LETTER.search(value)) for value in values], {*map(_start, values)}
    if not all(lettered):
        return _ANY if any(lettered) else ""
    shared = len(starts) == 1 and "" not in starts and len(set(values)) >= _FEWEST_STARTS
    return starts.pop() if shared else _SOME


def _digits(number: str) -> int:
    return len(_DIGIT.findall(number))


def _start(number: str) -> str:
    found = _START.match(number)
    return found[0].lower() if found else ""


def _plain(number: str) -> str:
    """Letters and digits of a number, in small letters."""
    return "".join(character for character in number.lower() if character.isalnum())
