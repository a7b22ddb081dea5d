"""How a command ends when the user, or the system, interrupts it."""

from __future__ import annotations

import functools
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Terminated(KeyboardInterrupt):
    """SIGTERM, unwinding the program as Ctrl-C does, so that everything is left in order."""


class Interrupted(Exception):
    """Ctrl-C or SIGTERM, past typer, which would end the program in its own way.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int = signal.SIGINT) -> None:
        self.code = 128 + number
        super().__init__(f"signal {number}")


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Let Ctrl-C and SIGTERM in a command end the program as :func:`tasksieve.cli.run` says."""

    @functools.wraps(command)
    def call(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except Terminated:
            raise Interrupted(signal.SIGTERM) from None
        except KeyboardInterrupt:
            raise Interrupted from None

    return call


@contextmanager
def obeying_sigterm() -> Iterator[None]:
    """Make SIGTERM end what is within like Ctrl-C; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated
