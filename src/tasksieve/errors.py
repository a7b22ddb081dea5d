"""The one kind of error that a user can cause and mend, and the end of a command whose work goes on elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LONGEST = 1000
"""Characters of a message: what was found is quoted, and may be anything."""


class UserError(Exception):
    """A mistake in what the user gave: shown as one sentence, without a traceback, with exit code 2.

    Args:
        message: what was found, what was expected and what to do about it.
        path: the file it was found in, if any.
        line: the line in that file, counted from 1.
    """

    def __init__(self, message: str, path: Path | str | None = None, line: int | None = None) -> None:
        self.message = one_line(message)
        self.path = None if path is None else Path(path)
        self.line = line
        place = "" if path is None else f"{path}: " if line is None else f"{path}:{line}: "
        super().__init__(place + self.message)

    def __reduce__(self) -> tuple[type[UserError], tuple[Any, ...]]:
        """Keep message and place when the error, or one derived from it, crosses from a worker to its parent."""
        return UserError, (self.message, self.path, self.line)


class Unfinished(Exception):
    """A slice has done what it can, and other runs are at work elsewhere: said in a sentence, with exit code 0.

    Args:
        done: how many runs are done.
        total: how many there are.
    """

    def __init__(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        super().__init__(
            f"{done} of {total} runs are done and the others are at work in other slices; whoever finds all of them "
            "done writes the table, and so does the same command without --slice"
        )

    def __reduce__(self) -> tuple[type[Unfinished], tuple[int, int]]:
        """Keep the numbers when it crosses to another process."""
        return Unfinished, (self.done, self.total)


def one_line(text: str) -> str:
    """A text of others as one line of limited length, with its control characters spelled out."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(text[: 2 * LONGEST].split()))
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
