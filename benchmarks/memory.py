"""How much memory a piece of work needs at its highest, on Linux."""

from __future__ import annotations

import ctypes
import gc
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_THRESHOLD = -3  # M_MMAP_THRESHOLD
_STATUS, _REFERENCES = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_mb(work: Callable[[], object]) -> float:
    """The highest resident size of this process during the work, less that before it, in MB; NaN elsewhere.

    Memory that the allocator holds back is given to the system before, so that using it again counts.
    """
    if not _REFERENCES.exists():
        return math.nan
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    before = _resident("VmRSS")
    _REFERENCES.write_text("5")  # the highest size is now that of this moment
    work()
    return (_resident("VmHWM") - before) / 1024


@contextmanager
def every_block_apart() -> Iterator[None]:
    """Within, glibc takes each block of 64 KB or more from the system and gives it back when it is freed.

    Otherwise blocks of changing sizes leave holes in its heap, which count as resident.
    """
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        yield
        return
    library.mallopt(_THRESHOLD, 2**16)
    try:
        yield
    finally:
        library.mallopt(_THRESHOLD, 2**25)  # the largest that it chooses by itself


def _resident(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])
