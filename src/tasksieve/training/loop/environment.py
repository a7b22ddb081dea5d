"""Where and on what a run was made."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tasksieve.records.parted_paths import data_sha256
from tasksieve.training.loop.plugin_files import plugin_digests

_PACKAGES = ("tasksieve", "torch", "numpy", "polars", "safetensors")


def environment(files: Iterable[Path]) -> dict[str, Any]:
    """Versions, machine, the SHA-256 of every data file by its path, and of every plug-in file by its name."""
    plugins = plugin_digests()
    return {
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "machine": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "data": {str(path): data_sha256(path) for path in files},
        **({"plugins": plugins} if plugins else {}),
    }
