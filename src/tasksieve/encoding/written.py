"""How the values of a gap are written: what all those of the training dialogs have in common.

Numbers have a form (:mod:`tasksieve.encoding.number_form`). If every date that a tool is called with is like
``2026-12-15``, one that the user calls ``15.12.`` is written so. Where training dialogs write in several ways, this
tells nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tasksieve.encoding.days import day_meant
from tasksieve.encoding.number_form import FEWEST_VALUES, NumberForm
from tasksieve.encoding.values import Value, alike

_FORMATS = {"iso": re.compile(r"\d{4}-\d\d-\d\d"), "points": re.compile(r"\d\d\.\d\d\.\d{4}")}
_WRITTEN = {"iso": "%Y-%m-%d", "points": "%d.%m.%Y"}


class Written:
    """How the values of gaps are written.

    Args:
        numbers: what they look like, by the gap's name.
        dates: in which format tools are called with dates, ``iso`` or ``points``, by the gap's name.
        said: in which format other responses have them.
    """

    def __init__(
        self,
        numbers: Mapping[str, NumberForm] | None = None,
        dates: Mapping[str, str] | None = None,
        said: Mapping[str, str] | None = None,
    ) -> None:
        self.numbers, self.dates, self.said = dict(numbers or {}), dict(dates or {}), dict(said or {})

    def may_be(self, base: str, number: str, *, date: bool = False) -> bool:
        """Whether a number may fill a gap, by how those of the training dialogs look: :meth:`NumberForm.may_be`."""
        return base not in self.numbers or self.numbers[base].may_be(number, date=date)

    def tells(self, base: str) -> bool:
        """Whether what numbers of a gap look like tells them from others."""
        return base in self.numbers and self.numbers[base].tells

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
        return self.numbers[base].put(text) if base in self.numbers else text

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
        numbers = {base: form.plain() for base, form in sorted(self.numbers.items())}
        said = {"said": dict(sorted(self.said.items()))} if self.said else {}
        return {"numbers": numbers, "dates": dict(sorted(self.dates.items())), **said}

    @classmethod
    def read(cls, value: Any) -> Written:
        """What :meth:`plain` gave. Raises: TypeError, ValueError, KeyError: if it is something else."""
        if not isinstance(value, Mapping) or value.keys() - {"said"} != {"numbers", "dates"}:
            raise ValueError
        numbers = {str(base): NumberForm.read(form) for base, form in value["numbers"].items()}
        dates, said = (
            {str(base): str(form) for base, form in of.items()} for of in (value["dates"], value.get("said", {}))
        )
        if not {*dates.values(), *said.values()} <= _FORMATS.keys():
            raise ValueError
        return cls(numbers, dates, said)


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
        numbers = {base: NumberForm.of(found, self.called.get(base, ())) for base, found in self.numbers.items()}
        return Written(numbers, _formats(self.called), _formats(self.said))


def _formats(values: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """The format that all values of a gap have, where they have one and are several."""
    return {
        base: name
        for base, of in values.items()
        for name, form in _FORMATS.items()
        if len(found := list(of)) >= FEWEST_VALUES and all(map(form.fullmatch, found))
    }
