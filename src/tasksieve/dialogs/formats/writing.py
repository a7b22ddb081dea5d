"""The writer of a format, if it has one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.format import Format
from tasksieve.dialogs.formats.known import formats
from tasksieve.errors import UserError


def writer(known: Format) -> Callable[[Iterable[Dialog], Path], None]:
    """What writes a format. Raises: UserError: if it is only read."""
    if known.write is None:
        names = ", ".join(one.name for one in formats().values() if one.write is not None)
        raise UserError(f"'{known.name}' is read, not written; expected one of {names}")
    return known.write
