"""The environment variables of this product's own, and the numbers that others' start it with.

One that is set to nothing counts as not set. Nonsense is refused, not taken for a default.
"""

from __future__ import annotations

import os
from pathlib import Path

from tasksieve.errors import UserError

LARGE_FILES = "TASKSIEVE_LARGE_MB"
"""Related files of so many megabytes together are read one dialog at a time; 0 for all."""
CACHE = "TASKSIEVE_CACHE"
"""The folder of caches."""
CACHE_SIZE = "TASKSIEVE_CACHE_GIB"
"""How many gibibytes the cache of vectors may have; 0 for no cache."""
KERNELS = "TASKSIEVE_KERNELS"
"""``off`` to use torch operations throughout, no compiled pieces."""
_ON, _OFF = ("on", "1", "yes", "true"), ("off", "0", "no", "false")
_LARGE_MB, _CACHE_GIB = 200.0, 2.0


def check_variables() -> None:
    """Refuse nonsense before any work is done.

    Raises: UserError: naming the variable, what was found and what was expected.
    """
    large_files()
    named_cache()
    cache_limit()
    kernels_wanted()


def large_files() -> float:
    """From how many bytes together related files are read one dialog at a time: 200 MB by default.

    Raises: UserError: if the variable is no size.
    """
    return 1e6 * _size(LARGE_FILES, _LARGE_MB, "megabytes, such as 200, or 0 for all")


def named_cache() -> Path | None:
    """The folder of caches that the user named; None for where the system keeps them.

    Raises: UserError: if it can be no folder.
    """
    named = os.environ.get(CACHE)
    try:
        folder = Path(named).expanduser() if named else None
    except RuntimeError:  # of somebody who is not known here
        raise UserError(f"{CACHE}: found {named}, whose home is not known; expected a folder") from None
    if folder is not None and folder.exists() and not folder.is_dir():
        raise UserError(f"{CACHE}: found {named}, which is a file; expected a folder")
    return folder


def cache_limit() -> int:
    """How many bytes the cache of vectors may have: 2 GiB by default.

    Raises: UserError: if the variable is no size.
    """
    return int(_size(CACHE_SIZE, _CACHE_GIB, "gibibytes, such as 2 or 0.5, or 0 for no cache") * (1 << 30))


def kernels_wanted() -> bool:
    """Whether compiled pieces may be used, as they may by default.

    Raises: UserError: if the variable says neither on nor off.
    """
    named = os.environ.get(KERNELS, "").lower()
    if named and named not in (*_ON, *_OFF):
        raise UserError(f"{KERNELS}: found {named}; expected on, or off for torch operations throughout")
    return named not in _OFF


def whole_number(name: str, default: int, least: int = 0) -> int:
    """A number that who started this process has put in a variable, such as ``WORLD_SIZE`` of torchrun.

    Args:
        name: of the variable.
        default: where it is not set.
        least: the smallest one that makes sense.
    Raises: UserError: if it is no whole number, or a smaller one.
    """
    named = os.environ.get(name)
    try:
        number = int(named) if named else default
    except ValueError:
        number = least - 1
    if number < least:
        raise UserError(f"{name}: found {named}; expected a whole number from {least}, as torchrun sets it")
    return number


def _size(name: str, default: float, expected: str) -> float:
    named = os.environ.get(name)
    try:
        size = float(named) if named else default
    except ValueError:
        size = -1.0
    if not 0 <= size < float("inf"):
        raise UserError(f"{name}: found {named}; expected {expected}")
    return size
