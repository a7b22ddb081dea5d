"""The one kind of error that a user can cause and mend."""

from __future__ import annotations

from pathlib import Path


class UserError(Exception):
    """A mistake in what the user gave: shown as one sentence, without a traceback, with exit code 2.

    Args:
        message: what was found, what was expected and what to do about it.
        path: the file it was found in, if any.
        line: the line in that file, counted from 1.
    """

    def __init__(self, message: str, path: Path | str | None = None, line: int | None = None) -> None:
        self.message = message
        self.path = None if path is None else Path(path)
        self.line = line
        place = "" if path is None else f"{path}: " if line is None else f"{path}:{line}: "
        super().__init__(place + message)

    def __reduce__(self) -> tuple[type[UserError], tuple[str, Path | None, int | None]]:
        """Keep message and place when the error, or one derived from it, crosses from a worker to its parent."""
        return UserError, (self.message, self.path, self.line)
