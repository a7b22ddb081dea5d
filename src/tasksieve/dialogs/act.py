"""What a system turn does: its acts, and where in its words values stand."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_ACT = re.compile(r"([^\s(),]+)(?:\(([^()]*)\))?")


@dataclass(frozen=True, slots=True, order=True)
class Act:
    """One thing that a system turn does.

    Attributes:
        name: in lower case, e.g. ``request``.
        slot: what it is about, e.g. ``city``; empty if it is about none. Of a call of a tool, the tool's name.
    """

    name: str
    slot: str = ""

    @property
    def text(self) -> str:
        """The act as one word, ``request(city)``, or ``goodbye``."""
        return f"{self.name}({self.slot})" if self.slot else self.name


@dataclass(frozen=True, slots=True)
class Span:
    """Where a value stands in a response.

    Attributes:
        slot: whose value it is.
        start, end: its first character, and the one after its last.
    """

    slot: str
    start: int
    end: int


def acts_text(acts: Iterable[Act]) -> str:
    """Acts in one line, which :func:`acts_of` reads back.

    >>> acts_text([Act("inform", "phone"), Act("goodbye")])
    'inform(phone) goodbye'
    """
    return " ".join(act.text for act in acts)


def acts_of(text: str) -> tuple[Act, ...]:
    """Acts written in one line, with spaces or commas between them.

    >>> acts_of("Request(city), goodbye")
    (Act(name='request', slot='city'), Act(name='goodbye', slot=''))
    """
    return tuple(Act(name.lower(), slot.strip()) for name, slot in _ACT.findall(text))


def are_acts(text: str) -> bool:
    """Whether :func:`acts_of` reads all of a text, and nothing stands between the acts but spaces and commas.

    >>> are_acts("request(city), goodbye"), are_acts("ask (politely)")
    (True, False)
    """
    return not _ACT.sub("", text).replace(",", "").strip()
