"""What is not the same in two records of the same files, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasksieve.records.counts import first_few

_DIGITS = 12
"""Of a SHA-256: enough to tell two apart, and to find the file as it was."""


def changed_files(before: Mapping[str, Any], now: Mapping[str, str]) -> str:
    """What is not the same in two records of files: ``a.txt has changed (…)``, ``b.txt is new``, ``c.txt is gone``.

    Args:
        before: a SHA-256 by name, as a record has it, so perhaps not a text at all.
        now: as it is.
    Returns: nothing where all is the same.
    """
    told = [_told(name, before, now) for name in {**now, **before} if before.get(name) != now.get(name)]
    return first_few(told)


def digests_differ(before: object, now: str) -> str:
    """The SHA-256 of a file that has changed, as it was and as it is."""
    return f"SHA-256 {str(before)[:_DIGITS]}… then and {now[:_DIGITS]}… now"


def _told(name: str, before: Mapping[str, Any], now: Mapping[str, str]) -> str:
    if name not in before:
        return f"{name} is new"
    if name not in now:
        return f"{name} is gone"
    return f"{name} has changed ({digests_differ(before[name], now[name])})"
