"""What every reader owes to every file: a result, or one clear sentence; soon, and within bounds of memory."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType

from tasksieve.errors import UserError
from tests.fuzz.targets import Target

SECONDS = 10
"""Of the processor: a reader that takes longer hangs, however busy the machine is."""
LONGEST = 1300
"""Characters of an error with its place."""


class Broken(AssertionError):
    """A reader did not keep the contract."""


def check(target: Target, folder: Path, data: bytes) -> bool:
    """Let the reader read; says whether the file was taken.

    Raises: Broken: if it raised anything but one clear sentence, or took too long.
    """
    file = folder / target.file
    file.unlink(missing_ok=True)  # writing over a file waits for the disk
    file.write_bytes(target.seal(data))
    before = signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        target.read(file)
    except UserError as error:
        _check_sentence(target, str(error))
        return False
    except Broken:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise Broken(f"{target.name}: {type(error).__name__}: {error}") from error
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return True


def _check_sentence(target: Target, text: str) -> None:
    if not text.strip() or len(text) > LONGEST or not text.isprintable():
        raise Broken(f"{target.name}: no clear sentence: {text[:200]!r} ({len(text)} characters)")


def _too_long(number: int, frame: FrameType | None) -> None:
    raise Broken(f"took more than {SECONDS} seconds")
