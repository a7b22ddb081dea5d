"""Numbers of things, in words."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """A number of things, its thousands set apart, in the plural if need be.

    >>> plural(1, "dialog"), plural(18340, "dialog")
    ('1 dialog', '18,340 dialogs')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
