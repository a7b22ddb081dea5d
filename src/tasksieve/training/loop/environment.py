"""Where and on what a run was made."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tasksieve.records.parted_paths import data_sha256

_PACKAGES = ("tasksieve", "torch", "numpy", "polars", "safetensors")


def environment(files: Iterable[Path]) -> dict[str, Any]:
    """Versions, machine, and the SHA-256 of every data file by its path."""
    return {
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "machine": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "data": {str(path): data_sha256(path) for path in files},
    }
