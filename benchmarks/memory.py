"""How much memory a piece of work needs at its highest, on Linux."""

from __future__ import annotations

import ctypes
import gc
import math
import re
from collections.abc import Callable
from pathlib import Path

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


def _resident(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])
