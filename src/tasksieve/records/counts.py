"""Numbers of things, and the first few of many, in words."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 3


def plural(count: int, noun: str) -> str:
    """A number of things, its thousands set apart, in the plural if need be.

    >>> plural(1, "dialog"), plural(18340, "dialog")
    ('1 dialog', '18,340 dialogs')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def first_few(things: Sequence[str]) -> str:
    """The first three of many, and how many more there are.

    >>> first_few(["a", "b", "c", "d"])
    'a, b, c, and 1 more'
    """
    more = [f"and {len(things) - _SHOWN} more"] if len(things) > _SHOWN else []
    return ", ".join([*things[:_SHOWN], *more])
