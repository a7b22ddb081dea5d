"""What a reader finds on its way through a file: problems, and things that a dialog has no place for."""

from __future__ import annotations

import reprlib
from collections import Counter
from pathlib import Path

from tasksieve.errors import UserError

MAX_PROBLEMS = 1000
"""A journal that collects is full after so many."""
MAX_LOSSES = 50
"""So many things are counted by themselves, and the rest together."""
MAX_NAME = 120
"""Characters."""


class JournalFull(Exception):
    """A file has so many problems that reading on is of no use."""


class Journal:
    """The problems and losses of one file.

    Args:
        path: the file.
        collect: keep problems and let the reader go on; otherwise the first one is raised.
        strict: take a turn without a response, and a dialog without a turn, for problems; otherwise they are left
            out and counted among the losses.
    """

    def __init__(self, path: Path, *, collect: bool = False, strict: bool = False) -> None:
        self.path = path
        self.problems: list[UserError] = []
        self.lost: Counter[str] = Counter()
        self._collect = collect
        self.strict = strict

    def refuse(self, message: str, line: int | None = None) -> None:
        """Say what was found, what was expected and where; the reader must then leave that part out.

        Raises:
            UserError: if problems are not collected.
            JournalFull: at the :data:`MAX_PROBLEMS`-th problem.
        """
        problem = UserError(message, self.path, line)
        if not self._collect:
            raise problem
        self.problems.append(problem)
        if len(self.problems) >= MAX_PROBLEMS:
            raise JournalFull

    def lose(self, what: str, count: int = 1) -> None:
        """Count something in the file that its dialogs cannot hold; ``what`` may have names from the file in it."""
        if not count:
            return
        name = what[:MAX_NAME]
        if not name.isprintable():
            name = "".join(char if char.isprintable() else "?" for char in name)
        known = name in self.lost or len(self.lost) < MAX_LOSSES
        self.lost[name if known else "something else"] += count


def shown(value: object) -> str:
    """A value from a file as an error message shows it: short, whatever it is."""
    return repr(value) if isinstance(value, str) and len(value) <= 80 else reprlib.repr(value)
