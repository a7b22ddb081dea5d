"""Virtual environments that hold nothing but what they are for."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path


def fresh_environment(folder: Path, *packages: str, options: tuple[str, ...] = ()) -> Path:
    """Make an environment anew and install packages into it; returns its Python."""
    venv.create(folder, clear=True, with_pip=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    words = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *options, *packages]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SystemExit(f"{', '.join(packages)} could not be installed: {reason}")
    return python
