"""Runs ``compiled_cases.py`` without the checks of types that the tests put around every function."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CASES = Path(__file__).with_name("compiled_cases.py")
ROOT = Path(__file__).parents[2]


def test_compiled_passes_give_the_same_meta_gradients() -> None:
    """What is wrapped into a check of types cannot be traced; users have no such wrappers."""
    words = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider", str(CASES)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "11 passed" in done.stdout or "10 passed, 1 skipped" in done.stdout
