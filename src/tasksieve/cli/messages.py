"""What is said on standard error: errors, progress, and the messages of the logger ``tasksieve``, on one console."""

from __future__ import annotations

import logging
from functools import lru_cache

from rich.console import Console


@lru_cache(maxsize=1)
def errors() -> Console:
    """The console of standard error."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def say(message: str) -> None:
    """Print a sentence there as it is, whatever is in it, without breaking its line."""
    errors().print(message, soft_wrap=True)


class _OnConsole(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        prefix = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        say(prefix + record.getMessage())


def show_messages() -> None:
    """Show what the product logs of its work: which names it found, what it did not read."""
    log = logging.getLogger("tasksieve")
    if not any(isinstance(handler, _OnConsole) for handler in log.handlers):
        log.addHandler(_OnConsole())
    log.setLevel(logging.INFO)
