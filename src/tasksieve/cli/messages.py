"""The consoles: of results, and of errors, progress and the messages of the logger ``tasksieve``."""

from __future__ import annotations

import logging
from functools import lru_cache

from rich.console import Console

from tasksieve.records.said_once import ONCE


def output(*, wrap: bool = True) -> Console:
    """The console of standard output, which prints texts as they are: names of files are no markup and no emoji.

    Args:
        wrap: whether it breaks lines at the terminal's width.
    """
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=not wrap)


@lru_cache(maxsize=1)
def errors() -> Console:
    """The console of standard error, which prints texts as they are too."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def say(message: str) -> None:
    """Print a sentence there as it is, whatever is in it, without breaking its line."""
    errors().print(message, soft_wrap=True)


def say_of_fallback(fallback: str | None, note: str) -> None:
    """Say there what to know of a fallback before one relies on it, if one is asked for and there is anything."""
    if fallback is not None and note:
        say(f"note: {note}")


class _OnConsole(logging.Handler):
    """Shows messages as they come; what is said of a file each time that it is read, once a command."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def begin(self) -> None:
        """A command begins."""
        self._said.clear()

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        text = prefix + record.getMessage()
        if getattr(record, ONCE, False):
            if text in self._said:
                return
            self._said.add(text)
        say(text)


def show_messages() -> None:
    """Show what the product logs of its work: which names it found, what it did not read."""
    log = logging.getLogger("tasksieve")
    shown = next((handler for handler in log.handlers if isinstance(handler, _OnConsole)), None)
    if shown is None:
        shown = _OnConsole()
        log.addHandler(shown)
    shown.begin()
    log.setLevel(logging.INFO)
