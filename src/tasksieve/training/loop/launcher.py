"""A process ends with torchrun, which started it: alone it would go on unseen, and hold its run folder."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_EVERY = 1.0
"""Seconds between two looks."""


@contextmanager
def ending_with_torchrun() -> Iterator[None]:
    """Within this context the process ends, as if killed, soon after torchrun was killed; without torchrun, never.

    A torchrun that is told to end ends its processes itself, but one that is killed cannot.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield
        return
    parent, done = os.getppid(), threading.Event()
    threading.Thread(target=_watch, args=(parent, done), daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _watch(parent: int, done: threading.Event) -> None:
    while not done.wait(_EVERY):
        if os.getppid() != parent:
            os._exit(1)
