"""How a command ends when the user interrupts it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


class Interrupted(Exception):
    """Ctrl-C, past typer, which would end the program in its own way."""


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Let Ctrl-C in a command end the program as :func:`tasksieve.cli.run` says."""

    @functools.wraps(command)
    def call(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except KeyboardInterrupt:
            raise Interrupted from None

    return call
