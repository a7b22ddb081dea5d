"""Which value fills a gap where a record has one and the user has said another one since.

A customer's number stands in the record that came for it. If the user then gives another number, that of a daughter,
the next call is about the daughter; what a response says of a fare is still the record's. Training dialogs show which
it is for each gap. Where they do not, a call takes what the user has said if it looks like what the record has:
``L555321`` for ``L777123``, but no ``2`` for ``12``. So it is where a tool is called again: with the number that the
user has said since it was called, and not with the one before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tasksieve.encoding.calls import CALL
from tasksieve.encoding.values import alike, canonical
from tasksieve.encoding.written import Written, WrittenEvidence

_TELLING_DIGITS = 4
"""So many digits tell a number from others."""
_LETTER, _DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")


class Newest:
    """What training dialogs tell of it.

    Args:
        prefers: by gap, in calls and elsewhere (:func:`gap_key`), whether what the user has said since prevails.
        written: how all values of a gap are written.
    """

    def __init__(self, prefers: Mapping[str, bool] | None = None, written: Written | None = None) -> None:
        self.prefers, self.written = dict(prefers or {}), written or Written()

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
        return self.written.tells(base) or _looks_alike(called, heard)

    def plain(self) -> dict[str, Any]:
        """As JSON has it; :meth:`read` takes it back."""
        return {"prefers": dict(sorted(self.prefers.items())), "written": self.written.plain()}

    @classmethod
    def read(cls, value: Any) -> Newest:
        """What :meth:`plain` gave, or None for nothing. Raises: TypeError, ValueError: if it is something else."""
        if value is None:
            return cls()
        if not isinstance(value, Mapping):
            raise ValueError
        if "digits" in value:
            value = _older(value)
        if value.keys() != {"prefers", "written"}:
            raise ValueError
        prefers = {str(name): found for name, found in value["prefers"].items()}
        if not all(isinstance(found, bool) for found in prefers.values()):
            raise ValueError
        return cls(prefers, Written.read(value["written"]))


def _older(value: Mapping[str, Any]) -> dict[str, Any]:
    """What runs of older versions have, which keep digits, signs and shapes of numbers apart, as it is kept now."""
    if value.keys() - {"digits", "signs", "written"} != {"prefers"}:
        raise ValueError
    signs, written = value.get("signs", {}), value.get("written", {"shapes": {}, "dates": {}})
    numbers = {base: {"digits": ends, "start": "*"} for base, ends in value["digits"].items()}
    for base, found in signs.items():
        numbers[base] |= {"signs": found, "signed": True}
    for base, (letters, _, pattern) in written["shapes"].items():
        numbers[base] |= {"letters": letters, "pattern": pattern}
    return {"prefers": value["prefers"], "written": {"numbers": numbers, "dates": written["dates"]}}


class NewestEvidence:
    """What training dialogs tell, as it is counted."""

    def __init__(self) -> None:
        self._balance: Counter[str] = Counter()
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

    def newest(self) -> Newest:
        """All of it together."""
        prefers = {key: balance > 0 for key, balance in self._balance.items() if balance}
        return Newest(prefers, self.written.written())


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
