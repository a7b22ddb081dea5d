"""Which value fills a gap where a record has one and the user has said another one since.

A customer's number stands in the record that came for it. If the user then gives another number, that of a daughter,
the next call is about the daughter; what a response says of a fare is still the record's. Training dialogs show which
it is for each gap. Where they do not, a call takes what the user has said if it looks like what the record has:
``L555321`` for ``L777123``, but no ``2`` for ``12``. So it is where a tool is called again: with the number that the
user has said since it was called, and not with the one before.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from tasksieve.encoding.calls import CALL
from tasksieve.encoding.values import alike, canonical
from tasksieve.encoding.written import Written, WrittenEvidence

_TELLING_DIGITS = 4
"""So many digits tell a number from others."""
_LETTER, _DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")
_BETWEEN = re.compile(r"(?<=\d)[^\w\s](?=\d)")


class Newest:
    """What training dialogs tell of it.

    Args:
        prefers: by gap, in calls and elsewhere (:func:`gap_key`), whether what the user has said since prevails.
        digits: the least and the most digits of the values of a gap that are numbers.
        signs: the signs between these digits, where each of the numbers has some, as ``/`` in ``25/03``.
        written: how all values of a gap are written.
    """

    def __init__(
        self,
        prefers: Mapping[str, bool] | None = None,
        digits: Mapping[str, tuple[int, int]] | None = None,
        signs: Mapping[str, str] | None = None,
        written: Written | None = None,
    ) -> None:
        self.written = written or Written()
        self.prefers, self.digits, self.signs = dict(prefers or {}), dict(digits or {}), dict(signs or {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Newest) and self.plain() == other.plain()

    def __hash__(self) -> int:
        return hash(frozenset(self.prefers.items()))

    def may_prevail(self, base: str, *, call: bool) -> bool:
        """Whether there is any value of the user's that would fill a gap for which a record has one."""
        return self.prefers.get(gap_key(base, call=call), call)

    def prevails(self, base: str, recorded: str, heard: str, *, call: bool) -> bool:
        """Whether what the user has said since a record came fills a gap, and not what the record says.

        Args:
            base: the name of the gap.
            recorded, heard: the two values.
            call: whether the gap stands in the call of a tool.
        """
        known = self.prefers.get(gap_key(base, call=call))
        return (call and _looks_alike(recorded, heard)) if known is None else known

    def replaces(self, base: str, called: str, heard: str) -> bool:
        """Whether what the user has said since a tool was called takes the place of what it was called with."""
        return base in self.written.shapes or _looks_alike(called, heard)

    def is_like(self, base: str, number: str, *, date: bool = False) -> bool:
        """Whether a number looks like those that fill a gap.

        It begins with the same letters and has as many digits if all of these do (:mod:`tasksieve.encoding.written`),
        else about as many, half as many to twice as many. Where dates fill the gap too, and its numbers all
        have a sign between digits, as ``25/03`` has, it has one of these: ``683999`` is no date.
        """
        least, most = self.digits.get(base, (0, 1 << 30))
        signs = self.signs.get(base, "") if date else ""
        is_as_long = least // 2 <= len(_DIGIT.findall(number)) <= 2 * most
        return is_as_long and self.written.has(base, number) and (not signs or any(sign in number for sign in signs))

    def plain(self) -> dict[str, Any]:
        """As JSON has it; :meth:`read` takes it back."""
        digits = {name: list(ends) for name, ends in sorted(self.digits.items())}
        signs = {"signs": dict(sorted(self.signs.items()))} if self.signs else {}
        prefers = dict(sorted(self.prefers.items()))
        written = {"written": self.written.plain()} if self.written else {}
        return {"prefers": prefers, "digits": digits, **signs, **written}

    @classmethod
    def read(cls, value: Any) -> Newest:
        """What :meth:`plain` gave, or None for nothing. Raises: TypeError, ValueError: if it is something else."""
        if value is None:
            return cls()
        if not isinstance(value, Mapping) or value.keys() - {"signs", "written"} != {"prefers", "digits"}:
            raise ValueError
        prefers = {str(name): found for name, found in value["prefers"].items()}
        digits = {str(name): (int(least), int(most)) for name, (least, most) in value["digits"].items()}
        signs = {str(name): found for name, found in value.get("signs", {}).items()}
        if not all(isinstance(found, bool) for found in prefers.values()):
            raise ValueError
        if not all(isinstance(found, str) for found in signs.values()):
            raise ValueError
        return cls(prefers, digits, signs, Written.read(value.get("written")))


class NewestEvidence:
    """What training dialogs tell, as it is counted."""

    def __init__(self) -> None:
        self._balance: Counter[str] = Counter()
        self._digits: dict[str, list[int]] = defaultdict(list)
        self._signs: dict[str, list[str]] = defaultdict(list)
        self.written = WrittenEvidence()

    def count(self, base: str, text: str, *, call: bool, recorded: str | None, heard: Iterable[str]) -> None:
        """Count in what filled a gap.

        Args:
            base: the name of the gap.
            text: the value.
            call: whether it stands in the call of a tool.
            recorded: what the record that is spoken of says there; None where there is none.
            heard: what the user has said since that record came, of the form of the value.
        """
        others = [value for value in heard if recorded is not None and not alike(value, recorded)]
        if others and recorded is not None:
            by_user = any(alike(value, text) for value in others)
            self._balance[gap_key(base, call=call)] += by_user - alike(recorded, text)

    def measure(self, base: str, number: str) -> None:
        """Count in how many digits a value of a gap has, and which signs stand between them."""
        self._digits[base].append(len(_DIGIT.findall(number)))
        self._signs[base].append("".join(sorted(set(_BETWEEN.findall(number)))))

    def newest(self) -> Newest:
        """All of it together."""
        prefers = {key: balance > 0 for key, balance in self._balance.items() if balance}
        digits = {base: (min(found), max(found)) for base, found in self._digits.items()}
        signs = {base: "".join(sorted(set("".join(found)))) for base, found in self._signs.items() if all(found)}
        return Newest(prefers, digits, signs, self.written.written())


def gap_key(base: str, *, call: bool) -> str:
    """By what is known which value prevails in a gap."""
    return f"{CALL} {base}" if call else base


def _looks_alike(one: str, other: str) -> bool:
    """Whether two values have letters, digits and signs at the same places, digits enough to tell one by.

    Any two e-mail addresses look alike, as do any two dates and any two times.
    """
    forms = [canonical(value)[1] for value in (one, other)]
    if all(form is not None and form.kind in ("date", "time") for form in forms):
        return forms[0].kind == forms[1].kind  # type: ignore[union-attr]
    if "@" in one and "@" in other:
        return True
    shapes = [_LETTER.sub("a", _DIGIT.sub("9", value.strip())) for value in (one, other)]
    return shapes[0] == shapes[1] and shapes[0].count("9") >= _TELLING_DIGITS
