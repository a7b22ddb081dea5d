"""How much memory a piece of work needs at its highest, on Linux."""

from __future__ import annotations

import ctypes
import gc
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path

import torch
from torch.autograd import DeviceType

_THRESHOLD = -3  # M_MMAP_THRESHOLD
_STATUS, _REFERENCES = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_BLOCK = "[memory]"  # what torch's profiler calls a block that is taken or given back


def counted_mb(work: Callable[[], object]) -> float:
    """The most that torch's blocks hold together, on the CPU, of those that it takes during the work, in MB.

    Every block that torch takes or gives back is counted to the byte, as its profiler tells them: what the system's
    allocator holds back, or what others do on the machine, is not in it. Nor is what other libraries take for
    themselves; and a block of before that is given back meanwhile makes no room. The work takes somewhat longer
    while it is watched.
    """
    gc.collect()
    with torch.autograd.profiler.profile(profile_memory=True) as watched:
        work()
    found = watched.kineto_results
    assert found is not None
    blocks = [event for event in found.events() if event.name() == _BLOCK and event.device_type() == DeviceType.CPU]
    held = accumulate(block.nbytes() for block in sorted(blocks, key=lambda block: block.start_ns()))
    return max(held, default=0) / 2**20


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
