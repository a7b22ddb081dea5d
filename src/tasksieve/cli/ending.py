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
def obeying_signals() -> Iterator[None]:
    """Make Ctrl-C and SIGTERM end what is within; only the main thread can. What was told to ignore Ctrl-C, as shells
    tell their jobs in the background, still does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, _arrive)}
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        before[signal.SIGINT] = signal.signal(signal.SIGINT, _arrive)
    try:
        yield
    finally:
        _held.clear()
        for number, handler in before.items():
            signal.signal(number, handler)


def end_if_interrupted() -> None:
    """Raise what could not be raised where the signal arrived. Long work calls it now and then."""
    if _held:
        raise _held.pop()


_held: list[type[KeyboardInterrupt]] = []


def _arrive(number: int, frame: FrameType | None) -> None:
    ending = KeyboardInterrupt
    if number == signal.SIGTERM:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        ending = Terminated
    if _in_finalizer(frame):
        _held.append(ending)
    else:
        raise ending


def _in_finalizer(frame: FrameType | None) -> bool:
    """Whether Python would drop what is raised here with a traceback, and go on."""
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False
